"""The dashboard's HTML: its layout, and the regions that an answer fills. Every text is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pasimeta.app import words
from pasimeta.app.answer import EVIDENCE, Answer, Refusal, analysed_tables, only
from pasimeta.app.basis import Basis
from pasimeta.app.controls import CONTROLS, GROUPS
from pasimeta.app.pictures import pictures
from pasimeta.app.place import Place
from pasimeta.app.state import State, what_if_text
from pasimeta.evidence.what_if import silent_studies
from pasimeta.report.linked import Origins, linked, origins
from pasimeta.report.rests_on import rests_on_html
from pasimeta.site.figures import one_stop_a_row
from pasimeta.synthesis.thresholds import ThresholdCurve

FOLDER = Path(__file__).parent
_KEPT = 64
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


def layout(basis: Basis, *, report: bool = False) -> str:
    """Return the page without an answer: controls and empty regions; ``report`` if the site is beside it."""
    groups = {group: [control for control in CONTROLS if control.group == group] for group in GROUPS}
    return (
        _templates()
        .get_template("layout.html.j2")
        .render(groups=groups, silent=silent_studies(basis.evidence), report=report)
    )


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
        "sentence": html(led(words.main_sentences(answer), origins_of(basis, answer))),
        "compared": str(macros.compared(state.threshold, now, usual, words.changes(state, start))),
        "place": place_region(answer, place),
        "links": str(macros.links(state.to_query())),
        "entries": str(macros.entries(entries)),
    }


def drawn_regions(
    basis: Basis, answer: Answer, others: Mapping[str, ThresholdCurve], *, narrow: bool = False
) -> dict[str, str]:
    """Return the HTML of the regions with figures, by name; ``narrow`` ones can be read on a phone."""
    known = origins_of(basis, answer)
    texts = {
        "forest": [],
        "curve": [words.refusal_text(answer.curve.message)] if isinstance(answer.curve, Refusal) else [],
        "dose": led(words.dose_words(answer), known),
        "sex": led(words.sex_words(answer), known),
    }
    behind = {
        "forest": answer.pool.counts,
        "curve": answer.curve_rates,
        "dose": answer.dose.studies,
        "sex": answer.sex_counts,
    }
    found = {}
    for name, drawn in pictures(basis, answer, others, narrow=narrow).items():
        refused = [words.refusal_text(drawn.message)] if isinstance(drawn, Refusal) else []
        svg = Markup("") if isinstance(drawn, Refusal) else Markup(one_stop_a_row(drawn))
        line = Markup(rests_on_html(behind[name])) if svg else ""
        found[name] = str(_macros().panel(svg, _NAMES[name], line, html([*refused, *texts[name]])))
    return found


def place_region(answer: Answer, place: Place | None) -> str:
    """Return the HTML of the place in the multiverse."""
    return html([words.place_sentence(answer, place)])


def origins_of(basis: Basis, answer: Answer) -> Origins:
    """Return where the counts and names of an answer come from; what is supposed comes from nowhere."""
    return _origins(basis, only(answer.state, EVIDENCE))


@lru_cache(maxsize=_KEPT)
def _origins(basis: Basis, state: State) -> Origins:
    analysed = analysed_tables(basis, state)
    return origins(analysed.characteristics, analysed.responses)


def led(paragraphs: Sequence[str], known: Origins) -> list[str]:
    """Return Markdown whose counts and names lead to the site's entries."""
    return [linked(paragraph, None, known) for paragraph in paragraphs]


def alert(message: str) -> str:
    """Return the HTML of a refusal, in one line."""
    return str(_macros().alert(" ".join(message.split())))


def html(paragraphs: list[str]) -> Markup:
    """Return Markdown paragraphs as HTML."""
    from pasimeta.site.shell import markdown

    return markdown("\n\n".join(paragraph for paragraph in paragraphs if paragraph))
