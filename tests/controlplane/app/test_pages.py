"""The pages of the control plane."""

import re

import pytest
from httpx import AsyncClient


@pytest.mark.parametrize("page", ["/", "/api/docs", "/api/redoc"])
async def test_pages_load_nothing_from_elsewhere(anonymous: AsyncClient, page: str) -> None:
    """In a closed network a page is whole: what it loads comes from the control plane."""
    answer = await anonymous.get(page)
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', answer.text)

    assert answer.status_code == 200
    for address in loaded:
        assert address.startswith("/api/static/"), address
        assert (await anonymous.get(address)).status_code == 200


async def test_the_first_page_leads_on(anonymous: AsyncClient) -> None:
    """Every link of the first page to ourselves leads somewhere."""
    text = (await anonymous.get("/")).text
    links = re.findall(r'href="(?!http)([^"]+)"', text)

    assert len(links) == 6
    for link in links:
        assert (await anonymous.get(f"/{link}")).status_code == 200, link
