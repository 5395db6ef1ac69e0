"""The lab's devices, brought into the inventory as any operator would: by the import document."""

import httpx

from controlplane.errors import ConfigurationError
from controlplane.settings import Settings


async def inventory(settings: Settings) -> bytes:
    """Fetch the import document of the lab that runs beside us."""
    url = f"http://127.0.0.1:{settings.lab_http_port}/inventory"
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        try:
            response = (await client.get(url)).raise_for_status()
        except httpx.HTTPError as error:
            raise ConfigurationError(f"the lab gives no inventory at {url}: {error}") from error
    return response.content
