"""Browsers: cookies, and requests that pages of others would like to make."""

import contextlib

import pytest
from httpx import AsyncClient, Response
from sqlmodel import select

from controlplane.audit.models import Action, AuditEntry, Kind
from controlplane.auth import throttle
from controlplane.auth.cookies import Cookies
from controlplane.errors import TooMany
from tests.controlplane.auth.conftest import SignIn
from tests.controlplane.conftest import PASSWORD, Sessions

LOGOUT = "/api/v1/auth/logout"
ME = "/api/v1/auth/me"


@pytest.fixture
async def csrf(sign_in: SignIn) -> str:
    """Log the browser in and give what its pages send in the header."""
    answer = await sign_in(delivery="cookie")
    assert answer["access_token"] is answer["refresh_token"] is None
    return str(answer["csrf_token"])


async def login(client: AsyncClient, **headers: str) -> Response:
    body = {"name": "ann", "password": PASSWORD, "delivery": "cookie"}
    return await client.post("/api/v1/auth/login", json=body, headers=headers)


async def test_a_browser_is_known_by_its_cookie(anonymous: AsyncClient, csrf: str) -> None:
    """Pages read and write with the cookie, and the header that repeats what it is told."""
    assert (await anonymous.get(ME)).json()["name"] == "ann"
    response = await anonymous.post(LOGOUT, headers={"X-CSRF-Token": csrf})
    assert response.status_code == 204
    assert "chm_session" not in anonymous.cookies
    assert (await anonymous.get(ME)).status_code == 401


async def test_a_cookie_is_dead_after_logout(
    anonymous: AsyncClient, elsewhere: AsyncClient, csrf: str
) -> None:
    """A copy of the cookie is worth nothing after the logout, on any replica."""
    copy = anonymous.cookies["chm_session"]
    await anonymous.post(LOGOUT, headers={"X-CSRF-Token": csrf})
    response = await elsewhere.get(ME, headers={"Cookie": f"chm_session={copy}"})
    assert response.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": "right", "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": "right", "Sec-Fetch-Site": "same-site"},
        {"X-CSRF-Token": "right", "Origin": "https://evil.example"},
        {"X-CSRF-Token": "right", "Origin": "null"},
        {"X-CSRF-Token": "right", "Origin": "http://chm.test.evil.example"},
    ],
)
async def test_forged_requests_are_refused(
    anonymous: AsyncClient, csrf: str, headers: dict[str, str]
) -> None:
    """Without both proofs a request that writes is refused, whatever cookie it carries."""
    sent = {n: csrf if v == "right" else v for n, v in headers.items()}
    response = await anonymous.post(LOGOUT, headers=sent)
    assert response.status_code == 403, response.text
    assert (await anonymous.get(ME)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://chm.test"},
        {"Origin": "http://chm.test", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_our_own_pages_are_not_refused(
    anonymous: AsyncClient, csrf: str, headers: dict[str, str]
) -> None:
    """What browsers say of requests of our own origin is accepted."""
    response = await anonymous.post(LOGOUT, headers=headers | {"X-CSRF-Token": csrf})
    assert response.status_code == 204


@pytest.mark.usefixtures("ann")
async def test_nobody_is_logged_in_by_a_strangers_page(anonymous: AsyncClient) -> None:
    """A page of another origin cannot log its visitor into the attacker's account."""
    response = await login(anonymous, **{"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert not anonymous.cookies


async def test_the_cookie_is_no_bearer(anonymous: AsyncClient, csrf: str) -> None:
    """The cookie's value opens nothing as a bearer token, and a refresh token nothing as cookie."""
    assert csrf
    value = anonymous.cookies["chm_session"]
    anonymous.cookies.clear()
    response = await anonymous.get(ME, headers={"Authorization": f"Bearer {value}"})
    assert response.status_code == 401


async def test_a_bearers_secret_is_no_cookie(anonymous: AsyncClient, sign_in: SignIn) -> None:
    """The parts of a refresh token do not make a cookie."""
    prefix, _, last = (await sign_in())["refresh_token"].split(".")
    forged = f"chs_{prefix.removeprefix('chr_')}.{last}"
    response = await anonymous.get(ME, headers={"Cookie": f"chm_session={forged}"})
    assert response.status_code == 401


async def test_a_strangers_page_leaves_a_trace(
    anonymous: AsyncClient, csrf: str, sessions: Sessions
) -> None:
    """What was refused because it came from another page is in the audit log, by nobody known."""
    headers = {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"}
    assert (await anonymous.post(LOGOUT, headers=headers)).status_code == 403
    async with sessions() as session:
        denied = AuditEntry.action == Action.PERMISSION_DENIED
        entry = (await session.scalars(select(AuditEntry).where(denied))).one()
    assert (entry.actor_kind, entry.object_name) == (Kind.ANONYMOUS, f"POST {LOGOUT}")


@pytest.mark.usefixtures("ann")
async def test_a_browser_is_known_from_its_first_login_on(
    anonymous: AsyncClient, sessions: Sessions
) -> None:
    """Strangers who guess at the account do not hold up the browser that logged in once."""
    assert (await login(anonymous)).status_code == 200
    for number in range(throttle.FREE_OF_ACCOUNT + 1):
        async with sessions.begin() as session:
            with contextlib.suppress(TooMany):
                await throttle.check(session, "ann", f"198.51.100.{number}")
    browser = f"chm_device={anonymous.cookies['chm_device']}"
    anonymous.cookies.clear()
    assert (await login(anonymous)).status_code == 429
    assert (await login(anonymous, Cookie=browser)).status_code == 200


@pytest.mark.usefixtures("ann")
async def test_scripts_cannot_read_the_session(anonymous: AsyncClient) -> None:
    """The session is HttpOnly and SameSite; only the CSRF token is for scripts."""
    response = await login(anonymous)
    cookies = _attributes(response)
    assert cookies.keys() == {"chm_session", "chm_csrf", "chm_device"}
    for name, attributes in cookies.items():
        assert ("httponly" in attributes) == (name != "chm_csrf")
        assert {"samesite=strict", "path=/"} <= attributes
        assert not any(a.startswith("domain") for a in attributes)


def test_cookies_are_secure_where_people_use_https() -> None:
    """Behind HTTPS cookies carry the prefix that keeps a domain's neighbours from setting them."""
    cookies = Cookies("https://chm.example.net")
    assert cookies.secure
    assert cookies.name("session") == "__Host-chm_session"
    assert not Cookies("http://127.0.0.1:8000").secure


def _attributes(response: Response) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for header in response.headers.get_list("set-cookie"):
        pair, *attributes = header.split("; ")
        found[pair.partition("=")[0]] = {a.lower() for a in attributes}
    return found
