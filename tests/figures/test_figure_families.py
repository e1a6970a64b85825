"""Threshold, dose, subgroup and flow figures draw their input, say it in words, and keep their text apart."""

from __future__ import annotations

import numpy as np
import pytest
from figure_checks import WIDTHS, assert_nothing_overlaps, drawn_texts, line_widths, rate, text_sizes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.patches import Rectangle

from pasimeta.errors import PasimetaError
from pasimeta.figures.dose import DosePoint, dose_response
from pasimeta.figures.estimates import Estimate
from pasimeta.figures.flow import Stage, flow_of_records
from pasimeta.figures.output import Plot
from pasimeta.figures.subgroup import Group, GroupDifference, subgroup_rates
from pasimeta.figures.threshold import ContextSeries, ThresholdSeries, response_by_threshold

LONG_NAME = "Seetharaman-Papadopoulos and colleagues, Umbilical Cord Study 2019 (NCT03765957), arm B"
CHENG = {40: rate(8, 8, 17), 50: rate(6, 8, 17), 75: rate(6, 6, 17), 90: rate(3, 3, 17)}
CONTEXT = (ContextSeries("Placebo", {75: 0.052, 90: 0.021}), ContextSeries("Methotrexate", {75: 0.452}))


def thresholds(width: int, count: int = 3) -> Plot:
    series = [
        ThresholdSeries("Cheng 2022", CHENG),
        ThresholdSeries("Yao 2021", {50: rate(2, 2, 7)}),
        ThresholdSeries(LONG_NAME, {75: rate(1, 3, 3), 90: rate(0, 0, 3)}),
    ]
    series += [ThresholdSeries(f"Study {index}", {50: rate(index, index, 20)}) for index in range(20)]
    words = {
        "title": "Response by PASI threshold in every study with a count",
        "footnote": "Clopper–Pearson intervals.",
    }
    return response_by_threshold(series[:count], context=CONTEXT, name="thresholds", width_mm=width, **words)


def doses(width: int, x_scale: str = "log", count: int = 4) -> Plot:
    studies = [
        DosePoint("Cheng 2022", 1, 3, rate(6, 8, 17), note="Three dose levels, one count: the split is not reported"),
        DosePoint("Yao 2021", 0.5, 0.5, rate(2, 2, 7)),
        DosePoint(LONG_NAME, 1.5, 1.5, rate(5, 5, 12)),
        DosePoint("Same dose", 1.5, 1.5, rate(0, 0, 12), note=LONG_NAME),
    ]
    studies += [DosePoint(f"Study {index}", 2, 2, rate(index, index, 30)) for index in range(20)]
    return dose_response(
        studies[:count],
        name="doses",
        dose_label="Dose per infusion, 10⁶ cells/kg",
        response_label="PASI 50 response",
        x_scale=x_scale,
        title="Dose per infusion",
        width_mm=width,
    )


def sexes(width: int, label: str = "Women") -> Plot:
    difference = Estimate(value=6 / 9 - 2 / 8, ci_lower=-0.06, ci_upper=0.74)
    return subgroup_rates(
        [Group(label, rate(6, 6, 9)), Group("Men", rate(2, 2, 8))],
        GroupDifference(f"{label} minus men", difference, p_value=0.15344, test="Fisher's exact test"),
        name="sexes",
        rate_label="PASI 40 response",
        title="PASI 40 response by sex",
        width_mm=width,
    )


def flow(width: int, label: str = "Records identified") -> Plot:
    return flow_of_records(
        [
            Stage(
                label, 24, excluded=(("Not MSC", 6), (LONG_NAME, 10)), sources=(("Registries", 12), ("Journals", 12))
            ),
            Stage("Reports with a PASI response", 8, excluded=(("Case report", 6),)),
            Stage("In the synthesis", 2, details=("PASI 40: 1 study", "PASI 50: 2 studies")),
        ],
        name="flow",
        title="Flow of records",
        width_mm=width,
        footnote="Registered trials without results stay in the data.",
    )


FAMILIES = (thresholds, doses, sexes, flow)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_overlaps_and_everything_prints(family, width: int) -> None:
    figure = family(width).figure
    assert_nothing_overlaps(figure)
    assert min(text_sizes(figure)) >= (7 if width == 85 else 8)
    assert min(line_widths(figure), default=1) >= 0.5
    assert figure.get_figwidth() * 25.4 == pytest.approx(width)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [1, 2, 7, 23])
def test_few_and_many_studies_fit(count: int, width: int) -> None:
    assert_nothing_overlaps(thresholds(width, count).figure)
    assert_nothing_overlaps(doses(width, "linear", count).figure)


@pytest.mark.parametrize("width", WIDTHS)
def test_long_labels_wrap(width: int) -> None:
    assert_nothing_overlaps(sexes(width, LONG_NAME).figure)
    assert_nothing_overlaps(flow(width, LONG_NAME.replace(" ", "_")).figure)


def test_threshold_data_and_words_are_the_input() -> None:
    plot = thresholds(176)
    cheng = plot.data[plot.data["label"] == "Cheng 2022"]
    assert list(cheng["threshold"]) == [40, 50, 75, 90]
    assert list(cheng["events_lower"]) == [8, 6, 6, 3]
    assert list(cheng["events_upper"]) == [8, 8, 6, 3]
    np.testing.assert_allclose(cheng["high"], [8 / 17, 8 / 17, 6 / 17, 3 / 17])
    assert "PASI50 6–8/17, 35.3–47.1\u00a0% (14.2–72.2)" in plot.alt
    placebo = "Placebo PASI75 5.2\u00a0%; Placebo PASI90 2.1\u00a0%"
    assert f"Other trials, unadjusted: {placebo}; Methotrexate PASI75 45.2\u00a0%" in plot.alt
    assert "Other trials, unadjusted" in {text.get_text() for text in drawn_texts(plot.figure)}


def test_marks_at_a_threshold_are_centred_on_it() -> None:
    plot = response_by_threshold([ThresholdSeries("A", {40: rate(8, 8, 17)})], context=CONTEXT, name="centred")
    xs = sorted(
        float(line.get_xdata()[0]) for line in plot.figure.axes[0].lines if line.get_marker() not in ("None", "")
    )
    assert xs[0] == 0
    assert sum(xs[1:]) / 2 == pytest.approx(1)


def test_a_range_of_counts_spans_both_estimates() -> None:
    axes = response_by_threshold([ThresholdSeries("Cheng", {50: CHENG[50]})], name="range").figure.axes[0]
    (bar,) = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert (bar.get_y(), bar.get_y() + bar.get_height()) == pytest.approx((6 / 17, 8 / 17))


def test_responders_that_rise_with_the_threshold_are_refused() -> None:
    with pytest.raises(PasimetaError, match="can't rise with the threshold"):
        response_by_threshold([ThresholdSeries("A", {50: rate(2, 2, 17), 75: rate(3, 3, 17)})], name="bad")


def test_dose_data_and_words_are_the_input() -> None:
    plot = doses(176)
    assert list(plot.data["dose_low"]) == [1, 0.5, 1.5, 1.5]
    assert list(plot.data["dose_high"]) == [3, 0.5, 1.5, 1.5]
    assert "Cheng 2022: dose 1–3, 6–8/17, 35.3–47.1\u00a0% (14.2–72.2)" in plot.alt
    words = " ".join(text.get_text() for text in drawn_texts(plot.figure))
    assert "the split between doses is not reported" in words


def test_a_dose_range_is_drawn_from_end_to_end() -> None:
    axes = doses(176, "linear", 1).figure.axes[0]
    spans = [tuple(line.get_xdata()) for line in axes.lines if line.get_xdata()[0] != line.get_xdata()[-1]]
    assert spans
    assert set(spans) == {(1, 3)}


def test_only_marks_that_share_a_dose_move() -> None:
    axes = doses(176).figure.axes[0]
    whiskers = [
        line.get_xdata()[0] for line in axes.lines if line.get_marker() == "None" and len(set(line.get_xdata())) == 1
    ]
    assert any(x == pytest.approx(0.5) for x in whiskers)
    shared = sorted(x for x in whiskers if 1.3 < x < 1.7)
    assert shared[0] < 1.5 < shared[-1]


@pytest.mark.parametrize("ends", [(0, 1), (3, 1), (-1, 2), (1, float("inf"))])
def test_doses_that_cannot_be_are_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(PasimetaError, match="not positive and in order"):
        dose_response([DosePoint("A", *ends, rate(1, 1, 3))], name="bad", dose_label="x", response_label="y")


def test_subgroup_shows_counts_interval_and_p_value() -> None:
    plot = sexes(176)
    words = {text.get_text() for text in drawn_texts(plot.figure)}
    assert {"6/9", "2/8", "66.7\u00a0% (29.9–92.5)"} <= words
    assert "Fisher's exact test: p\u00a0=\u00a00.153" in words
    assert "p\u00a0=\u00a00.153" in plot.alt
    assert "−6.0\u00a0to\u00a074.0" in plot.alt
    assert plot.data.loc[2, "low"] == pytest.approx(6 / 9 - 2 / 8)
    rates, difference = plot.figure.axes
    assert rates.get_xlim() == (0, 1)
    assert difference.get_xlim()[0] == -difference.get_xlim()[1]


def test_flow_closes_or_is_refused() -> None:
    with pytest.raises(PasimetaError, match="leaves 5, but 'In' has 4"):
        flow_of_records([Stage("All", 8, excluded=(("No", 3),)), Stage("In", 4)], name="bad")
    with pytest.raises(PasimetaError, match="sum to 7, not to its 8"):
        flow_of_records([Stage("All", 8, sources=(("A", 7),))], name="bad")
    with pytest.raises(PasimetaError, match="add the stage that is left"):
        flow_of_records([Stage("All", 8, excluded=(("No", 8),))], name="bad")


def test_flow_data_and_words_are_the_input() -> None:
    plot = flow(176)
    excluded = plot.data[plot.data["kind"] == "excluded"]
    assert list(excluded["count"]) == [6, 10, 6]
    assert "Set aside: 6 (Case report 6)" in plot.alt


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(
    ends=st.lists(st.tuples(st.floats(0.01, 50), st.floats(1, 8)), min_size=1, max_size=9),
    width=st.sampled_from(WIDTHS),
    x_scale=st.sampled_from(["log", "linear"]),
)
def test_any_doses_are_drawn_without_overlap(ends: list[tuple[float, float]], width: int, x_scale: str) -> None:
    studies = [DosePoint(f"Study {i}", low, low * ratio, rate(i, i, 10)) for i, (low, ratio) in enumerate(ends)]
    plot = dose_response(
        studies, name="any", dose_label="Dose", response_label="Response", x_scale=x_scale, width_mm=width
    )
    assert_nothing_overlaps(plot.figure)
