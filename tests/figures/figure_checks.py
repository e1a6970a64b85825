"""What every figure must satisfy, whichever family it belongs to, and the evidence the examples are drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from scipy.special import betaincinv

from pasimeta.figures.estimates import Rate

WIDTHS = (85, 176)


def clopper_pearson(events: int, n: int) -> tuple[float, float]:
    lower = 0.0 if events == 0 else float(betaincinv(events, n - events + 1, 0.025))
    upper = 1.0 if events == n else float(betaincinv(events + 1, n - events, 0.975))
    return lower, upper


def rate(events_lower: int, events_upper: int, n: int) -> Rate:
    return Rate(
        events_lower=events_lower,
        events_upper=events_upper,
        n=n,
        ci_lower=clopper_pearson(events_lower, n)[0],
        ci_upper=clopper_pearson(events_upper, n)[1],
    )


def assert_nothing_overlaps(figure: Figure) -> None:
    """No text leaves the canvas, meets another text, or is crossed by a line or mark of an axes."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    texts = [(text.get_text(), text.get_window_extent(renderer)) for text in drawn_texts(figure)]
    assert texts, "a figure without text has not been drawn"
    canvas = figure.bbox
    for words, box in texts:
        inside = canvas.x0 <= box.x0 and box.x1 <= canvas.x1 and canvas.y0 <= box.y0 and box.y1 <= canvas.y1
        assert inside, f"{words!r} leaves the canvas"
    for (words, box), (other_words, other) in combinations(texts, 2):
        assert not _meet(box, other), f"{words!r} overlaps {other_words!r}"
    for mark in _marks(figure):
        extent = mark.get_window_extent(renderer).padded(1)  # a bare line has no width of its own
        for words, box in texts:
            assert not _meet(box, extent), f"{words!r} is crossed by {mark}"


def drawn_texts(figure: Figure) -> Iterator[Text]:
    """Every visible, non-empty text: set on the page, or a tick label of a visible axis."""
    for artist in figure.get_children():
        if isinstance(artist, Axes):
            yield from (text for text in artist.texts if text.get_text())
            yield from _axis_texts(artist.xaxis)
            yield from _axis_texts(artist.yaxis)
        elif isinstance(artist, Text) and artist.get_text() and artist.get_visible():
            yield artist


def text_sizes(figure: Figure) -> list[float]:
    return [text.get_fontsize() for text in drawn_texts(figure)]


def line_widths(figure: Figure) -> list[float]:
    return [
        line.get_linewidth() for line in figure.findobj(Line2D) if line.get_linestyle() != "None" and line.get_visible()
    ]


def _axis_texts(axis: Axis) -> Iterator[Text]:
    if axis.get_visible():
        offset = axis.get_offset_text()
        labels = [*axis.get_ticklabels(which="both"), axis.label, offset]
        yield from (label for label in labels if label.get_visible() and label.get_text())


def _marks(figure: Figure) -> Iterator[Artist]:
    for axes in figure.axes:
        yield from axes.lines
        yield from axes.patches


def _meet(first: Bbox, second: Bbox) -> bool:
    # A tenth of a pixel of shared edge at 300 dpi is rounding, not an overlap.
    wide = min(first.x1, second.x1) - max(first.x0, second.x0)
    high = min(first.y1, second.y1) - max(first.y0, second.y0)
    return wide > 0.1 and high > 0.1
