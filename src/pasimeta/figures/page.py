"""A sheet measured in points from its top left corner, on which text, rules and axes are set where the layout says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from pasimeta.figures.theme import INK, MEDIUM, PNG_DPI, TEXT_SIZE, line_height

Align = Literal["left", "center", "right"]
# Share of the type size between the top of a line box and its baseline, for DejaVu Sans.
_BASELINE = 0.95


class Page:
    """A matplotlib figure without pyplot, addressed in points, y running down.

    Parameters
    ----------
    width, height : float
        Size in points.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=PNG_DPI)
        FigureCanvasAgg(self.figure)

    def text(
        self,
        x: float,
        top: float,
        lines: str | Iterable[str],
        *,
        align: Align = "left",
        size: float = TEXT_SIZE,
        bold: bool = False,
        colour: str = INK,
        link: str = "",
    ) -> None:
        """Set lines below one another, the first one's line box starting at ``top``; ``link`` is an address in SVG."""
        for index, line in enumerate([lines] if isinstance(lines, str) else lines):
            if not line:
                continue
            baseline = top + index * line_height(size) + _BASELINE * size
            text = Text(
                x / self.width,
                1 - baseline / self.height,
                line,
                transform=self.figure.transFigure,
                fontsize=size,
                fontweight="bold" if bold else "normal",
                color=colour,
                horizontalalignment=align,
                verticalalignment="baseline",
                parse_math=False,
                url=link or None,
            )
            self.figure.add_artist(text)

    def rule(
        self, x: Sequence[float], y: Sequence[float], *, width: float = MEDIUM, colour: str = INK, **style: Any
    ) -> None:
        """Draw a straight or broken line through points of the page."""
        xs, ys = [value / self.width for value in x], [1 - value / self.height for value in y]
        self.figure.add_artist(
            Line2D(xs, ys, transform=self.figure.transFigure, linewidth=width, color=colour, **style)
        )

    def box(self, left: float, top: float, width: float, height: float, **style: Any) -> None:
        """Draw a rectangle."""
        corner = (left / self.width, 1 - (top + height) / self.height)
        size = (width / self.width, height / self.height)
        self.figure.add_artist(Rectangle(corner, *size, transform=self.figure.transFigure, **style))

    def marker(self, x: float, y: float, **style: Any) -> None:
        """Draw one marker, styled as a matplotlib line."""
        place = ([x / self.width], [1 - y / self.height])
        self.figure.add_artist(Line2D(*place, transform=self.figure.transFigure, linestyle="none", **style))

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes whose data area is this rectangle exactly."""
        bottom = 1 - (top + height) / self.height
        return self.figure.add_axes((left / self.width, bottom, width / self.width, height / self.height))


def text_height(lines: Sequence[str], size: float) -> float:
    """Height in points of lines set below one another; none take no room."""
    return len(lines) * line_height(size)
