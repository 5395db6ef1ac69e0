"""The configuration files of Prometheus and Alertmanager: those of `prometheus/`, made to fit.

The files in `prometheus/` are the real ones, with the addresses they have in containers; here the
addresses and times of the settings are put in their place, and nothing else is changed. What people
chose is added to Alertmanager's by `controlplane.provisioning.alertmanager`.
"""

from collections.abc import Iterator
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import yaml

from controlplane.settings import Settings


def prometheus(settings: Settings) -> str:
    """Give prometheus.yml for these settings."""
    config = _shipped("prometheus.yml")
    config["global"]["scrape_interval"] = seconds(settings.scrape_interval)
    config["global"]["evaluation_interval"] = seconds(settings.evaluation_interval)
    config["global"]["scrape_timeout"] = seconds(min(10, settings.scrape_interval))
    _place(config["alerting"], {"alertmanager:9093": [_netloc(settings.alertmanager_url)]})
    for job in config["scrape_configs"]:
        _fit_job(job, settings)
    if settings.remote_write:
        config["remote_write"] = [{"url": url} for url in settings.remote_write]
    return yaml.safe_dump(config, sort_keys=False)


def alertmanager(settings: Settings) -> dict[str, Any]:
    """Give alertmanager.yml for these settings as a tree, before channels and routes of people."""
    config = _shipped("alertmanager.yml")
    config["route"]["group_wait"] = seconds(settings.group_wait)
    config["route"]["group_interval"] = seconds(settings.group_interval)
    config["route"]["repeat_interval"] = seconds(settings.repeat_interval)
    for receiver in config["receivers"]:
        for webhook in receiver.get("webhook_configs", ()):
            webhook["url"] = _moved(webhook["url"], settings.controlplane_url)
    return config


def shipped(name: str) -> str:
    """Give the text of a file of `prometheus/`."""
    return resources.files("prometheus").joinpath(name).read_text(encoding="utf-8")


def seconds(value: float) -> str:
    """Write a duration as both programs read it; they know no fractions of a unit.

    >>> seconds(1.5)
    '1500ms'
    """
    return f"{value:g}s" if float(value).is_integer() else f"{round(value * 1000)}ms"


def _fit_job(job: dict[str, Any], settings: Settings) -> None:
    for sd in job.get("http_sd_configs", ()):
        sd["url"] = _moved(sd["url"], settings.controlplane_url)
        sd["refresh_interval"] = seconds(settings.sd_refresh_interval)
    if "scrape_interval" in job:  # the stack's own jobs are never slower than its devices
        job["scrape_interval"] = seconds(min(15, settings.scrape_interval))
    _place(
        job,
        {
            "controlplane:8000": [_netloc(settings.controlplane_url)],
            "prometheus:9090": [_netloc(settings.prometheus_url)],
            "alertmanager:9093": [_netloc(settings.alertmanager_url)],
        },
    )


def _shipped(name: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(shipped(name))
    return config


def _place(tree: Any, addresses: dict[str, list[str]]) -> None:
    """Replace the containers' addresses in every list of static targets below `tree`."""
    for group in _static_groups(tree):
        group["targets"] = [
            address for target in group["targets"] for address in addresses.get(target, [target])
        ]


def _static_groups(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield from tree.get("static_configs", ())
        for value in tree.values():
            yield from _static_groups(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _static_groups(value)


def _netloc(url: str) -> str:
    return urlsplit(url).netloc


def _moved(url: str, base: str) -> str:
    """Give the path of `url` at another server."""
    return base.rstrip("/") + urlsplit(url).path
