import pytest

from tests.fidelity import comparison, exceptions
from tests.fidelity.expectation import Expected
from tests.fidelity.observation import Told

SWITCH_CPU = Expected("cpu", "cpu", "Processor", "1.3.6.1.4.1.9.1", 42)
TOLD = Told("chm_cpu_utilization_ratio", (("cpu", "1"),), 0.42, ("1.3.6.1.4.1.9.1",))


def verdict(expected: Expected, *told: Told) -> str:
    (result,) = comparison.compare("r", [expected], told, ()).results
    return result.verdict


class TestComparison:
    """The comparison tells what is there from what is not, and from what is wrong."""

    def test_value_at_its_oid_is_present(self) -> None:
        """A sample of the same OID and value counts, rounding aside."""
        assert verdict(SWITCH_CPU, TOLD) == "present"

    def test_value_that_differs_is_contradicted(self) -> None:
        """A sample of the same OID with another value is worse than none."""
        wrong = Told(TOLD.family, TOLD.labels, 0.24, TOLD.oids)

        assert verdict(SWITCH_CPU, wrong) == "contradicted"

    def test_value_without_a_sample_is_missing(self) -> None:
        """A sample of another OID says nothing about it, however equal."""
        other = Told(TOLD.family, TOLD.labels, TOLD.value, ("1.3.6.1.4.1.9.2",))

        assert verdict(SWITCH_CPU, other) == "missing"

    @pytest.mark.parametrize(
        ("family", "value", "severity", "expected"),
        [
            ("chm_fan_up", 1, "ok", "present"),
            ("chm_fan_up", 0, "ok", "contradicted"),
            ("chm_fan_up", 0, "critical", "present"),
            ("chm_fan_up", 1, "critical", "contradicted"),
            ("chm_alarm_active", 1, "critical", "present"),
            ("chm_alarm_active", 1, "ok", "contradicted"),
        ],
    )
    def test_state_agrees_with_its_severity(
        self, family: str, value: float, severity: str, expected: str
    ) -> None:
        """What is critical to one is down, or an alarm, to the other."""
        state = Expected("state", "state", "Fan 1", "1.3.6.1", 5, severity)

        assert verdict(state, Told(family, (), value, ("1.3.6.1",))) == expected

    def test_memory_of_the_same_name_must_agree(self) -> None:
        """A pool of another size under the same name is wrong, not missing."""
        memory = Expected("memory", "system", "RAM", "", 50, used=500, total=1000)
        pool = (("pool", "RAM"),)
        told = (
            Told("chm_memory_used_bytes", pool, 100, ()),
            Told("chm_memory_size_bytes", pool, 1000, ()),
        )

        assert verdict(memory, *told) == "contradicted"
        assert verdict(memory) == "missing"

    def test_every_exception_has_a_reason(self) -> None:
        """Nothing is left out without a word why."""
        assert all(entry.reason for entry in exceptions.load())
