"""The dashboard's HTML: its layout, and the regions that an answer fills. Every text is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pasimeta.app import words
from pasimeta.app.answer import Answer, Refusal
from pasimeta.app.basis import Basis
from pasimeta.app.controls import CONTROLS, GROUPS
from pasimeta.app.pictures import pictures
from pasimeta.app.place import Place
from pasimeta.app.state import State, what_if_text
from pasimeta.evidence.what_if import silent_studies
from pasimeta.synthesis.thresholds import ThresholdCurve

FOLDER = Path(__file__).parent
_NAMES = {"forest": "Forest plot", "curve": "Response curve", "dose": "Dose figure", "sex": "Figure of both sexes"}


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _macros() -> Any:
    return _templates().get_template("regions.html.j2").module


def layout(basis: Basis) -> str:
    """Return the page without an answer: controls and empty regions."""
    groups = {group: [control for control in CONTROLS if control.group == group] for group in GROUPS}
    return _templates().get_template("layout.html.j2").render(groups=groups, silent=silent_studies(basis.evidence))


def page_template() -> str:
    """Return the source of the document's own template, which Panel fills."""
    return (FOLDER / "templates" / "page.html.j2").read_text(encoding="utf-8")


def told_regions(basis: Basis, answer: Answer, place: Place | None) -> dict[str, str]:
    """Return the HTML of the regions that say the answer in words and numbers, by name."""
    state, start = answer.state, State.of(basis.parameters)
    labels = silent_studies(basis.evidence)
    entries = [(what_if_text(each), words.what_if_words(each, labels)) for each in state.what_if]
    now, usual = words.pool_row(answer.pool, state.level), words.pool_row(answer.usual, start.level)
    macros = _macros()
    return {
        "alert": "",
        "sentence": html(words.main_sentences(answer)),
        "compared": str(macros.compared(state.threshold, now, usual, words.changes(state, start))),
        "place": place_region(answer, place),
        "links": str(macros.links(state.to_query())),
        "entries": str(macros.entries(entries)),
    }


def drawn_regions(basis: Basis, answer: Answer, others: Mapping[str, ThresholdCurve]) -> dict[str, str]:
    """Return the HTML of the regions with figures, by name."""
    texts = {
        "forest": [],
        "curve": [words.refusal_text(answer.curve.message)] if isinstance(answer.curve, Refusal) else [],
        "dose": words.dose_words(answer),
        "sex": words.sex_words(answer),
    }
    found = {}
    for name, drawn in pictures(basis, answer, others).items():
        refused = [words.refusal_text(drawn.message)] if isinstance(drawn, Refusal) else []
        svg = Markup("") if isinstance(drawn, Refusal) else Markup(drawn)
        found[name] = str(_macros().panel(svg, _NAMES[name], html([*refused, *texts[name]])))
    return found


def place_region(answer: Answer, place: Place | None) -> str:
    """Return the HTML of the place in the multiverse."""
    return html([words.place_sentence(answer, place)])


def alert(message: str) -> str:
    """Return the HTML of a refusal, in one line."""
    return str(_macros().alert(" ".join(message.split())))


def html(paragraphs: list[str]) -> Markup:
    """Return Markdown paragraphs as HTML."""
    from pasimeta.site.shell import markdown

    return markdown("\n\n".join(paragraph for paragraph in paragraphs if paragraph))
