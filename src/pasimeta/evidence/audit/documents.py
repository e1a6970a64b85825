"""The stored documents: found by what they contain, whatever they are called."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pasimeta.errors import EvidenceError
from pasimeta.evidence.audit.printed import Passage
from pasimeta.evidence.context import Source
from pasimeta.evidence.readers import source as reading
from pasimeta.evidence.readers.decoding import decoded
from pasimeta.evidence.readers.source import Text

_LOCATOR = re.compile(
    r"(?P<unit>lines?|rows?)\s+(?P<list>\d+(?:\s*[-–]\s*\d+)?(?:\s*(?:,|and)\s*\d+(?:\s*[-–]\s*\d+)?)*)"
)
_LONGEST_RANGE = 500
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A document at hand: its text, as received and line by line in plain spelling."""

    path: Path
    source: reading.Source
    lines: list[Text]

    def passage(self, locator: str) -> Passage | None:
        """Return what a locator points at: ``line 3``, ``lines 3, 25-26``, or ``row 2`` of a table with a header line.

        Returns
        -------
        Passage or None
            None where the locator names no line or row.

        Raises
        ------
        EvidenceError
            If the document ends before the line.
        """
        match = _LOCATOR.match(locator)
        if match is None:
            return None
        wanted: list[int] = []
        for part in re.split(r",|and", match["list"]):
            first, _, last = (piece.strip() for piece in part.replace("–", "-").partition("-"))
            start, stop = int(first), int(last or first)
            if stop < start or stop - start > _LONGEST_RANGE:
                raise EvidenceError(f"'{locator}' is no range of lines; write the first and the last line")
            wanted += range(start, stop + 1)
        in_table = match["unit"].startswith("row")
        if in_table:
            wanted = [1, *(row + 1 for row in wanted)]
        if not 1 <= min(wanted) <= max(wanted) <= len(self.lines):
            raise EvidenceError(f"'{locator}' is not in the document, which has {len(self.lines)} lines")
        lines = [self.lines[line - 1] for line in wanted]
        # in a table a comma parts two cells; in prose it may group the thousands of one number
        cells = [Text(line.chars.replace(",", ";"), line.places) for line in lines]
        return Passage(self.source, cells if in_table else lines)


def stored_documents(folder: Path, sources: Mapping[str, Source]) -> dict[str, Stored]:
    """Return the sources' documents that a folder (or one below it) holds, by source id.

    Raises
    ------
    EvidenceError
        If there is no such folder.
    """
    by_digest = _files_by_digest(folder, {s.sha256 for s in sources.values() if s.sha256})
    opened: dict[Path, Stored] = {}
    found = {}
    for name, source in sources.items():
        path = by_digest.get(source.sha256 or "")
        if path is None:
            continue
        if path not in opened:
            text = reading.Source(decoded(path.read_bytes(), path.name), path.name)
            opened[path] = Stored(path, text, text.lines())
        found[name] = opened[path]
    return found


def changed_documents(folder: Path, sources: Mapping[str, Source], found: Mapping[str, Stored]) -> dict[str, Path]:
    """Return files that carry a stored document's name but not its content, by source id."""
    files = {path.name: path for path in _files(folder)}
    return {
        name: files[source.document]
        for name, source in sources.items()
        if name not in found and source.sha256 and source.document in files
    }


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise EvidenceError(f"{folder}: is not a folder; give the folder that holds the stored documents")
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _files_by_digest(folder: Path, wanted: set[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in _files(folder):
        digest = hashlib.sha256()
        try:
            with path.open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
        except OSError as error:
            raise EvidenceError(f"{path}: can't be read: {error.strerror}") from None
        if digest.hexdigest() in wanted:
            found.setdefault(digest.hexdigest(), path)
    return found
