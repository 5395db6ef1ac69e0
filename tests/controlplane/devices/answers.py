"""What tests of lists read from answers."""

from httpx import AsyncClient, Response


async def names(client: AsyncClient, url: str) -> list[str]:
    """Give the names of a list, in its order."""
    return [found["name"] for found in (await client.get(url)).json()["results"]]


def told(response: Response) -> list[tuple[int, str, str]]:
    """Give row, pointer and code of every error of a list that was refused."""
    return [(e["row"], e["pointer"], e["code"]) for e in response.json()["errors"]]
