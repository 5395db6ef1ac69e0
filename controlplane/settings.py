"""Every setting of the control plane and of `chm up`, read from `CHM_*` environment variables."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Rate = Annotated[int, Field(ge=0, le=1_000_000)]
Words = Annotated[tuple[str, ...], NoDecode]
Network = IPv4Network | IPv6Network
Networks = Annotated[tuple[Network, ...], NoDecode]

# RFC 1918, RFC 6598, RFC 4193
PRIVATE: tuple[Network, ...] = (
    *(IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")),
    IPv6Network("fc00::/7"),
)
LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


OWNERS = frozenset({"database_owner_url", "database_owner_password"})  # not for children


class Settings(BaseSettings):
    """What an operator may choose; the defaults are one machine with everything on loopback."""

    model_config = SettingsConfigDict(env_prefix="CHM_", extra="ignore", frozen=True)

    data: Path = Path("data")
    database_url: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("CHM_DATABASE_URL", "DATABASE_URL")
    )
    # Whose tables they are, for `chm init` alone; without it the role above must be the owner.
    database_owner_url: SecretStr | None = None
    # The passwords of both, where they do not stand in the addresses: here they are any text.
    database_password: SecretStr | None = None
    database_owner_password: SecretStr | None = None
    host: str = "127.0.0.1"
    controlplane_port: Port = 8000
    exporter_port: Port = 9116
    prometheus_port: Port = 9090
    alertmanager_port: Port = 9093
    grafana_port: Port = 3000
    traps_port: Port = 1162  # UDP; 162, which devices send to, takes the right to it
    lab_http_port: Port = 8161
    lab_snmp_port: Port = 1161

    # Where people reach a service; by default where the other services do.
    public_url: str = ""
    prometheus_public_url: str = ""
    alertmanager_public_url: str = ""
    grafana_url: str = ""  # without it there is no Grafana: alerts name no board
    # Where services reach each other; by default http://host:port.
    controlplane_url: str = ""
    prometheus_url: str = ""
    alertmanager_url: str = ""
    exporters: Words = ()  # host:port of each exporter

    shards: Annotated[int, Field(ge=1, le=64)] = 1  # Prometheus servers that share the devices

    scrape_interval: Seconds = 60  # of devices without a poll class, and the longest of all
    sd_refresh_interval: Seconds = 30
    evaluation_interval: Seconds = 15
    # What a rule that somebody wrote may read at each evaluation: a third of a second's work.
    rule_max_samples: Annotated[int, Field(ge=1)] = 5_000_000
    # How many such rules may be live, and what all of them may read, evaluated once each.
    live_rules_max: Annotated[int, Field(ge=1)] = 200
    live_rules_max_samples: Annotated[int, Field(ge=1)] = 25_000_000
    down_for: Seconds = 120  # how long a device must be down before anyone is told
    flap_window: Seconds = 1800  # six changes within it are flapping; it ends after a third without
    # How much of the time the devices of a site are to be up, such as 0.999; see rules/sla.py.
    availability_objective: Annotated[float | None, Field(ge=0.5, lt=1)] = None
    group_wait: Seconds = 5
    group_interval: Seconds = 30
    repeat_interval: Seconds = 4 * 3600
    # Alertmanager must have run so long before what it does not name is over (Prometheus tells it
    # again every minute, and itself needs two scrapes more),
    alerts_settle: Seconds = 120
    alerts_confirm: Seconds = 10  # and it must be missing in two answers so far apart
    retention: str = "15d"
    event_retention: Seconds = 30 * 24 * 3600  # how long traps of devices are kept
    # A device that sends traps is polled at once, but not more often; 0 is never.
    trap_poll_pause: Annotated[float, Field(ge=0)] = 30
    remote_write: Words = ()  # where samples go for the years
    notify_webhooks: Words = ()  # URLs that people are told by
    # Where channels may lead although it is ours, or by plain HTTP.
    notify_networks: Networks = ()

    access_token_lifetime: Seconds = 600
    mfa_required_roles: Words = ()  # nothing without a second factor
    session_idle: Seconds = 8 * 3600  # a login that nobody uses ends after this time
    session_lifetime: Seconds = 7 * 24 * 3600  # and every login after this one
    registration: bool = False  # whether strangers may make themselves an account

    smtp_host: str = ""  # without one, links are printed by `chm` instead of mailed
    smtp_port: Port = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_from: str = "chm@localhost"

    # Who is let in, and how. See docs/howto/secure-the-web.md.
    production: bool = False  # requires HTTPS
    trusted_proxies: Networks = ()  # whose X-Forwarded-For and X-Forwarded-Proto are believed
    allowed_hosts: Words = ()  # names in the Host header, beside those of our own URLs
    allowed_networks: Networks = ()  # of clients; none given is all
    denied_networks: Networks = ()  # of clients; wins over allowed
    plain_networks: Networks = LOOPBACK  # that may use plain HTTP in production: our services
    cors_origins: Words = ()  # of pages elsewhere that may call the API, such as https://a.example
    max_request_bytes: Annotated[int, Field(ge=1024)] = 16 * 1024 * 1024
    max_header_bytes: Annotated[int, Field(ge=4096)] = 32 * 1024
    request_timeout: Seconds = 60  # until an answer begins
    # Requests a minute of one address (an IPv6 /64 is one); 0 is no limit.
    rate_login: Rate = 30
    rate_read: Rate = 1200
    rate_write: Rate = 300
    rate_heavy: Rate = 30
    rate_service: Rate = 6000

    # What a device may be asked at; see controlplane/devices/addresses.py.
    management_networks: Networks = PRIVATE
    management_domains: Words = ()  # of devices that have a name for an address

    # Keys of the vault; without any of these they are files in the folder of secrets.
    vault_keys: SecretStr | None = None  # 1:<base64>,2:<base64>
    vault_key_command: str = ""  # prints a key in base64, given its version as last argument
    vault_key_version: Annotated[int, Field(ge=1)] | None = None  # to wrap with; default the newest

    @field_validator(
        "exporters",
        "remote_write",
        "notify_webhooks",
        "notify_networks",
        "mfa_required_roles",
        "trusted_proxies",
        "allowed_hosts",
        "allowed_networks",
        "denied_networks",
        "plain_networks",
        "cors_origins",
        "management_networks",
        "management_domains",
        mode="before",
    )
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="before")
    @classmethod
    def _default_urls(cls, values: dict[str, object]) -> dict[str, object]:
        host = values.get("host") or cls.model_fields["host"].default
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound: where it listens everywhere, loopback reaches it
            host = "127.0.0.1"
        for service in ("controlplane", "prometheus", "alertmanager"):
            port = values.get(f"{service}_port") or cls.model_fields[f"{service}_port"].default
            values.setdefault(f"{service}_url", f"http://{host}:{port}")
        values.setdefault("public_url", values["controlplane_url"])
        for service in ("prometheus", "alertmanager"):
            values.setdefault(f"{service}_public_url", values[f"{service}_url"])
        port = values.get("exporter_port") or cls.model_fields["exporter_port"].default
        values.setdefault("exporters", (f"{host}:{port}",))
        return values

    @property
    def secrets(self) -> Path:
        """The folder of keys and tokens, readable by their owner alone."""
        return self.data / "secrets"

    @property
    def audit_anchors(self) -> Path:
        """Where the audit log is anchored, outside the database."""
        return self.data / "audit" / "anchors.jsonl"

    @property
    def prometheus_folder(self) -> Path:
        """What Prometheus and Alertmanager read: their configuration and `rules.d/`."""
        return self.data / "prometheus"

    @property
    def local_rules(self) -> Path:
        """Rule files of the operator; they become part of every rule set."""
        return self.data / "rules.local"

    @property
    def dashboards_folder(self) -> Path:
        """Where Grafana finds the generated dashboards."""
        return self.data / "grafana" / "dashboards"

    def token_file(self, service: str) -> Path:
        """Name the file of a service's token, in a folder without any key of the control plane."""
        if service in {"prometheus", "alertmanager"}:
            return self.prometheus_folder / "secrets" / f"{service}.token"
        return self.data / service / f"{service}.token"

    @property
    def verify_token_file(self) -> Path:
        """The token by which we have exporters try credentials; both sides read it."""
        return self.token_file("exporter").with_name("verify.token")

    def environment(self) -> dict[str, str]:
        """Give these settings as the environment of a child process."""
        values = {
            f"CHM_{name.upper()}": _as_text(value)
            for name, value in self
            if name not in OWNERS and name != "data" and value is not None
        }
        return {**values, "CHM_DATA": str(self.data.absolute())}


def _as_text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
