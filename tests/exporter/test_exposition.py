import math

from exporter import exposition
from exporter.metrics import Family


def text(*families: Family) -> str:
    return exposition.render(families).body.decode()


class TestRender:
    def test_format(self) -> None:
        """A family is HELP, TYPE and its samples, labels in the order of their names."""
        family = Family("ifHCInOctets", "counter", "Octets.\nAll \\ of them")
        family.add(7, {"ifName": "Gi1", "ifAlias": 'to "core"\\\n'})

        assert text(family) == (
            "# HELP ifHCInOctets Octets.\\nAll \\\\ of them\n"
            "# TYPE ifHCInOctets counter\n"
            'ifHCInOctets{ifAlias="to \\"core\\"\\\\\\n",ifName="Gi1"} 7\n'
        )

    def test_numbers(self) -> None:
        """Numbers are exact, and special values are spelled as Prometheus reads them."""
        family = Family("x", "gauge", "")
        for number in (2**53 - 1, 0.1, math.inf, -math.inf, math.nan):
            family.add(number, {"n": str(number)})

        values = [line.rsplit(" ", 1)[1] for line in text(family).splitlines()[2:]]
        assert values == ["9007199254740991", "0.1", "+Inf", "-Inf", "NaN"]

    def test_device_text(self) -> None:
        """Whatever a device calls its things, a sample is one line; what is no text becomes `?`."""
        names = ("100 % up", "%d %b %%", "a\nb", "\u00e9\u20ac", "\ud800")
        whole, mixed = Family("x", "gauge", "50 %"), Family("y", "gauge", "50 %")
        for number, name in enumerate(names):
            whole.add(number, {"n": name})
            mixed.add(number + 0.5 if number else number, {"n": name})

        shown = ("100 % up", "%d %b %%", r"a\nb", "\u00e9\u20ac", "?")
        assert text(whole).splitlines()[2:] == [
            f'x{{n="{name}"}} {number}' for number, name in enumerate(shown)
        ]
        assert text(mixed).splitlines() == [
            "# HELP y 50 %",
            "# TYPE y gauge",
            'y{n="100 % up"} 0',
            *(f'y{{n="{name}"}} {number + 0.5}' for number, name in enumerate(shown) if number),
        ]

    def test_one_group_per_name(self) -> None:
        """Two modules with the same metric make one group, as the parser demands."""
        first, other, second = (Family(name, "gauge", "h") for name in ("a", "b", "a"))
        first.add(1, {"x": "1"})
        other.add(2)
        second.add(3, {"x": "2"})

        samples = [line for line in text(first, other, second).splitlines() if line[0] != "#"]
        assert samples == ['a{x="1"} 1', 'a{x="2"} 3', "b 2"]

    def test_duplicates(self) -> None:
        """A series that is there already is left out and counted; it fails nothing."""
        family = Family("a", "gauge", "h")
        for number in (1, 2, 3):
            family.add(number, {"x": "1"})

        page = exposition.render([family])
        assert page.duplicates == 2
        assert page.body.endswith(b'a{x="1"} 1\n')

    def test_nothing(self) -> None:
        """A family without samples leaves no trace."""
        assert text(Family("a", "gauge", "h")) == ""
