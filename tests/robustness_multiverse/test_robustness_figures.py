"""The figures of robustness draw what they are given, keep their text apart, and refuse what can't be drawn."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from multiverse_evidence import INCLUSION, RESPONSES

from pasimeta.errors import PasimetaError
from pasimeta.figures.bands import Band, bands
from pasimeta.figures.output import Plot, svg_text
from pasimeta.figures.panel_types import ReferenceLine
from pasimeta.figures.scatter import Point, ScatterAxis, scatter
from pasimeta.figures.specification_curve import ChoiceRow, specification_curve
from pasimeta.report.plots import missing_evidence, robustness
from pasimeta.robustness import analyses, multiverse, selection_model, subsets_of_counts, tipping_points

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "figures"))
from figure_checks import WIDTHS, assert_nothing_overlaps

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")
LINES = (ReferenceLine(0.05, "placebo, 5 %"), ReferenceLine(0.4, "methotrexate, 40 %"))
OPTIONS = analyses(("inverse_variance", "common", "binomial_normal"), methods=("DL", "REML"), tests=("z",))


@pytest.fixture(scope="module")
def result():
    return multiverse(RESPONSES, INCLUSION, thresholds=(50, 75), options=OPTIONS)


@pytest.fixture(scope="module")
def plots(result) -> list[Plot]:
    names = ["Cheng 2022", "De Jesus 2016", "Yao 2021"]
    subsets = subsets_of_counts([6, 2, 2], [17, 2, 7], labels=names)
    tipping = tipping_points([6], [17], [9, 8], {"placebo": 0.05, "methotrexate": 0.4}, model="common")
    swept = selection_model([6], [17], [9, 8], strengths=[0, 5, 10])
    return [
        robustness.specification_plot(result, 75),
        robustness.subsets_plot(subsets, 50),
        missing_evidence.tipping_plot(tipping, 75),
        missing_evidence.selection_plot({"One rate in all trials": swept}, 75),
    ]


def test_no_text_meets_another(plots: list[Plot]) -> None:
    for plot in plots:
        assert_nothing_overlaps(plot.figure)


def test_the_words_carry_the_numbers(plots: list[Plot], result) -> None:
    curve, subsets, tipping, selection = plots
    assert f"{len(result.at(75)):,} specifications" in curve.alt
    assert "Cheng 2022: 35.3\u00a0%, 1" in subsets.alt
    assert "not which of them is wrong" in subsets.alt
    assert "Dashed line: placebo, 5 %" in tipping.alt
    assert "can't be estimated" in selection.alt
    for plot in plots:
        assert svg_text(plot) == svg_text(plot)


def test_columns_of_the_curve_ascend_and_hold_every_specification(result) -> None:
    rows = result.at(50)
    choice = ChoiceRow("measure", "Scale", {"PLO": "logit", "PAS": "arcsine"})
    plot = specification_curve(rows, [choice], name="curve", y_label="Rate", reference_lines=LINES)
    assert (np.diff(plot.data["estimate"]) >= 0).all()
    widths = np.diff(np.round(np.linspace(0, len(rows), len(plot.data) + 1)))
    share = (rows["measure"] == "PLO").mean()
    assert np.average(plot.data["measure: PLO"], weights=widths) == pytest.approx(share)


def test_few_specifications_are_a_column_each(result) -> None:
    rows = result.at(75).head(7)
    plot = specification_curve(rows, [], name="few", y_label="Rate")
    np.testing.assert_allclose(plot.data["estimate"], np.sort(rows["estimate"]))


@pytest.mark.parametrize("width", WIDTHS)
def test_both_widths_hold_their_text(width: int) -> None:
    line = Band("A long label for a line of a figure", (0.0, 1.0), (0.2, 0.4), (0.1, 0.2), (0.5, 0.6), "a note on it")
    axes = {"x_label": "Assumption", "y_label": "Rate", "reference_lines": LINES, "title": "Title"}
    assert_nothing_overlaps(bands([line], name="line", width_mm=width, **axes).figure)
    points = [Point("Study " + "x" * i, i / 10, i / 7) for i in range(5)]
    x, y = ScatterAxis("Across", "x"), ScatterAxis("Up", "y")
    assert_nothing_overlaps(scatter(points, x, y, name="points", width_mm=width).figure)


def test_many_points_are_drawn_without_names() -> None:
    points = [Point(str(i), i / 100, (i * 37 % 100) / 100) for i in range(100)]
    plot = scatter(points, ScatterAxis("x", "x", "percent"), ScatterAxis("y", "y", "percent"), name="many")
    assert "100 points" in plot.alt
    assert len(plot.data) == 100


@pytest.mark.parametrize(
    "line",
    [
        Band("short", (0.0,), (0.2,)),
        Band("unequal", (0.0, 1.0), (0.2,)),
        Band("falling", (1.0, 0.0), (0.2, 0.3)),
        Band("percent", (0.0, 1.0), (20.0, 30.0)),
        Band("empty", (0.0, 1.0), (float("nan"), float("nan"))),
    ],
)
def test_lines_that_cannot_be_drawn_are_refused(line: Band) -> None:
    with pytest.raises(PasimetaError, match=line.label):
        bands([line], name="bad", x_label="x", y_label="y")


def test_nothing_is_refused_by_name(result) -> None:
    axis = ScatterAxis("x", "x")
    for draw in (
        lambda: bands([], name="none", x_label="x", y_label="y"),
        lambda: scatter([], axis, axis, name="none"),
        lambda: scatter([Point("a", float("nan"), 1.0)], axis, axis, name="none"),
        lambda: specification_curve(result.frame.head(0), [], name="none", y_label="y"),
        lambda: specification_curve(result.frame, [ChoiceRow("weather", "W", {})], name="none", y_label="y"),
    ):
        with pytest.raises(PasimetaError, match="none"):
            draw()
