"""How journals print a forest plot: the order and heads of its columns, the spelling of its numbers, its marks.

Each preset follows what the journal (or RevMan, Cochrane's program) asks of numbers and tables and what its forest
plots look like; the type stays the house's, for its widths are what the layout measures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pasimeta.errors import PasimetaError
from pasimeta.figures.formats import EN_DASH, HOUSE_NUMBERS, NO_BREAK_SPACE, Numbers, Scale
from pasimeta.figures.panel_types import HOUSE_MARKS, PLOT, MarkStyle
from pasimeta.figures.theme import BLACK

PresetName = Literal["house", "revman", "bmj", "jama", "lancet"]


@dataclass(frozen=True, slots=True)
class Preset:
    """The look of a forest plot.

    Attributes
    ----------
    columns : tuple of str
        Keys of the columns, left to right; those that no row fills are left out. ``count`` is events over patients,
        ``events`` and ``n`` are its two halves.
    headers : mapping of str to str
        Heads of the columns; ``estimate`` names the measure itself.
    numbers : Numbers
        Decimal point, interval, unit.
    marks : MarkStyle
        Colours, and what runs down the axis.
    unit_in_header : bool
        Whether percent signs stand at the head of a column rather than after each number.
    """

    columns: tuple[str, ...] = ("label", "count", "weight", PLOT, "estimate", "risk")
    headers: Mapping[str, str] = field(
        default_factory=lambda: {"label": "Study", "count": "n/N", "weight": "Weight", "risk": "Risk of bias"}
    )
    numbers: Numbers = HOUSE_NUMBERS
    marks: MarkStyle = HOUSE_MARKS
    unit_in_header: bool = False


PRESETS: Mapping[PresetName, Preset] = {
    "house": Preset(),
    "revman": Preset(
        columns=("label", "events", "n", "weight", "estimate", PLOT, "risk"),
        headers={
            "label": "Study or subgroup",
            "events": "Events",
            "n": "Total",
            "count": "Events/\ntotal",
            "weight": "Weight",
            "risk": "Risk of bias",
        },
        numbers=Numbers(to=", ", brackets=("[", "]"), percent="%"),
        marks=MarkStyle(study="#1F3FBF", pooled=BLACK, guides=False),
    ),
    "bmj": Preset(
        columns=("label", "count", PLOT, "weight", "estimate", "risk"),
        headers={
            "label": "Study",
            "count": "No of events/\ntotal",
            "weight": "Weight\n(%)",
            "risk": "Risk of bias",
        },
        numbers=Numbers(to=f"{NO_BREAK_SPACE}to{NO_BREAK_SPACE}", percent=""),
        marks=MarkStyle(study="#4B3F8F", pooled="#4B3F8F", guides=False, pooled_line=True),
        unit_in_header=True,
    ),
    "jama": Preset(
        columns=("label", "count", "estimate", PLOT, "weight", "risk"),
        headers={
            "label": "Source",
            "count": "No. of events/\ntotal No.",
            "weight": "Weight,\u00a0%",
            "risk": "Risk of bias",
        },
        numbers=Numbers(to="-", percent=""),
        marks=MarkStyle(study="#00008B", pooled="#00008B", guides=False, pooled_line=True),
        unit_in_header=True,
    ),
    "lancet": Preset(
        columns=("label", "count", PLOT, "estimate", "weight", "risk"),
        headers={"label": "Study", "count": "n/N", "weight": "Weight\u00a0(%)", "risk": "Risk of bias"},
        numbers=Numbers(point="\u00b7", to=EN_DASH, percent="%"),
        marks=MarkStyle(study=BLACK, pooled="white", guides=False, pooled_line=True),
    ),
}

_MEASURES: Mapping[Scale, str] = {
    "percent": "Rate",
    "difference": "Difference",
    "ratio": "Ratio",
    "plain": "Estimate",
}


def preset_named(name: str) -> Preset:
    """Look a preset up.

    Raises
    ------
    PasimetaError
        If there is none of that name.
    """
    for known, preset in PRESETS.items():
        if known == name:
            return preset
    raise PasimetaError(f"figure preset {name!r} is not known; choose one of {', '.join(PRESETS)}")


def estimate_header(preset: Preset, measure: str | None, scale: Scale, level: float) -> str:
    """Head of the column of estimates: ``Rate (95 % CI)``, ``Rate [95% CI]``, ``Rate, % (95% CI)``."""
    words = measure or _MEASURES[scale]
    left, right = preset.numbers.brackets
    tie = NO_BREAK_SPACE if preset.numbers == HOUSE_NUMBERS else ""
    unit = ",\u00a0%" if preset.unit_in_header and scale == "percent" else ""
    return f"{words}{unit} {left}{100 * level:.6g}{tie}%{NO_BREAK_SPACE}CI{right}"


def weight_text(preset: Preset, weight: float) -> str:
    """A study's share of the pool as the preset prints it, ``70.8 %``."""
    bare = "%" in preset.headers.get("weight", "")
    return preset.numbers.decimal(f"{weight:.1f}") + ("" if bare else preset.numbers.percent)
