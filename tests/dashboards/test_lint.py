"""The rules that every board keeps; they are what a reviewer would say."""

import re
from collections import Counter
from itertools import combinations
from typing import Any

import promql_parser as promql
import pytest

from dashboards.queries import expressions
from tests.promql import selectors

# Series that only ever grow; anything else is a gauge. RFC 2863 for the names of IF-MIB.
COUNTERS = re.compile(r"if(HC)?(In|Out)(Octets|Errors|Discards|\w+Pkts)|\w+_total")
RATES = {"rate", "irate", "increase", "resets"}
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def parsed(text: str) -> list[tuple[str, Any]]:
    return [
        (expression.panel, promql.parse(expression.expr))
        for expression in expressions(text, {"device": "core1"})
    ]


class TestQueries:
    def test_parse(self, text: str) -> None:
        """Every query is PromQL, and the rules below see each of its series."""
        written = sum(each.expr.count("{") for each in expressions(text, {"device": "core1"}))

        assert sum(len(selectors(tree)) for _, tree in parsed(text)) == written > 0

    def test_counters_only_as_rates(self, text: str) -> None:
        """The absolute value of a counter says nothing, so counters only stand inside a rate."""
        bare = [
            (panel, selector.name)
            for panel, tree in parsed(text)
            for selector, functions in selectors(tree)
            if COUNTERS.fullmatch(selector.name or "") and not RATES & set(functions)
        ]
        assert bare == []

    def test_only_counters_as_rates(self, text: str) -> None:
        """The rate of a gauge is nonsense."""
        wrong = [
            (panel, selector.name)
            for panel, tree in parsed(text)
            for selector, functions in selectors(tree)
            if RATES & set(functions) and not COUNTERS.fullmatch(selector.name or "")
        ]
        assert wrong == []

    def test_rate_interval(self, targets: list[dict[str, Any]]) -> None:
        """Rates are taken over $__rate_interval, which always holds enough samples."""
        windows = [
            window
            for target in targets
            for window in re.findall(r"\b(?:i?rate|increase)\([^()]*\[([^]]+)\]", target["expr"])
        ]
        rates = sum(len(re.findall(r"\b(?:i?rate|increase)\(", t["expr"])) for t in targets)

        assert windows == ["$__rate_interval"] * rates

    def test_no_fixed_window(self, targets: list[dict[str, Any]]) -> None:
        """No window is a number: boards follow the time range and the scrape interval."""
        windows = {w for target in targets for w in re.findall(r"\[([^]]+)\]", target["expr"])}

        assert windows <= {"$__rate_interval", "$__range"}

    def test_selectors_name_job_and_scope(self, text: str) -> None:
        """Every series is asked for by the devices chosen on the board, and what has one by job."""
        for panel, tree in parsed(text):
            for selector, _ in selectors(tree):
                labels = {matcher.name for matcher in selector.matchers.matchers}
                alert = (selector.name or "").startswith(("ALERTS", "baseline:"))
                of_others = panel in {"Parts of the stack", "Upstream"}
                assert alert or "job" in labels, (panel, selector.name)
                of_most = selector.name == "chm_threshold_common"  # of no device in particular
                assert of_others or of_most or "device" in labels, (panel, selector.name)

    def test_empty_or_instant_tables(self, panels: list[dict[str, Any]]) -> None:
        """Stats, bars and tables ask for the newest value only, not for the whole range."""
        once = {"stat", "bargauge", "table"}
        for panel in panels:
            for target in panel["targets"]:
                assert target["instant"] is (panel["type"] in once), panel["title"]
                assert target["range"] is not target["instant"]
                assert target["format"] == ("table" if panel["type"] == "table" else "time_series")

    def test_ref_ids_are_unique(self, panels: list[dict[str, Any]]) -> None:
        """Within a panel each query has a letter of its own."""
        for panel in panels:
            letters = [target["refId"] for target in panel["targets"]]
            assert len(set(letters)) == len(letters) > 0

    def test_series_are_named(self, panels: list[dict[str, Any]]) -> None:
        """Graphs, bars and timelines name their series by what differs, never by all labels."""
        for panel in panels:
            if panel["type"] in {"timeseries", "state-timeline", "bargauge"}:
                for target in panel["targets"]:
                    assert target["legendFormat"] != "__auto", panel["title"]

    def test_legend_labels_exist(self, panels: list[dict[str, Any]]) -> None:
        """A legend names only labels that an aggregation keeps."""
        for panel in panels:
            for target in panel["targets"]:
                kept = re.match(r"(?:topk\(10, )?(?:max|min|sum) by \(([^)]*)\)", target["expr"])
                named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
                assert kept is None or named <= set(kept[1].split(", ")), panel["title"]


class TestPanels:
    def test_title_description_unit(self, panels: list[dict[str, Any]]) -> None:
        """Every panel says what it shows, in which unit, and how to read it."""
        for panel in panels:
            assert panel["title"]
            assert panel["description"].endswith("."), panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]

    def test_titles_and_ids_are_unique(self, board: dict[str, Any]) -> None:
        """Panels can be told apart by their title, and by their id in links."""
        for key in ("id", "title"):
            counts = Counter(panel[key] for panel in board["panels"])
            assert [name for name, count in counts.items() if count > 1] == []

    def test_datasource_is_chosen(
        self, panels: list[dict[str, Any]], targets: list[dict[str, Any]]
    ) -> None:
        """Panels and queries use the data source that is chosen on the board."""
        assert all(item["datasource"] == DATASOURCE for item in (*panels, *targets))

    def test_grid(self, board: dict[str, Any]) -> None:
        """Panels stay within the 24 columns and do not overlap."""
        places = [panel["gridPos"] for panel in board["panels"]]
        assert all(p["x"] >= 0 and p["x"] + p["w"] <= 24 and p["h"] > 0 for p in places)
        for a, b in combinations(places, 2):
            beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
            apart = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
            assert beside or apart, (a, b)

    def test_lines_are_full(self, board: dict[str, Any]) -> None:
        """Every line of panels fills the width: a gap looks like a panel that did not load."""
        widths: Counter[int] = Counter()
        for panel in board["panels"]:
            widths[panel["gridPos"]["y"]] += panel["gridPos"]["w"]
        assert set(widths.values()) == {24}

    def test_one_height_in_a_line(self, board: dict[str, Any]) -> None:
        """Panels beside each other are of one height."""
        heights: dict[int, set[int]] = {}
        for panel in board["panels"]:
            heights.setdefault(panel["gridPos"]["y"], set()).add(panel["gridPos"]["h"])
        assert all(len(each) == 1 for each in heights.values())

    def test_links_lead_to_boards(self, text: str, board: dict[str, Any]) -> None:
        """Every link leads to a board there is."""
        targets = set(re.findall(r'"url": "/d/([\w-]+)', text))

        assert targets
        assert targets <= {"chm-fleet", "chm-device"}
        assert board["uid"] not in targets or board["uid"] == "chm-device"

    def test_overrides_meet_columns(self, panels: list[dict[str, Any]]) -> None:
        """Settings of a column name a column that the table has."""
        for panel in panels:
            if panel["type"] == "table":
                titles = set(panel["transformations"][1]["options"]["renameByName"].values())
                overridden = {o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"]}
                sorted_by = {each["displayName"] for each in panel["options"]["sortBy"]}
                assert overridden | sorted_by <= titles, panel["title"]


class TestBoard:
    def test_is_read_only(self, board: dict[str, Any]) -> None:
        """A change by hand would be lost at the next deployment, so Grafana forbids it."""
        assert board["editable"] is False

    def test_first_variable_is_the_datasource(self, board: dict[str, Any]) -> None:
        """The data source can be chosen, and every other variable asks it."""
        first, *others = board["templating"]["list"]
        assert (first["name"], first["type"]) == ("datasource", "datasource")
        assert all(variable["datasource"] == DATASOURCE for variable in others)

    def test_all_means_all(self, board: dict[str, Any]) -> None:
        """The choice "All" also finds devices that lack the label: those without a site."""
        for variable in board["templating"]["list"]:
            assert not variable["includeAll"] or variable["allValue"] == ".*"

    def test_variables_are_used(self, text: str, board: dict[str, Any]) -> None:
        """Every variable changes something, and every variable in use is there."""
        names = {variable["name"] for variable in board["templating"]["list"]}
        used = set(re.findall(r"\$\{?([a-z]\w*)", text))
        assert names == used

    def test_no_relics(self, text: str, board: dict[str, Any]) -> None:
        """Nothing of Grafana's old schemas is left in the file."""
        assert board["schemaVersion"] == 41
        for relic in ("rows", "span", "intervalFactor", "step", "maxDataPoints", "style"):
            assert f'"{relic}":' not in text.replace('"step": "60s"', "")


class TestExpressions:
    def test_variables_are_filled(self, text: str) -> None:
        """No dollar sign is left, and the device is the one asked for."""
        found = expressions(text, {"device": "core1", "site": "demo"})

        assert all(not re.search(r"\$[{A-Za-z_]", expression.expr) for expression in found)
        assert any("core1" in expression.expr for expression in found)

    def test_unknown_variable(self, text: str) -> None:
        """A variable that nobody gave a value is an error, not an empty query."""
        with pytest.raises(KeyError):
            expressions(text.replace("$__rate_interval", "$nobody"), {"device": "core1"})

    def test_reasons_to_be_empty_are_shown(self, text: str, panels: list[dict[str, Any]]) -> None:
        """The reason why a panel may be empty is what Grafana shows in its place."""
        shown = {panel["fieldConfig"]["defaults"].get("noValue", "") for panel in panels}
        reasons = {e.empty for e in expressions(text, {"device": "core1"})}

        assert reasons - {"Nothing happened"} == shown
        assert "No alert is firing" in reasons
