"""Documents in XML (JATS, PubMed) and HTML as lines of text that still know where they stood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.parsers import expat

from pasimeta.errors import EvidenceError
from pasimeta.evidence.readers.source import Source, Text, normalised
from pasimeta.evidence.readers.tokens import word_set

_BLOCKS = word_set(
    "article-title trans-title p title sec abstract abstracttext label td th tr caption list-item article-id pub-id "
    "journal-title articletitle articleid accessionnumber pmid ext-link div li h1 h2 h3 h4 h5 h6 dt dd table section "
    "ul ol body head title-group year volume issue fpage surname copyright-statement name contrib aff pub-date subject "
    "kwd br"
)
_SKIPPED = word_set(
    "ref-list back contrib-group aff permissions history pub-date kwd-group self-uri script style noscript journal-meta"
)
_TITLES = frozenset(("article-title", "articletitle"))
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})[^<>]{0,5000}>|<!--")
_XML_START = re.compile(
    r"\s*(?:<\?xml\b|<!DOCTYPE\s+(?!html)|<(?:article|pmc-articleset|PubmedArticle|pubmedarticleset|OAI-PMH)\b)", re.I
)
_HTML_START = re.compile(r"\s*<(?:!doctype html|html|head|body|div|table|p|h1)\b", re.IGNORECASE)
_DEEPEST = 500


@dataclass(frozen=True, slots=True)
class Article:
    """The readable lines of a marked-up document."""

    lines: list[Text]
    title: str | None


def is_xml(text: str) -> bool:
    """Whether a document begins as XML."""
    return _XML_START.match(text) is not None


def is_html(text: str) -> bool:
    """Whether a document begins as HTML."""
    return _HTML_START.match(text) is not None


def xml_article(source: Source) -> Article:
    """Return the lines of an article in XML; references, affiliations and the like are left out.

    Raises
    ------
    EvidenceError
        The XML is broken, or declares entities (which could make it explode).
    """
    reader = _XmlLines(source)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = False
    reader.parser = parser
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.EntityDeclHandler = reader.refuse_entity
    text = source.text.lstrip("\ufeff")
    reader.shift = len(source.text) - len(text)
    try:
        # the declared encoding no longer holds: the text is decoded already
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        raise EvidenceError(
            f"{source.name}: is broken XML at line {error.lineno}, column {error.offset}: "
            f"{expat.ErrorString(error.code)}; fetch it again"
        ) from None
    reader.finish_line()
    return Article([normalised(line) for line in reader.lines], reader.title)


class _XmlLines:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.parser: expat.XMLParserType
        self.lines: list[Text] = []
        self.title: str | None = None
        self.shift = 0
        self._chars: list[str] = []
        self._places: list[int] = []
        self._skipping = 0
        self._depth = 0
        self._in_title = False
        self._byte, self._char = 0, 0

    def refuse_entity(self, name: str, *_: object) -> None:
        raise EvidenceError(f"{self.source.name}: declares the XML entity '{name[:40]}', which isn't read; remove it")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise EvidenceError(f"{self.source.name}: nests more than {_DEEPEST} XML elements; this is no article")
        tag = name.rpartition(":")[2].casefold()
        if tag in _SKIPPED or self._skipping:
            self._skipping += 1
        if tag in _BLOCKS:
            self.finish_line()
        self._in_title = self._in_title or (tag in _TITLES and self.title is None)
        label = attributes.get("Label")
        if tag == "abstracttext" and label:
            self.lines.append(Text(label.title(), [self._offset()] * len(label)))

    def end(self, name: str) -> None:
        self._depth -= 1
        tag = name.rpartition(":")[2].casefold()
        if tag in _TITLES and self._in_title:
            self.title = " ".join("".join(self._chars).split()) or None
            self._in_title = False
        if tag in _BLOCKS:
            self.finish_line()
        if self._skipping:
            self._skipping -= 1

    def characters(self, data: str) -> None:
        if self._skipping:
            return
        start = self._offset()
        self._chars.append(data.replace("\n", " ").replace("\t", " "))
        one_piece = self.source.text[start : start + len(data)] == data
        self._places.extend(range(start, start + len(data)) if one_piece else [start] * len(data))

    def finish_line(self) -> None:
        chars = "".join(self._chars)
        if chars.strip():
            self.lines.append(Text(chars, self._places).strip())
        self._chars, self._places = [], []

    def _offset(self) -> int:
        """Return the place in the text of the parser's byte, walking on from the last one."""
        byte = self.parser.CurrentByteIndex
        text = self.source.text
        while self._byte < byte:
            code = ord(text[self.shift + self._char])
            self._byte += 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
            self._char += 1
        return self.shift + self._char


def html_lines(source: Source) -> Article:
    """Return the readable lines of a web page; scripts and styles are left out."""
    text = source.text
    lines: list[Text] = []
    chars: list[str] = []
    places: list[int] = []
    hidden: str | None = None
    done = 0

    def finish() -> None:
        joined = "".join(chars).replace("\n", " ").replace("\r", " ").replace("\t", " ")
        if joined.strip():
            lines.append(normalised(Text(joined, list(places)).strip()))
        chars.clear()
        places.clear()

    for match in _TAG.finditer(text):
        if match.start() < done:
            continue
        if hidden is None:
            chars.append(text[done : match.start()])
            places.extend(range(done, match.start()))
        done = match.end()
        if match[0] == "<!--":
            close = text.find("-->", done)
            done = len(text) if close < 0 else close + 3
            continue
        closing, tag = match[1], match[2].casefold()
        if tag in ("script", "style", "noscript"):
            hidden = None if closing and tag == hidden else (hidden or (None if closing else tag))
        if tag in _BLOCKS:
            finish()
    if hidden is None:
        chars.append(text[done:])
        places.extend(range(done, len(text)))
    finish()
    return Article(lines, None)
