"""`chm event`, as a shell sees it."""

import os

import psycopg
import pytest

from tests.controlplane.cli.conftest import Chm

pytestmark = pytest.mark.usefixtures("ready")

ADD = """\
INSERT INTO events (id, at, device, source, trap, oid, severity, text, varbinds, received_at)
SELECT gen_random_uuid(), now() - n * interval '1 hour', 'edge' || n, '10.0.0.1', 'linkDown', '1.3',
       'warning', 'port ' || n || ' is down', '[]', now()
FROM generate_series(1, 3) AS n
"""


def test_what_devices_sent(chm: Chm) -> None:
    """The newest comes first, and events are found by device, trap and words."""
    with psycopg.connect(os.environ["CHM_DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(ADD)

    def devices(*options: str) -> list[str]:
        return [event["device"] for event in chm("event", "list", *options)]

    assert devices() == ["edge1", "edge2", "edge3"]
    assert devices("--limit", "1") == ["edge1"]
    assert devices("--device", "edge2", "--trap", "linkDown") == ["edge2"]
    assert devices("--trap", "coldStart") == []
    assert devices("-q", "port 3") == ["edge3"]
