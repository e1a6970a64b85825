"""The methods page: each method with its formula, its assumptions, where it is used, and what shows it right."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from ruamel.yaml import YAML

from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.site.coverage import coverage_rows, further_reports
from pasimeta.site.formulas import markdown_with_formulas
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import TEMPLATES, fill, markdown

CONTENT = Path(__file__).parent / "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A work that a method is from: as it is cited, its DOI, and what of it could not be confirmed."""

    text: str
    doi: str = ""
    unsure: str = ""

    @property
    def address(self) -> str:
        """Where the DOI leads to; empty without one."""
        return f"https://doi.org/{quote(self.doi, safe='/()')}" if self.doi else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method the product uses.

    Attributes
    ----------
    id, title : str
        Anchor and heading.
    module : str
        Where it is, under ``src/pasimeta``.
    text, evidence : Markup
        Formulas and assumptions; what shows that it is right.
    notebooks : tuple of (href, title)
        Pages of the notebooks that use it; without href where a notebook hasn't been run.
    coverage : tuple of str
        What the simulations found, in words.
    reports : tuple of (href, title)
        Pages of the benchmarks of its topic.
    references : tuple of Reference
    """

    id: str
    title: str
    module: str
    text: Markup
    evidence: Markup
    notebooks: tuple[tuple[str, str], ...]
    coverage: tuple[str, ...]
    reports: tuple[tuple[str, str], ...]
    references: tuple[Reference, ...]


def methods_pages(context: Context) -> list[Page]:
    """Return the methods page."""
    href, title = "methods.html", "Methods and formulas"
    source = _source_hash(context)
    body = context.earlier_body(href, source) or fill("methods.html.j2", title=title, methods=methods(context))
    return [Page(href=href, title=title, short="Methods", group="About", body=body, source=source)]


def methods(context: Context) -> list[Method]:
    """Return every method, in the order of the analysis."""
    intervals, predictions = coverage_rows(context.project)
    return [_method(entry, context, intervals, predictions) for entry in _content("methods.yaml")]


def method_texts() -> dict[str, tuple[str, str]]:
    """Return each method's title and text, Markdown with Typst's formulas, by id."""
    return {entry["id"]: (entry["title"], entry["text"]) for entry in _content("methods.yaml")}


def _method(entry: dict[str, Any], context: Context, intervals: dict[str, str], predictions: dict[str, str]) -> Method:
    cited = _content("references.yaml")
    found = [f"{name}: {intervals[name]}" for name in entry["coverage"] if name in intervals]
    found += [f"{name}: {predictions[name]}" for name in entry.get("predictions", ()) if name in predictions]
    return Method(
        id=entry["id"],
        title=entry["title"],
        module=entry["module"],
        text=markdown_with_formulas(entry["text"]),
        evidence=markdown(entry["evidence"]),
        notebooks=tuple(_notebook(name, context) for name in entry["notebooks"]),
        coverage=tuple(found),
        reports=tuple(link for name, link in further_reports(context.project).items() if entry.get(name)),
        references=tuple(Reference(**cited[key]) for key in entry["references"]),
    )


def _notebook(name: str, context: Context) -> tuple[str, str]:
    (title,) = [notebook.title for notebook in NOTEBOOKS if notebook.name == name]
    executed = (context.results / "notebooks" / f"{name}.ipynb").is_file()
    return (f"{name}.html" if executed else "", title)


@cache
def _content(name: str) -> Any:
    return YAML(typ="safe").load((CONTENT / name).read_text(encoding="utf-8"))


def _source_hash(context: Context) -> str:
    parts = [
        *sorted(CONTENT.glob("*.yaml")),
        *sorted(Path(__file__).parent.glob("*.py")),
        TEMPLATES / "methods.html.j2",
    ]
    digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts))
    shown = (coverage_rows(context.project), further_reports(context.project))
    digest.update(repr((*shown, version("typst"), version("mistune"))).encode())
    digest.update(repr([_notebook(notebook.name, context) for notebook in NOTEBOOKS]).encode())
    return digest.hexdigest()
