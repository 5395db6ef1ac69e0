"""Statements about rule set revisions."""

from types import MappingProxyType

from sqlalchemy import Delete, Select, delete, func
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlmodel import col, select

from controlplane.provisioning.models import DeploymentStatus, RuleRevision, RuleSetFiles
from controlplane.provisioning.ruleset import RuleSet

KEPT = 20  # sets, as on the disk of Prometheus

ORDERING = MappingProxyType(
    {"id": col(RuleRevision.id), "created_at": col(RuleRevision.created_at)}
)


def revisions() -> Select[tuple[RuleRevision]]:
    """Select every attempt to put a rule set in force."""
    return select(RuleRevision)


def newest() -> Select[tuple[RuleRevision]]:
    """Select the last attempt."""
    return revisions().order_by(col(RuleRevision.id).desc()).limit(1)


def in_force() -> Select[tuple[str]]:
    """Select the revision that came into force last."""
    deployed = select(col(RuleRevision.revision)).where(
        RuleRevision.status == DeploymentStatus.DEPLOYED
    )
    return deployed.order_by(col(RuleRevision.id).desc()).limit(1)


def files(revision: str) -> Select[tuple[RuleSetFiles]]:
    """Select the files of a rule set."""
    return select(RuleSetFiles).where(RuleSetFiles.revision == revision)


def before(revision: str) -> Select[tuple[str]]:
    """Select the revision that was in force when this one was first tried."""
    first = select(func.min(RuleRevision.id)).where(RuleRevision.revision == revision)
    return in_force().where(col(RuleRevision.id) < first.scalar_subquery())


def keep(ruleset: RuleSet) -> Insert:
    """Keep the files of a rule set; equal sets are kept once."""
    row = RuleSetFiles(revision=ruleset.revision, files=dict(ruleset.files))
    statement = insert(RuleSetFiles).values(**row.model_dump())
    return statement.on_conflict_do_update(
        index_elements=["revision"], set_={"used_at": row.used_at}
    )


def forget() -> Delete:
    """Remove the files of all rule sets but the last ones."""
    newest_first = select(RuleSetFiles.revision).order_by(
        col(RuleSetFiles.used_at).desc(), col(RuleSetFiles.revision)
    )
    return delete(RuleSetFiles).where(col(RuleSetFiles.revision).not_in(newest_first.limit(KEPT)))
