import pytest

from exporter import patterns


class TestPatterns:
    def test_linear(self) -> None:
        """A pattern that would never come to an end elsewhere says that it does not fit."""
        assert patterns.fullmatch(r"(a|aa|a+)+", "a" * 50_000 + "b") is None
        assert patterns.search(r"(x+x+)+y", "x" * 50_000) is None

    def test_groups(self) -> None:
        """Groups are read by number and by name; one that took no part is None."""
        found = patterns.search(r"V(?P<major>\d+)(\.\d+)?", "Switch V15")
        assert found is not None
        assert (found[0], found[1], found["major"], found[2]) == ("V15", "15", "15", None)
        with pytest.raises(IndexError):
            found[3]
        with pytest.raises(IndexError):
            found["minor"]

    def test_as_in_go(self) -> None:
        """Digits are those of ASCII, `$` is the very end, and classes of Unicode are known."""
        assert patterns.search(r"\d", "٣") is None
        assert patterns.search(r"up$", "up\n") is None
        assert patterns.fullmatch(r"\pL+", "ÄÖ") is not None

    def test_any_text(self) -> None:
        """What a device calls itself is a text, even where UTF-8 cannot carry it."""
        found = patterns.search("o(.)r", "co\udc80re")
        assert found is not None
        assert found[1] == "?"
        assert patterns.without("[^a-z]", "a\udc80b\0c") == "abc"

    @pytest.mark.parametrize(
        ("pattern", "problem"),
        [("(", "missing \\)"), (r"(a)\1", "invalid escape"), ("(?=a)", "invalid perl operator")],
    )
    def test_mistakes(self, capfd: pytest.CaptureFixture[str], pattern: str, problem: str) -> None:
        """What is no pattern of RE2 is said, once and by us."""
        with pytest.raises(ValueError, match=problem):
            patterns.compiled(pattern)
        assert capfd.readouterr().err == ""
