from pathlib import Path

import pytest
from pydantic import TypeAdapter

from exporter.config import ConfigError
from exporter.profiles import identify, loader
from exporter.profiles.loader import Configuration
from exporter.profiles.rows import Answers
from exporter.profiles.schema import Profile

IF_MIB_LABELS = {"ifIndex", "ifAlias", "ifDescr", "ifName"}
MODULE = "modules: {own: {walk: [1.3.6.1.2.1.1], %s}}"
ENTRY = "metrics: [{name: a, oid: 1.3.6.1, type: gauge}], health: [{family: %s, %s}]"


class TestFiles:
    def test_shipped(self, configuration: Configuration) -> None:
        """The product's own files load, and every profile names modules that exist."""
        assert {"if_mib", "system"} <= set(configuration.modules)
        assert {"generic", "cisco_ios", "juniper_junos"} <= set(configuration.profiles)
        assert set(configuration.auths) == {"public_v1", "public_v2"}

    def test_if_mib(self, configuration: Configuration) -> None:
        """if_mib has snmp_exporter's 39 metrics, every row labelled with its four labels."""
        columns = configuration.modules["if_mib"].by_name
        assert len(columns) == 39
        for name, column in columns.items():
            metric = column.metric
            labels = [part.labelname for part in metric.indexes]
            labels += [part.labelname for part in metric.lookups]
            assert set(labels) == (IF_MIB_LABELS if name != "ifNumber" else set())

    def test_operator_wins(self, tmp_path: Path) -> None:
        """The operator's module replaces the product's of the same name; auths are theirs alone."""
        path = tmp_path / "snmp.yml"
        path.write_text("auths: {lab: {community: x}}\nmodules: {if_mib: {walk: [1.3.6.1.2.1.2]}}")
        configuration = loader.load([str(path)])
        assert configuration.modules["if_mib"].module.walk == ("1.3.6.1.2.1.2",)
        assert set(configuration.auths) == {"lab"}

    def test_defined_twice(self, tmp_path: Path) -> None:
        """A module in two of the operator's files is a mistake."""
        for name in ("a", "b"):
            (tmp_path / f"{name}.yml").write_text("modules: {own: {walk: [1.3.6]}}")
        with pytest.raises(ConfigError, match=r"b\.yml: own: is defined in two files"):
            loader.load([str(tmp_path / "*.yml")])

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ("timeout: soon", "modules.own.timeout: 'soon' is not a duration"),
            ("walks: []", "modules.own.walks"),
            ("metrics: [{name: a b, oid: 1.3.6, type: gauge}]", "metrics.0.name: 'a b' is not"),
            ("metrics: [{name: a, oid: x, type: gauge}]", "metrics.0.oid: 'x' is not"),
            ("metrics: [{name: a, oid: 1.3.6, type: gouge}]", "metrics.0.type"),
            (ENTRY % ("chm_x", "value: a"), "health.0.family: 'chm_x' is not in the catalogue"),
            (ENTRY % ("chm_uptime_seconds", "value: b"), "health.0: 'b' is not a metric"),
            (ENTRY % ("chm_fan_up", "value: a"), "health.0: labels of chm_fan_up must be: fan"),
            (
                ENTRY % ("chm_uptime_seconds", "value: a, where: {c: 1}"),
                "'c' is neither a metric of the module nor a label of a",
            ),
        ],
        ids=str,
    )
    def test_mistakes(self, tmp_path: Path, content: str, problem: str) -> None:
        """A mistake is one line with the file, the field and what is wrong."""
        path = tmp_path / "own.yml"
        path.write_text(MODULE % content)
        with pytest.raises(ConfigError) as caught:
            loader.load([str(path)])
        assert problem in str(caught.value)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


PROFILE = "modules: {own: {walk: [1.3.6]}}\nprofiles: {acme: {%s}}"


class TestOwnProfiles:
    """An operator adds a vendor in a file of their own."""

    def load(self, folder: Path, content: str) -> Configuration:
        """Return what the product makes of a file."""
        path = folder / "own.yml"
        path.write_text(content)
        return loader.load([str(path)])

    def test_new_vendor(self, tmp_path: Path, configuration: Configuration) -> None:
        """A profile of the operator's stands beside those of the product, with its own modules."""
        match = "vendor: Acme, match: {sys_object_id: 1.3.6.1.4.1.99999}, modules: [if_mib, own]"
        loaded = self.load(tmp_path, PROFILE % match)
        assert identify.profile(loaded.profiles, "1.3.6.1.4.1.99999.1", "") == "acme"
        assert loaded.profiles["acme"].modules == ("if_mib", "own")
        assert set(loaded.profiles) == {*configuration.profiles, "acme"}

    def test_extends(self, tmp_path: Path, configuration: Configuration) -> None:
        """It takes over what it extends, and says where it comes from."""
        generic = configuration.profiles["generic"]
        info = "info: {serial: {oid: sysDescr, regex: 'SN (.*)'}}"
        loaded = self.load(tmp_path, PROFILE % f"extends: generic, modules: [own], {info}")
        acme = loaded.profiles["acme"]
        assert acme.modules == (*generic.modules, "own")
        assert acme.extends == "generic"
        assert acme.info.serial[1:] == generic.info.serial
        assert acme.info.model == generic.info.model

    def test_replaces(self, tmp_path: Path) -> None:
        """A profile of the same name takes the place of the product's, also for its heirs."""
        content = "profiles: {generic: {modules: [if_mib]}, heir: {extends: generic}}"
        loaded = self.load(tmp_path, content)
        assert loaded.profiles["generic"].modules == ("if_mib",)
        assert loaded.profiles["heir"].modules == ("if_mib",)

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ("modules: [gone]", "profiles.acme.modules: unknown module 'gone'"),
            ("extends: gone", "profiles.acme.extends: cannot be 'gone'"),
            ("extends: acme", "profiles.acme.extends: cannot be 'acme'"),
            ("match: {sys_object_id: x}", "profiles.acme.match.0.sys_object_id: 'x' is not"),
            (
                "match: {sys_object_id: 1.3.6.1.4.1.2636}",
                "profiles.acme.match: is that of the profile 'juniper_junos', too",
            ),
            ("info: {model: {oid: sysName}}", "profiles.acme.info.model.0.oid: 'sysName' is"),
            (
                "info: {model: {oid: sysDescr, regex: a.b}}",
                "profiles.acme.info.model.0.regex: 'a.b' has no group",
            ),
            ("colour: red", "profiles.acme.colour"),
        ],
        ids=str,
    )
    def test_mistakes(self, tmp_path: Path, content: str, problem: str) -> None:
        """A mistake in a profile is one line with the file, the field and what is wrong."""
        with pytest.raises(ConfigError) as caught:
            self.load(tmp_path, PROFILE % content)
        assert problem in str(caught.value)
        assert str(caught.value).startswith(f"{tmp_path}/own.yml: ")
        assert "\n" not in str(caught.value)

    def test_all_shipped(self, configuration: Configuration) -> None:
        """Every shipped profile can be recognised or extended, and names what it asks."""
        bases = {profile.extends for profile in configuration.profiles.values()}
        for name, profile in configuration.profiles.items():
            assert profile.match or name in bases | {"generic"}, name
            assert profile.modules, name


class TestIdentify:
    @pytest.mark.parametrize(
        ("sys_object_id", "sys_descr", "name"),
        [
            ("1.3.6.1.4.1.9.1.1208", "Cisco IOS Software, C2960X", "cisco_ios"),
            ("1.3.6.1.4.1.9.1.2093", "ISR Software (X86_64_LINUX_IOSD-UNI", "cisco_ios_xe"),
            ("1.3.6.1.4.1.2636.1.1.1.4.82.5", "", "juniper_junos"),
            ("1.3.6.1.4.1.30065.1.3011", "", "arista_eos"),
            ("1.3.6.1.4.1.11.2.3.7.11.160", "", "hp_procurve"),
            ("1.3.6.1.4.1.8072.3.2.10", "", "net_snmp"),
            ("1.3.6.1.4.1.99999.1", "", "generic"),
            ("1.3.6.1.4.1.90", "", "generic"),
            ("", "", "generic"),
        ],
    )
    def test_profile(
        self, configuration: Configuration, sys_object_id: str, sys_descr: str, name: str
    ) -> None:
        """The longest prefix of sysObjectID decides, by whole numbers; sysDescr breaks ties."""
        assert identify.profile(configuration.profiles, sys_object_id, sys_descr) == name

    def test_longest_prefix(self) -> None:
        """A longer prefix wins over a shorter one that asks for more."""
        raw = {
            "vendor": {"match": {"sys_object_id": "1.3.6.1.4.1.9", "sys_descr": "x"}},
            "family": {"match": {"sys_object_id": "1.3.6.1.4.1.9.12"}},
        }
        profiles = TypeAdapter(dict[str, Profile]).validate_python(raw)
        assert identify.profile(profiles, "1.3.6.1.4.1.9.12.3", "x") == "family"

    def test_chassis(self) -> None:
        """A fact that stands at no fixed OID is looked for in the row of the first chassis."""
        column = "1.3.6.1.2.1.47.1.1.1.1"
        info = {"serial": [{"oid": f"{column}.11.1"}, {"oid": f"{column}.11", "chassis": True}]}
        entry = TypeAdapter(Profile).validate_python({"info": info})
        assert identify.oids(entry) == [f"{column}.11.1"]
        assert not identify.silent(entry, {f"{column}.11.1": b"FOC1"})

        classes: Answers = {f"{column}.5.10": 11, f"{column}.5.149": 3, f"{column}.5.1001": 3}
        assert identify.silent(entry, {})
        assert identify.of_chassis(entry, classes) == [f"{column}.11.149"]
        assert identify.of_chassis(entry, {f"{column}.5.10": 9}) == []
        answers = {**classes, f"{column}.11.149": b"SSI1"}
        assert identify.facts(entry, answers)["serial"] == "SSI1"

    def test_uptime(self) -> None:
        """The uptime is right 497 days, too, where the engine's clock agrees."""
        wrapped = {identify.SYS_UPTIME: 500, identify.ENGINE_TIME: 42_949_678}
        assert identify.uptime(wrapped) == 42_949_678
        assert identify.uptime({**wrapped, identify.ENGINE_TIME: 99_000_000}) == 5
        assert identify.uptime({}) is None
