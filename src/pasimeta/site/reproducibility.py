"""The reproducibility page: what a run was given, what it was made with, and the hash of everything it made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.sections import Parameters
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import fill

PARAMETERS_FILE = "parameters.json"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as the run had it."""

    name: str
    value: str
    meaning: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A notebook's results: title, page, and the path and SHA-256 of each file."""

    title: str
    href: str
    files: tuple[tuple[str, str], ...]


def reproducibility_pages(context: Context) -> list[Page]:
    """Return the page on how to make, verify and compare a run; none for results without a record."""
    if not context.record.notebooks:
        return []
    title = "Reproduce and verify"
    body = fill(
        "reproducibility.html.j2",
        title=title,
        sections=parameters(context.record.parameters),
        environment=list(_flat(context.record.environment)),
        made=made(context),
        parameters_file=PARAMETERS_FILE if (context.results / PARAMETERS_FILE).is_file() else None,
    )
    return [Page(href="reproducibility.html", title=title, short="Reproduce", group="About", body=body)]


def write_parameters(context: Context, pages: Sequence[Page], folder: Path) -> None:
    """Copy the run's parameters, which ``pasimeta run --config`` takes, beside the pages."""
    if (context.results / PARAMETERS_FILE).is_file():
        shutil.copyfile(context.results / PARAMETERS_FILE, folder / PARAMETERS_FILE)


def parameters(given: dict[str, Any]) -> list[tuple[str, list[Parameter]]]:
    """Return every parameter by section, with its meaning and whether it is the default."""
    defaults = Parameters()
    titles = {notebook.section: notebook.title for notebook in NOTEBOOKS}
    sections = []
    for section, values in given.items():
        known = getattr(defaults, section, None)
        fields = type(known).model_fields if known is not None else {}
        rows = [
            Parameter(
                name=name,
                value=_shown(value),
                meaning=(fields[name].description or "") if name in fields else "",
                is_default=known is not None and known.model_dump().get(name) == value,
            )
            for name, value in values.items()
        ]
        if rows:
            heading = titles.get(section, "All notebooks" if section == "common" else section)
            sections.append((f"{heading} ({section})", rows))
    return sections


def made(context: Context) -> list[Made]:
    """Return what each notebook of the run made, in order of the notebooks."""
    return [
        Made(
            notebook.title,
            f"{notebook.name}.html",
            tuple(sorted(context.record.notebooks[notebook.name].outputs.items())),
        )
        for notebook in NOTEBOOKS
        if notebook.name in context.record.notebooks
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value != "" else "empty"


def _flat(environment: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environment.items():
        if isinstance(value, dict):
            yield from _flat(value)
        else:
            yield name, str(value)
