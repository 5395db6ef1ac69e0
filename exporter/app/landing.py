"""The landing page: a form to scrape by hand, and the way to everything else."""

import html
from collections.abc import Iterable
from importlib.metadata import version
from string import Template

from exporter.app.exporter import Exporter


def page(exporter: Exporter) -> str:
    """Return the page, with the auths, modules and devices there are as suggestions."""
    configuration, inventory = exporter.configuration, exporter.inventory
    return _PAGE.substitute(
        version=html.escape(version("catalyst-health-monitor")),
        metrics=html.escape(exporter.settings.metrics_path),
        auths=_options(configuration.auths),
        modules=_options(["auto", *configuration.modules]),
        probe=_PROBE if inventory is not None else "",
        devices=f"{len(inventory.devices)} devices" if inventory is not None else "no inventory",
    )


def _options(names: Iterable[str]) -> str:
    return "".join(f'<option value="{html.escape(name)}">' for name in sorted(names))


_PROBE = """\
<form action="/probe">
<h2>Probe a device of the inventory</h2>
<label>Device <input name="target" placeholder="core1" required></label>
<button>Probe</button>
</form>"""

_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CHM exporter</title>
<style>
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 2rem 1rem }
h1 { font-size: 1.6rem; margin: 0 }
h2 { font-size: 1.1rem; margin: 0 0 1rem }
header p { margin: 0 0 1.5rem; opacity: .7 }
form { border: 1px solid var(--line); border-radius: .5rem; padding: 1.25rem; margin: 0 0 1.25rem }
label { display: grid; grid-template-columns: 6rem 1fr; align-items: center; margin: 0 0 .75rem }
label.check { display: block }
input:not([type=checkbox]) { font: inherit; padding: .4rem .6rem; border: 1px solid var(--line);
  border-radius: .3rem; background: transparent; color: inherit }
button { font: inherit; padding: .4rem 1.2rem; border: 0; border-radius: .3rem; cursor: pointer;
  background: #0b63ce; color: #fff }
:focus-visible { outline: 2px solid #0b63ce; outline-offset: 2px }
nav a { margin-right: 1.25rem }
</style>
</head>
<body>
<header>
<h1>Catalyst Health Monitor: exporter</h1>
<p>Version $version, $devices</p>
</header>
<main>
<form action="/snmp">
<h2>Scrape a target</h2>
<label>Target <input name="target" placeholder="[udp://]host[:port]" required></label>
<label>Auth <input name="auth" list="auths" value="public_v2"></label>
<label>Module <input name="module" list="modules" value="if_mib"></label>
<label>Context <input name="snmp_context" placeholder="SNMPv3 only, may be empty"></label>
<label class="check"><input type="checkbox" name="partial" value="true">
Take what can be had, where a module fails</label>
<datalist id="auths">$auths</datalist>
<datalist id="modules">$modules</datalist>
<button>Scrape</button>
</form>
$probe
</main>
<nav>
<a href="/config">Config</a>
<a href="$metrics">Metrics</a>
<a href="/-/healthy">Health</a>
<a href="/-/ready">Readiness</a>
</nav>
</body>
</html>
""")
