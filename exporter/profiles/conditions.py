"""Which rows pass the conditions of `health` entries."""

from collections.abc import Iterable, Mapping

from exporter.profiles.reader import Reader, listed


class Conditions:
    """The conditions of a module; many entries share them, so each is looked up once for all."""

    def __init__(self) -> None:
        self._said: dict[tuple[int, str], dict[str, str]] = {}
        self._verdicts: dict[tuple[str, ...], dict[str, bool]] = {}

    def taken(self, reader: Reader, indexes: Iterable[str]) -> list[str]:
        """Return the rows that the reader's entry is about; the reader is moved along."""
        return self._passing(reader, indexes, reader.entry.where, there=True)

    def kept(self, reader: Reader, indexes: Iterable[str]) -> list[str]:
        """Return the rows that the reader's entry does not leave; the reader is moved along."""
        return self._passing(reader, indexes, reader.entry.without, there=False)

    def _passing(
        self,
        reader: Reader,
        indexes: Iterable[str],
        conditions: Mapping[str, tuple[str, ...]],
        *,
        there: bool,
    ) -> list[str]:
        passing = list(indexes)
        for name, texts in conditions.items():
            said = self._texts(reader, name, passing)
            verdicts = self._listed(texts, said.values())
            passing = [index for index in passing if verdicts[said[index]] is there]
        return passing

    def _texts(self, reader: Reader, name: str, indexes: Iterable[str]) -> dict[str, str]:
        """Return what rows say, by index."""
        said = self._said.setdefault((reader.group, name), {})
        for reader.index in [index for index in indexes if index not in said]:
            said[reader.index] = reader.text(name)
        return said

    def _listed(self, texts: tuple[str, ...], said: Iterable[str]) -> dict[str, bool]:
        """Return of all that rows say whether it is one of these texts."""
        verdicts = self._verdicts.setdefault(texts, {})
        for text in set(said) - verdicts.keys():
            verdicts[text] = listed(text, texts)
        return verdicts
