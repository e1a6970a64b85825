"""A page of the site, and what the functions that write pages are given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import pandas as pd
from markupsafe import Markup

from pasimeta.evidence.store import Evidence, load_evidence
from pasimeta.pipeline.fingerprint import evidence_hashes
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import RunRecord, read_record

# around a page's own content, so that it can be found again
BODY_START, BODY_END = "<!-- content -->\n", "\n<!-- end of content -->"

Group = Literal["Overview", "Results", "Evidence", "About"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page.

    Attributes
    ----------
    href : str
        File name, ``methods.html``; all pages stand in one folder.
    title : str
        Plain text, for the window, the menu's tooltip and search results.
    group : str
        Where the menu lists it.
    body : Markup
        The content of ``<main>``, with exactly one ``<h1>``.
    short : str
        Name in the menu; the title by default.
    parent : str
        ``href`` of the page that leads to this one. A page with a parent isn't in the menu: its parent is marked there.
    contents : bool
        Whether a table of contents is made from the page's ``<h2>``.
    scripts : tuple of str
        Files of ``assets/`` that only this page loads, in order.
    source : str
        Hash of what the body was made from, if making it takes long: kept in the page, so that the next run can take
        the body over (``Context.earlier_body``).
    """

    href: str
    title: str
    group: Group
    body: Markup
    short: str = ""
    parent: str = ""
    contents: bool = True
    scripts: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class Context:
    """What pages are written from.

    Attributes
    ----------
    project : Project
        The clone: data, configuration, ``CITATION.cff``.
    results : path
        A folder of results with ``notebooks/``, ``tables/``, ``figures/`` and ``run.json``.
    earlier : path or None
        The site of an earlier run, whose unchanged bodies may be taken over.
    """

    project: Project
    results: Path
    earlier: Path | None = None

    @cached_property
    def evidence(self) -> Evidence:
        """The data folder."""
        return load_evidence(self.project.data)

    @cached_property
    def data_hash(self) -> tuple[tuple[str, str], ...]:
        """The hash of every data file, by path."""
        return tuple(evidence_hashes(self.project.data).items())

    @cached_property
    def record(self) -> RunRecord:
        """The record of the run: parameters, versions, hashes; empty if there is none."""
        return read_record(self.results)

    def earlier_body(self, href: str, source: str) -> Markup | None:
        """Return the body of a page of the earlier site, if it was made from the same source."""
        path = self.earlier / href if self.earlier else None
        if path is None or not path.is_file():
            return None
        text = path.read_text(encoding="utf-8")
        if f'<meta name="pasimeta-source" content="{source}">' not in text:
            return None
        return Markup(text[text.index(BODY_START) + len(BODY_START) : text.rindex(BODY_END)])

    def table(self, name: str) -> pd.DataFrame | None:
        """Return ``results/tables/<name>.csv``; None if the notebook that writes it hasn't run."""
        path = self.results / "tables" / f"{name}.csv"
        return pd.read_csv(path) if path.is_file() else None

    @property
    def drawings(self) -> Path:
        """The folder of the figures."""
        return self.results / "figures"

    def figure(self, name: str) -> Markup | None:
        """Return ``results/figures/<name>.svg`` to stand in a page; None if it hasn't been drawn."""
        path = self.drawings / f"{name}.svg"
        if not path.is_file():
            return None
        text = path.read_text(encoding="utf-8")
        return Markup(text[text.index("<svg") :])
