"""Numbers as people read them: templates of Prometheus for a value, and for one that is asked for.

https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

import re
from typing import Literal

import promql_parser

Unit = Literal["ratio", "seconds", "celsius", "number", "labelled"]

_WRITTEN = {
    "ratio": "{{ humanizePercentage NUMBER }}",
    "seconds": "{{ humanizeDuration NUMBER }}",
    "celsius": '{{ printf "%.4g °C" NUMBER }}',
    # 0.02 is 20m to `humanize`, and a billion 1e+09 to `printf`.
    "number": "{{ if gt NUMBER 1000.0 }}{{ humanize NUMBER }}"
    '{{ else }}{{ printf "%.4g" NUMBER }}{{ end }}',
    # Of an answer only: its unit is a label of it.
    "labelled": '{{ printf "%.4g" NUMBER }} {{ . | first | label "unit" }}',
}
ANSWER = "(. | first | value)"


def shown(unit: Unit, number: float | None = None) -> str:
    """Give the template that writes the value of an alert, or another number, in its unit."""
    return _written(unit, "$value" if number is None else repr(float(number)))


def asked(unit: Unit, promql: str, *labels: str) -> str:
    """Give the template of a number that Prometheus is asked for, of each alert there is.

    In `promql` stands `%[1]q` for the value of the first label, `%[2]q` for that of the second: Go
    quotes as PromQL does, so whatever a device calls its port stays within the quotes.
    """
    promql_parser.parse(re.sub(r"%\[[1-9]\]q", '""', promql))
    values = " ".join(f"$labels.{label}" for label in labels)
    answer = _written(unit, ANSWER)
    return f"{{{{ with printf `{promql}` {values} | query }}}}{answer}{{{{ end }}}}"


def _written(unit: Unit, number: str) -> str:
    return _WRITTEN[unit].replace("NUMBER", number)
