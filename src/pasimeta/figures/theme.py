"""One look for every figure: palette, type sizes, line widths, and settings that make files repeat byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

# Okabe & Ito (2008), "Color universal design": told apart by deuteranopes and protanopes.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"

INK = "#1A1A1A"
QUIET = "#595959"  # 7:1 on white: the palest grey that small text may have
RULE = "#BFBFBF"

STUDY = BLUE
POOLED = VERMILLION
PREDICTION = INK
CONTEXT = QUIET
SERIES_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
# Shape says the same as colour, so that a black-and-white print loses nothing.
SERIES_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

FONT = "DejaVu Sans"
TEXT_SIZE = 8.0
SMALLEST_TEXT_SIZE = 7.0
LINE_HEIGHT = 1.28
THIN, MEDIUM, THICK = 0.5, 0.8, 1.4

COLUMN_MM = 85.0
PAGE_MM = 176.0
NARROW = "-narrow"  # ends the name of a figure that is drawn a page wide as well
PNG_DPI = 300
POINTS_PER_MM = 72 / 25.4

_RC: dict[Any, Any] = {
    "font.family": [FONT],
    "font.size": TEXT_SIZE,
    "text.color": INK,
    "text.hinting": "none",  # fitting letters to dots costs time, and moves them from where the SVG has them
    "text.parse_math": False,
    "text.usetex": False,
    "axes.unicode_minus": True,
    "axes.linewidth": MEDIUM,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": TEXT_SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": TEXT_SIZE,
    "ytick.labelsize": TEXT_SIZE,
    "xtick.major.width": MEDIUM,
    "ytick.major.width": MEDIUM,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "xtick.major.pad": 2.5,
    "ytick.major.pad": 2.5,
    "lines.linewidth": MEDIUM,
    "lines.solid_capstyle": "butt",
    "patch.linewidth": MEDIUM,
    "hatch.linewidth": THIN,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.bbox": None,
    "path.simplify": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "pasimeta",
    "pdf.fonttype": 42,
}


@contextmanager
def theme() -> Iterator[None]:
    """Draw with pasimeta's settings and nothing else.

    The reader's own matplotlibrc and styles are set aside inside the context and restored after it, so that a figure
    doesn't depend on whose machine drew it. Type is DejaVu Sans, which matplotlib brings along: what was measured is
    what is drawn, and where a browser lacks it, the usual substitutes are narrower.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def points(millimetres: float) -> float:
    """Length in points (1/72 inch)."""
    return millimetres * POINTS_PER_MM


def line_height(size: float) -> float:
    """Distance between two baselines of text of ``size``, in points."""
    return LINE_HEIGHT * size


def text_sizes(width_mm: float) -> tuple[float, ...]:
    """Type sizes allowed at a figure width, best first: smaller type is for narrow columns only."""
    return (TEXT_SIZE,) if width_mm > COLUMN_MM else (TEXT_SIZE, 7.5, SMALLEST_TEXT_SIZE)
