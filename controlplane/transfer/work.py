"""Imports as jobs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from controlplane.auth.actor import Actor
from controlplane.devices.addresses import Reach
from controlplane.jobs.progress import Progress
from controlplane.transfer import service, sources
from controlplane.transfer.schemas import ImportQuery
from controlplane.transfer.sources import Source
from controlplane.vault import Vault

KIND = "import"


def options(source: Source, query: ImportQuery) -> dict[str, Any]:
    """Give what a job has to know beside the content."""
    return {"source": source, "query": query.model_dump(mode="json")}


@dataclass(frozen=True)
class Import:
    """Imports the content of a job; the result is the report."""

    vault: Vault
    reach: Reach

    async def __call__(
        self,
        session: AsyncSession,
        actor: Actor,
        content: str,
        options: Mapping[str, Any],
        progress: Progress,
    ) -> dict[str, Any]:
        """Import all rows in this session, or raise Invalid with every error of every row."""
        query = ImportQuery.model_validate(options["query"])
        source = Source(options["source"])
        given = await asyncio.to_thread(sources.read, source, content, query)
        report = await service.load(session, actor, self.vault, self.reach, given, query, progress)
        return report.model_dump(mode="json")
