"""From a file to drafts: what kind of document it is, who reads it, and whether it is about a trial at all."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from pasimeta.errors import EvidenceError
from pasimeta.evidence.readers.ctgov import is_record, read_record
from pasimeta.evidence.readers.decoding import decoded
from pasimeta.evidence.readers.json_records import JsonRecord, RecordSource, looks_like_json, records
from pasimeta.evidence.readers.markup import html_lines, is_html, is_xml, xml_article
from pasimeta.evidence.readers.result import Document, Extraction, Problem, StudyDraft
from pasimeta.evidence.readers.source import Source, Text, normalised
from pasimeta.evidence.readers.text_page import Reading, read_text

_LARGEST_TEXT = 2_000_000
_LARGE_FILE = 4_000_000
_CHUNK = 1 << 18
_TOPIC = re.compile(
    r"psoria|\bm?pasi\d{0,3}\b|stem[ -]cell|stromal|mesenchym|\b(?:uc|ad|bm|hu?c|hu?uc)?-?(?:u|uc|ad)?mscs?\b|\bsvf\b"
    r"|exosome|secretome|cells/kg",
    re.IGNORECASE,
)


def extract_file(path: Path | str) -> Extraction:
    """Read one document about one trial.

    Raises
    ------
    EvidenceError
        The file can't be read, or holds several trials (then use :func:`iter_extractions`).
    """
    return _only(iter_extractions(path), str(path))


def extract_bytes(data: bytes, name: str = "document") -> Extraction:
    """Read one document from its bytes; see :func:`extract_file`."""
    return _only(_from_bytes(data, name), name)


def extract_text(text: str, name: str = "document") -> Extraction:
    """Read one document from its text; see :func:`extract_file`."""
    if not text.strip():
        raise EvidenceError(f"{name}: is empty; give a file with text")
    return _only(_from_text(text, name, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()), name)


def iter_extractions(path: Path | str) -> Iterator[Extraction]:
    """Yield a draft for each trial in a file, one at a time, so that drafts of a page of records don't pile up.

    Raises
    ------
    EvidenceError
        The file can't be read; one line, with the remedy.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGE_FILE and _begins_as_json(path):
            yield from _streamed(path)
            return
        data = path.read_bytes()
    except FileNotFoundError:
        raise EvidenceError(f"{path}: does not exist; check the name") from None
    except IsADirectoryError:
        raise EvidenceError(f"{path}: is a folder; give the files in it") from None
    except OSError as error:
        raise EvidenceError(f"{path}: can't be read: {error.strerror}; check its rights") from None
    yield from _from_bytes(data, path.name)


def _begins_as_json(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(_CHUNK)
    return b"\x00" not in head and looks_like_json(head[:1000].decode("utf-8-sig", "replace"), "")


def _streamed(path: Path) -> Iterator[Extraction]:
    """Read a large file of records piece by piece, so that memory doesn't grow with it."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            digest.update(piece)
    with path.open(encoding="utf-8-sig", newline="") as text:
        try:
            for record in records(iter(lambda: text.read(_CHUNK), ""), path.name):
                yield _extraction(_read_json(record, path.name), path.name, digest.hexdigest(), record.raw)
        except UnicodeDecodeError:
            raise EvidenceError(f"{path.name}: is large and not UTF-8; save it as UTF-8") from None


def _only(found: Iterator[Extraction], name: str) -> Extraction:
    first = next(found, None)
    if first is None:
        raise EvidenceError(f"{name}: holds no record; give a record of a trial")
    if next(found, None) is not None:
        raise EvidenceError(f"{name}: holds several trials; read it with iter_extractions, or give one record")
    return first


def _from_bytes(data: bytes, name: str) -> Iterator[Extraction]:
    sha256 = hashlib.sha256(data).hexdigest()
    text = decoded(data, name)
    del data
    yield from _from_text(text, name, sha256)


def _from_text(text: str, name: str, sha256: str) -> Iterator[Extraction]:
    if looks_like_json(text, name):
        for record in records([text], name):
            yield _extraction(_read_json(record, name), name, sha256, record.raw)
        return
    if len(text) > _LARGEST_TEXT:
        raise EvidenceError(
            f"{name}: has {len(text) / 1e6:.0f} million characters; a document on one trial has fewer than "
            f"{_LARGEST_TEXT / 1e6:.0f} million: cut out the part about the trial"
        )
    source = Source(text, name)
    if is_xml(text):
        article = xml_article(source)
        reading = read_text(article.lines, source, report=True, title=article.title)
    elif is_html(text):
        reading = read_text(html_lines(source).lines, source)
    else:
        reading = read_text(source.lines(), source)
    yield _extraction(reading, name, sha256, text)


def _read_json(record: JsonRecord, name: str) -> Reading:
    if is_record(record.value):
        return read_record(record, name)
    source = RecordSource(record)
    lines: list[Text] = []
    for path, value in source.strings():
        key = re.sub(
            r"(?<=[a-z])(?=[A-Z])|_", " ", next((str(step) for step in path[::-1] if isinstance(step, str)), "")
        )
        lines.append(Text(key, [value.places[0]] * len(key) if len(value) else []))
        lines.append(normalised(value))
    return read_text(lines, source)


def _extraction(reading: Reading, name: str, sha256: str, text: str) -> Extraction:
    document = Document(name, sha256, reading.kind)
    reason = _irrelevance(reading, text)
    if reason is None:
        return Extraction(document, reading.study, reading.claims, reading.problems)
    return Extraction(document, StudyDraft(), (), (Problem("irrelevant", reason),))


def _irrelevance(reading: Reading, text: str) -> str | None:
    """Return why a document has nothing for this review, or None when it has."""
    study = reading.study
    about = f" ('{study.title[:80]}')" if study.title else ""
    if _TOPIC.search(text) is None:
        return f"the document{about} mentions neither psoriasis nor a cell product; nothing is drafted"
    facts = (study.registry_ids, study.phase, study.status, study.enrollment, study.outcomes, study.eligibility)
    if not (any(facts) or reading.claims or any(arm.dose is not None for arm in study.arms)):
        return f"the document{about} tells of no trial: no number, phase, status, patients, dose, outcome or result"
    return None


def as_json(extraction: Extraction) -> str:
    """Return an extraction as the JSON that ``pasimeta extract`` prints."""
    return json.dumps(extraction.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
