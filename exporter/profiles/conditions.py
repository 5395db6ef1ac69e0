"""Which rows pass the conditions of `health` entries."""

from collections.abc import Iterable

from exporter.profiles.reader import Reader, listed


class Conditions:
    """The conditions of a module; many entries share them, so each is looked up once for all."""

    def __init__(self) -> None:
        self._said: dict[tuple[int, str], dict[str, str]] = {}
        self._verdicts: dict[tuple[str, ...], dict[str, bool]] = {}

    def passing(self, reader: Reader, indexes: Iterable[str]) -> Iterable[str]:
        """Return the rows that pass those of the reader's entry; the reader is moved along."""
        for conditions, there in ((reader.entry.where, True), (reader.entry.without, False)):
            for name, texts in conditions.items():
                said = self._texts(reader, name, indexes)
                verdicts = self._listed(texts, said.values())
                indexes = [index for index in indexes if verdicts[said[index]] is there]
        return indexes

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
