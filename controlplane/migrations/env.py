"""Alembic's entry: runs migrations on the connection that `database.migrate` hands in.

The one place that imports every table, so that the metadata is complete.
"""

from alembic import context
from sqlmodel import SQLModel

from controlplane import events
from controlplane.alerts import models as alerts
from controlplane.audit import models as audit
from controlplane.auth import models as auth
from controlplane.auth.roles import models as roles
from controlplane.credentials import models as credentials
from controlplane.devices import models as devices
from controlplane.devices.catalogue import models as catalogue
from controlplane.devices.groups import models as groups
from controlplane.devices.interfaces import models as interfaces
from controlplane.digests import models as digests
from controlplane.escalation import models as escalation
from controlplane.limits import models as limits
from controlplane.maintenance import models as maintenance
from controlplane.metrics import models as metrics
from controlplane.metrics.baselines import models as baselines
from controlplane.notifications import models as notifications
from controlplane.provisioning import models as provisioning
from controlplane.provisioning.alerting_rules import models as alerting_rules
from controlplane.provisioning.shipped_alerts import models as shipped_alerts
from controlplane.traps import models as traps
from controlplane.users import models as users

TABLES = (
    *(
        alerting_rules,
        alerts,
        audit,
        auth,
        baselines,
        catalogue,
        credentials,
        devices,
        digests,
        escalation,
        events,
        groups,
        limits,
        maintenance,
    ),
    *(interfaces, metrics, notifications, provisioning, roles, shipped_alerts, traps, users),
)

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
