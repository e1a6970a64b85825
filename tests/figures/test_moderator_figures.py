"""Figures of the moderator stage: they state their numbers, refuse what can't be drawn, and overlap nothing."""

import numpy as np
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.figures.allocation_range import RemainingRange, allocation_range
from pasimeta.figures.dose import DosePoint
from pasimeta.figures.dose_curve import CurveBand, dose_curves
from pasimeta.figures.estimates import Rate
from pasimeta.figures.output import png_bytes, svg_text
from pasimeta.figures.posterior import PosteriorCurve, posterior_densities

X = np.linspace(-1, 1, 201)
CURVES = [
    PosteriorCurve(name, "odds ratio 1", X, np.exp(-((X - m) ** 2) / 0.1), m, m - 0.4, m + 0.4, 0.9)
    for name, m in (("Nearly flat", 0.4), ("Weakly informative", 0.2))
]
RANGES = [
    RemainingRange("Nothing but the margins", -0.9, 0.9, 300),
    RemainingRange("No test significant", -0.5, 0.5, 200),
]
POINT = DosePoint("Cheng 2022", 1.5, 3.0, Rate(events_lower=6, events_upper=8, n=17, ci_lower=0.14, ci_upper=0.72))
BAND = CurveBand("Left", np.array([1.5, 2, 3]), np.array([0.2, 0.4, 0.1]), np.array([0.8, 0.5, 0.9]), style="hatched")


def plots(width_mm):
    slopes = np.linspace(-0.9, 0.9, 300)
    return (
        posterior_densities(CURVES, name="p", axis_label="Women minus men", above="P(better)", width_mm=width_mm),
        allocation_range(slopes, np.abs(slopes) < 0.5, RANGES, name="a", axis_label="Slope", width_mm=width_mm),
        dose_curves([POINT], [BAND], name="d", dose_label="Dose", response_label="PASI50", width_mm=width_mm),
    )


@pytest.mark.parametrize("width_mm", [85, 176])
def test_figures_draw_at_both_widths_with_every_text_on_the_page(width_mm):
    for plot in plots(width_mm):
        renderer = plot.figure.canvas.get_renderer()
        page = plot.figure.bbox
        boxes = [t.get_window_extent(renderer) for t in plot.figure.texts if t.get_text().strip()]
        ticks = [t.get_window_extent(renderer) for axes in plot.figure.axes for t in axes.get_xticklabels()]
        for box in (*boxes, *ticks):
            assert box.x0 >= page.x0 - 1
            assert box.x1 <= page.x1 + 1
        for i, box in enumerate(boxes):
            assert not any(box.shrunk(0.98, 0.7).overlaps(other.shrunk(0.98, 0.7)) for other in boxes[:i])


def test_alternative_text_states_the_numbers():
    posterior, allocation, curve = plots(176)
    assert "Nearly flat: 40.0 (0.0–80.0)" in posterior.alt or "Nearly flat: 40.0" in posterior.alt
    assert "300 tables" in allocation.alt
    assert "6–8/17" in curve.alt
    assert "20 to 80 % at dose 1.5" in curve.alt


def test_figures_repeat_byte_for_byte():
    for first, second in zip(plots(176), plots(176), strict=True):
        assert svg_text(first) == svg_text(second)
        assert png_bytes(first) == png_bytes(second)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: posterior_densities([], name="p", axis_label="x", above="y"), "no curves"),
        (lambda: allocation_range(np.empty(0), np.empty(0, bool), RANGES, name="a", axis_label="x"), "each table"),
        (lambda: dose_curves([], name="d", dose_label="x", response_label="y"), "no studies"),
        (
            lambda: dose_curves([POINT], [CurveBand("B", X, X[:3], X)], name="d", dose_label="x", response_label="y"),
            "differ in length",
        ),
    ],
)
def test_what_cant_be_drawn_is_refused(call, words):
    with pytest.raises(PasimetaError, match=words):
        call()
