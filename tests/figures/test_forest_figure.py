"""The forest plot draws what it is given, at any length and width, without anything touching anything."""

from __future__ import annotations

import numpy as np
import pytest
from figure_checks import WIDTHS, assert_nothing_overlaps, drawn_texts, line_widths, rate, text_sizes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from pasimeta.errors import PasimetaError
from pasimeta.figures.estimates import Estimate, Rate
from pasimeta.figures.forest import (
    Column,
    HeadingRow,
    NoteRow,
    PooledRow,
    PredictionRow,
    ReferenceLine,
    Row,
    StudyRow,
    forest,
)

LONG_NAME = "Seetharaman-Papadopoulos and colleagues, Multicentre Umbilical Cord Study 2019 (NCT03765957), arm B"


def pasi_rows() -> list[Row]:
    """Cheng 2022 and Yao 2021 at four thresholds, with the counts that are only known as a range."""
    fewest = Estimate(value=8 / 24, ci_lower=0.156, ci_upper=0.553, count="8/24")
    most = Estimate(value=10 / 24, ci_lower=0.221, ci_upper=0.634, count="10/24")
    return [
        HeadingRow("PASI 40"),
        StudyRow("Cheng 2022", rate(8, 8, 17)),
        NoteRow("One study, not pooled."),
        HeadingRow("PASI 50"),
        StudyRow("Cheng 2022", rate(6, 8, 17), weight=70.8),
        StudyRow("Yao 2021", rate(2, 2, 7), weight=29.2),
        PooledRow("Pooled, fewest responders", fewest),
        PredictionRow("Prediction interval", 0.02, 0.93),
        PooledRow("Pooled, most responders", most),
        NoteRow("Heterogeneity: τ² = 0.00 (0.00–24.8), I² = 0.0 % (0.0–98.1), Q = 0.11, p = 0.742"),
        HeadingRow("PASI 75"),
        StudyRow("Cheng 2022", rate(6, 6, 17)),
        HeadingRow("PASI 90"),
        StudyRow("Cheng 2022", rate(3, 3, 17)),
    ]


def many_rows(count: int) -> list[Row]:
    rows: list[Row] = []
    for index in range(count):
        label = LONG_NAME if index % 3 == 0 else f"Study {index} 20{index % 30:02d}"
        rows.append(StudyRow(label, rate(index % 10, index % 10 + index % 3, 100 + index), weight=100 / count))
    return rows


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_nothing_overlaps_with_long_names(count: int, width: int) -> None:
    plot = forest(many_rows(count), name="many", axis_label="Patients reaching PASI 50", width_mm=width)
    assert_nothing_overlaps(plot.figure)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pasi_example_is_set_without_overlap(width: int) -> None:
    plot = forest(
        pasi_rows(),
        name="pasi",
        axis_label="Patients reaching the threshold",
        width_mm=width,
        title="PASI response after mesenchymal stromal cells, by threshold, all registered trials with a result",
        reference_lines=(ReferenceLine(0.052, "placebo, 5.2 %"), ReferenceLine(0.452, "methotrexate, 45.2 %")),
        footnote="Clopper–Pearson intervals.",
    )
    assert_nothing_overlaps(plot.figure)
    assert plot.figure.get_figwidth() * 25.4 == pytest.approx(width)


@pytest.mark.parametrize("width", WIDTHS)
def test_type_and_lines_are_large_enough_to_print(width: int) -> None:
    figure = forest(pasi_rows(), name="pasi", axis_label="Response", width_mm=width).figure
    assert min(text_sizes(figure)) >= (7 if width == 85 else 8)
    assert min(line_widths(figure)) >= 0.5


def test_the_check_itself_sees_an_overlap() -> None:
    figure = forest(pasi_rows(), name="pasi", axis_label="Response").figure
    first = next(text for text in drawn_texts(figure) if text.get_text() == "Yao 2021")
    figure.text(*first.get_position(), "stray")
    with pytest.raises(AssertionError, match="overlaps"):
        assert_nothing_overlaps(figure)


def test_the_check_itself_sees_a_crossing_line() -> None:
    figure = forest(pasi_rows(), name="pasi", axis_label="Response", reference_lines=(0.1,)).figure
    figure.axes[0].axvline(0.1)
    with pytest.raises(AssertionError, match="crossed"):
        assert_nothing_overlaps(figure)


def test_data_are_the_rows() -> None:
    data = forest(pasi_rows(), name="pasi", axis_label="Response").data
    studies = data[data["kind"] == "study"]
    assert list(studies["block"]) == ["PASI 40", "PASI 50", "PASI 50", "PASI 75", "PASI 90"]
    assert list(studies["count"]) == ["8/17", "6–8/17", "2/7", "6/17", "3/17"]
    np.testing.assert_allclose(studies["low"], [8 / 17, 6 / 17, 2 / 7, 6 / 17, 3 / 17])
    np.testing.assert_allclose(studies["high"], [8 / 17, 8 / 17, 2 / 7, 6 / 17, 3 / 17])
    prediction = data[data["kind"] == "prediction"].iloc[0]
    assert (prediction["ci_lower"], prediction["ci_upper"]) == (0.02, 0.93)


def test_marks_stand_where_the_data_say() -> None:
    axes = forest(pasi_rows(), name="pasi", axis_label="Response").figure.axes[0]
    squares = sorted(float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "s")
    np.testing.assert_allclose(squares, [3 / 17, 2 / 7, 6 / 17, 8 / 17])
    (bar,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert (bar.get_x(), bar.get_x() + bar.get_width()) == pytest.approx((6 / 17, 8 / 17))
    diamonds = [patch.get_xy() for patch in axes.patches if isinstance(patch, Polygon)]
    assert [(d[:, 0].min(), d[:, 0].max()) for d in diamonds] == [(0.156, 0.553), (0.221, 0.634)]


def test_square_area_is_proportional_to_weight() -> None:
    rows = [StudyRow("A", rate(8, 8, 17), weight=80), StudyRow("B", rate(2, 2, 7), weight=20)]
    axes = forest(rows, name="areas", axis_label="Response").figure.axes[0]
    large, small = (line.get_markersize() for line in axes.lines if line.get_marker() == "s")
    assert (large / small) ** 2 == pytest.approx(4)


def test_alternative_text_states_the_numbers() -> None:
    plot = forest(
        pasi_rows(), name="pasi", axis_label="Response", reference_lines=(ReferenceLine(0.05, "placebo, 5 %"),)
    )
    for words in ("8/17, 47.1\u00a0% (23.0–72.2)", "6–8/17, 35.3–47.1\u00a0%", "10/24, 41.7\u00a0%", "2.0–93.0"):
        assert words in plot.alt
    assert "placebo, 5 %" in plot.alt


def test_an_interval_beyond_the_axis_ends_in_an_arrow() -> None:
    rows = [StudyRow("Wide", Estimate(value=0.8, ci_lower=0.001, ci_upper=900.0))]
    axes = forest(rows, name="ratio", axis_label="Risk ratio", scale="ratio", limits=(0.1, 10)).figure.axes[0]
    assert {line.get_marker() for line in axes.lines} >= {"<", ">"}
    assert axes.get_xscale() == "log"


@pytest.mark.parametrize("width", WIDTHS)
def test_ratios_with_directions_and_extra_columns_fit(width: int) -> None:
    ratio = Estimate(value=1.4, ci_lower=0.6, ci_upper=3.2, count="12/40")
    plot = forest(
        [StudyRow("Cheng 2022", ratio, extra={"dose": "1.5"}), PooledRow("Pooled", ratio)],
        name="ratio",
        axis_label="Risk ratio",
        scale="ratio",
        width_mm=width,
        columns=(Column("label", "Study"), Column("dose", "Dose"), Column("estimate", "RR (95 % CI)"), Column("plot")),
        directions=("favours control", "favours cells"),
    )
    assert_nothing_overlaps(plot.figure)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rows": []}, "no rows"),
        ({"rows": [StudyRow("A", Estimate(value=47, ci_lower=23, ci_upper=72))]}, "not percentages"),
        ({"rows": [StudyRow("A", rate(1, 1, 9))], "scale": "odds"}, "scale 'odds'"),
        ({"rows": [StudyRow("A", rate(1, 1, 9))], "columns": [Column("label")]}, "need one 'plot'"),
        ({"rows": [StudyRow("A", rate(1, 1, 9))], "columns": [Column("dose"), Column("plot")]}, "no row has"),
        ({"rows": [StudyRow("A", rate(1, 1, 9))], "width_mm": 20}, "no room"),
        ({"rows": [StudyRow("A", rate(1, 1, 9))], "name": "1 bad"}, "figure name"),
        ({"rows": [StudyRow("A", rate(1, 1, 9))], "limits": (1, 0)}, "low < high"),
        ({"rows": [StudyRow("A", rate(1, 1, 9))], "limits": (0, 2), "scale": "ratio"}, "0 < low"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_remedy(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(PasimetaError, match=words):
        forest(**{"name": "bad", "axis_label": "Response", **arguments})


@pytest.mark.parametrize(
    "fields",
    [
        {"events_lower": 9, "events_upper": 8, "n": 17, "ci_lower": 0.1, "ci_upper": 0.9},
        {"events_lower": 8, "events_upper": 18, "n": 17, "ci_lower": 0.1, "ci_upper": 1.0},
        {"events_lower": 8, "events_upper": 8, "n": 17, "ci_lower": 23.0, "ci_upper": 72.2},
        {"events_lower": 8, "events_upper": 8, "n": 17, "ci_lower": float("nan"), "ci_upper": 0.7},
    ],
)
def test_a_rate_that_cannot_be_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(PasimetaError):
        Rate(**fields)


LABELS = st.text(st.characters(codec="latin-1", categories=("L", "N", "P", "Zs", "S")), min_size=1, max_size=60)


@st.composite
def study_rows(draw: st.DrawFn) -> Row:
    n = draw(st.integers(1, 5000))
    low = draw(st.integers(0, n))
    high = draw(st.integers(low, n))
    weight = draw(st.none() | st.floats(0, 100))
    return StudyRow(draw(LABELS), rate(low, high, n), weight)


@st.composite
def other_rows(draw: st.DrawFn) -> Row:
    low, middle, high = sorted(draw(st.lists(st.floats(0, 1), min_size=3, max_size=3)))
    label = draw(LABELS)
    return draw(
        st.sampled_from(
            [
                HeadingRow(label),
                NoteRow(label),
                PooledRow(label, Estimate(value=middle, ci_lower=low, ci_upper=high)),
                PredictionRow(label, low, high),
            ]
        )
    )


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(study_rows() | other_rows(), min_size=1, max_size=8), width=st.sampled_from(WIDTHS))
def test_any_rows_are_drawn_without_overlap(rows: list[Row], width: int) -> None:
    try:
        plot = forest(rows, name="any", axis_label="Response", width_mm=width)
    except PasimetaError:  # a column's words can be too much for 85 mm; 176 mm hold them
        if width == max(WIDTHS):
            raise
        plot = forest(rows, name="any", axis_label="Response", width_mm=max(WIDTHS))
    assert isinstance(plot.figure, Figure)
    assert len(plot.data) == len(rows)
    assert_nothing_overlaps(plot.figure)
