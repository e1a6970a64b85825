"""From bytes to text, or a line that says why not."""

from __future__ import annotations

import codecs
import re

from pasimeta.errors import EvidenceError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FORMATS = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive or an Office document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"{\\rtf", "a rich text file"),
)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_CONTROL = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26, 27}) + b"\x7f"
_LOOKED_AT = 1 << 20


def decoded(data: bytes, name: str) -> str:
    """Return the document as text.

    UTF-8 and UTF-16 by their byte order mark, UTF-8 without one, then GB18030 or Windows-1252, whichever its bytes
    look like.

    Raises
    ------
    EvidenceError
        The file is empty, binary or in no encoding that is read.
    """
    if not data.strip():
        raise EvidenceError(f"{name}: is empty; give a file with text")
    for magic, what in _FORMATS:
        if data.startswith(magic):
            raise EvidenceError(f"{name}: is {what}; export its text and give that")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _as(data, encoding, name)
    sample = data[:_LOOKED_AT]
    if b"\x00" in sample or len(sample) - len(sample.translate(None, _CONTROL)) > len(sample) // 200:
        raise EvidenceError(f"{name}: is binary, not text; export its text as UTF-8 and give that")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy(data, name)


def _as(data: bytes, encoding: str, name: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise EvidenceError(
            f"{name}: begins as {encoding.removesuffix('-sig').upper()} but breaks it at byte {error.start}; "
            "save it as UTF-8"
        ) from None
    if not text.strip():
        raise EvidenceError(f"{name}: is empty; give a file with text")
    return text


def _legacy(data: bytes, name: str) -> str:
    # in GB18030 high bytes come in pairs; in Windows-1252 prose they stand alone between letters
    runs = [len(run) for run in _HIGH_RUN.findall(data[:_LOOKED_AT])]
    paired = sum(1 for length in runs if length % 2 == 0)
    order = ["gb18030", "cp1252"] if 2 * paired > len(runs) else ["cp1252", "gb18030"]
    for encoding in order:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise EvidenceError(f"{name}: is in no encoding that is read (UTF-8, UTF-16, GB18030, Windows-1252); save as UTF-8")
