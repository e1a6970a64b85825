"""The citation page: how to cite the analysis, from CITATION.cff, and the studies it rests on."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from pasimeta.evidence.study import Citation, Study
from pasimeta.site.page import Context, Page
from pasimeta.site.pdf import FILE as REPORT
from pasimeta.site.shell import fill


@dataclass(frozen=True, slots=True)
class CitedStudy:
    """A study's reference: its label and page, the words, and where it can be read."""

    label: str
    href: str
    words: str
    url: str


def citation_pages(context: Context) -> list[Page]:
    """Return the page; none where the project has no ``CITATION.cff``."""
    path = context.project.root / "CITATION.cff"
    if not path.is_file():
        return []
    record = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    title = "How to cite"
    reported = [study for study in context.evidence.studies.values() if study.citation is not None]
    body = fill(
        "citation.html.j2",
        title=title,
        text=citation_text(record),
        bibtex=bibtex(record),
        report=REPORT if context.table("summary") is not None else None,
        message=record.get("message", ""),
        studies=[_cited(study, study.citation) for study in reported if study.citation is not None],
    )
    return [Page(href="citation.html", title=title, short="Cite", group="About", body=body)]


def citation_text(record: dict[str, Any]) -> str:
    """Return a ``CITATION.cff`` as a reference in words."""
    parts = [
        f"{_authors(record, ', ')}. {record['title']} [software], version {record['version']}. {_year(record)}",
        f"https://doi.org/{record['doi']}" if "doi" in record else record.get("repository-code", ""),
    ]
    return ". ".join(part for part in parts if part) + "."


def bibtex(record: dict[str, Any]) -> str:
    """Return a ``CITATION.cff`` as a BibTeX entry."""
    key = re.sub(r"[^a-z0-9]", "", str(record["title"]).split(":")[0].casefold())
    fields = {
        "author": f"{{{_authors(record, ' and ')}}}" if _is_group(record) else _authors(record, " and "),
        "title": f"{{{_escaped(record['title'])}}}",
        "version": str(record["version"]),
        "year": str(_year(record)),
        "doi": record.get("doi"),
        "url": record.get("repository-code"),
        "license": record.get("license"),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@software{{{key}{_year(record)},", *lines, "}"])


def _authors(record: dict[str, Any], join: str) -> str:
    names = [
        author.get("name") or ", ".join(filter(None, (author.get("family-names"), author.get("given-names"))))
        for author in record["authors"]
    ]
    return join.join(names)


def _is_group(record: dict[str, Any]) -> bool:
    # BibTeX would take the words of a group's name for first and last names
    return all("name" in author for author in record["authors"])


def _year(record: dict[str, Any]) -> int:
    released = record["date-released"]
    return released.year if isinstance(released, datetime.date) else int(str(released)[:4])


def _escaped(text: str) -> str:
    return re.sub(r"([&%$#_])", r"\\\1", text)


def _cited(study: Study, citation: Citation) -> CitedStudy:
    parts = [citation.authors.rstrip("."), citation.title, citation.journal, str(citation.year)]
    words = ". ".join(part.rstrip(".") for part in parts if part) + "."
    url = f"https://doi.org/{citation.doi}" if citation.doi else ""
    if not url and citation.pmid:
        url = f"https://pubmed.ncbi.nlm.nih.gov/{citation.pmid}/"
    return CitedStudy(study.label, f"study-{study.id}.html", words, url)
