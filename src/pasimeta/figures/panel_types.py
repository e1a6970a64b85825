"""What a panel is made of: lines of a table, what each draws on the axis, and the axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pasimeta.figures.formats import Scale
from pasimeta.figures.lights import Signal
from pasimeta.figures.theme import POOLED, STUDY

PLOT = "plot"
#: Columns that are drawn rather than set: the axis, and risk-of-bias lights.
RISK = "risk"
DRAWN = (PLOT, RISK)


@dataclass(frozen=True, slots=True)
class MarkStyle:
    """Colours of squares and diamonds, and whether faint lines at the ticks and one at the pool run down the axis."""

    study: str = STUDY
    pooled: str = POOLED
    guides: bool = True
    pooled_line: bool = False


HOUSE_MARKS = MarkStyle()


@dataclass(frozen=True, slots=True)
class ReferenceLine:
    """A vertical line for comparison; the label, if any, is explained below the figure.

    Attributes
    ----------
    value : float
        On the scale of the axis (a proportion on a percent axis).
    label : str
        What it stands for, with its number: ``methotrexate, 45.2 %``.
    """

    value: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What one line draws: ``study``, ``pooled`` or ``prediction``."""

    kind: Literal["study", "pooled", "prediction"]
    low: float
    high: float
    ci_lower: float
    ci_upper: float
    weight: float | None = None

    @property
    def is_range(self) -> bool:
        """Whether the estimate is only known between two ends."""
        return self.kind == "study" and self.high > self.low

    @property
    def values(self) -> tuple[float, float, float, float]:
        """Every number drawn."""
        return self.low, self.high, self.ci_lower, self.ci_upper


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: cells by column key, or text across the page (``heading``, ``note``).

    ``link`` is where its words and numbers lead to in an SVG; ``lights`` are drawn in the column :data:`RISK`.
    """

    kind: Literal["heading", "note", "study", "summary"]
    text: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    mark: Mark | None = None
    link: str = ""
    lights: tuple[Signal, ...] = ()

    @property
    def spans(self) -> bool:
        """Whether the text runs across all columns."""
        return self.kind in ("heading", "note")


@dataclass(frozen=True, slots=True)
class Axis:
    """The numeric axis under a panel; ``directions`` say what lies to its left and right."""

    scale: Scale
    limits: tuple[float, float]
    label: str
    references: tuple[ReferenceLine, ...] = ()
    directions: tuple[str, str] | None = None
    marks: MarkStyle = HOUSE_MARKS

    @property
    def log(self) -> bool:
        """Whether equal ratios are equal lengths."""
        return self.scale == "ratio"

    @property
    def null(self) -> float | None:
        """Where there is no effect."""
        return {"ratio": 1.0, "difference": 0.0}.get(self.scale)


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over one axis; ``headers`` replaces column headers by key."""

    lines: tuple[Line, ...]
    axis: Axis
    headers: Mapping[str, str] = field(default_factory=dict)
