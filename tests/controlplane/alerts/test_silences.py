"""Acknowledgements as silences: what Alertmanager is to be told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from controlplane.alerts import silences
from controlplane.alerts.models import Alert, AlertStatus
from controlplane.clients.alertmanager import Matcher, Silence

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ID = UUID("5d1ba2b0-0000-4000-8000-000000000001")
OTHER = UUID("5d1ba2b0-0000-4000-8000-000000000002")


def acknowledged(expires: timedelta | None = None, alert_id: UUID = ID) -> Alert:
    return Alert(
        id=alert_id,
        fingerprint="01",
        status=AlertStatus.FIRING,
        alertname="DeviceDown",
        labels={"alertname": "DeviceDown", "device": "core1", "site": ""},
        annotations={},
        starts_at=NOW,
        acknowledged_at=NOW,
        acknowledged_by="ann",
        ack_comment="on my way\nthere",
        ack_expires_at=None if expires is None else NOW + expires,
    )


def held(left: timedelta, **changes: Any) -> Silence:
    (made,) = silences.plan([acknowledged()], [], NOW).set
    return replace(made, id="a", state="active", ends_at=NOW + left, **changes)


def test_one_is_made_for_exactly_the_labels() -> None:
    """It equals every label of the alert, is the person's, and carries the id and the comment."""
    plan = silences.plan([acknowledged()], [], NOW)
    (made,) = plan.set
    assert made.matchers == (Matcher("alertname", "DeviceDown"), Matcher("device", "core1"))
    assert (made.created_by, made.comment) == ("ann", f"chm-ack:{ID} on my way\nthere")
    assert (made.starts_at, made.ends_at) == (NOW, NOW + silences.LEASE)
    assert plan.expire == ()


def test_a_lease_is_extended_when_it_runs_out() -> None:
    """While enough is left nothing is done, and then the same silence gets a later end."""
    ours = acknowledged()
    assert silences.plan([ours], [held(timedelta(minutes=12))], NOW) == silences.Plan((), ())
    (extended,) = silences.plan([ours], [held(timedelta(minutes=9))], NOW).set
    assert (extended.id, extended.ends_at) == ("a", NOW + silences.LEASE)


def test_an_expiry_ends_it() -> None:
    """A silence never outlives the acknowledgement, also when its end is moved forward."""
    short = acknowledged(timedelta(minutes=3))
    (made,) = silences.plan([short], [], NOW).set
    assert made.ends_at == NOW + timedelta(minutes=3)
    (shortened,) = silences.plan([short], [held(timedelta(minutes=12))], NOW).set
    assert (shortened.id, shortened.ends_at) == ("a", NOW + timedelta(minutes=3))
    over = acknowledged(timedelta(minutes=-1))
    assert silences.plan([over], [held(timedelta(minutes=12))], NOW) == silences.Plan((), ("a",))


def test_what_nobody_acknowledges_any_more_is_ended() -> None:
    """And so is a second silence of the same alert; those of other people stay."""
    left = timedelta(minutes=12)
    twice = [held(left), replace(held(left), id="b")]
    foreign = replace(held(left), id="c", comment="chm-ack: not one of ours")
    expired = replace(held(left), id="d", state="expired")
    assert silences.plan([], [*twice, foreign, expired], NOW).expire == ("a", "b")
    plan = silences.plan([acknowledged()], [*twice, foreign, expired], NOW)
    assert plan == silences.Plan((), ("b",))


def test_ours_are_known_by_their_mark() -> None:
    """A silence that holds an acknowledgement does not count as one that suppresses."""
    left = timedelta(minutes=12)
    foreign = replace(held(left), id="c", comment="maintenance")
    assert silences.own([held(left), foreign]) == {"a"}
