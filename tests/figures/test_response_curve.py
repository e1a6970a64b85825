"""The response curve: bands nested, other treatments told apart and labelled, and nothing overlaps at any width."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from figure_checks import WIDTHS, assert_nothing_overlaps, clopper_pearson, drawn_texts, line_widths, rate, text_sizes
from matplotlib.collections import PolyCollection
from scipy.special import ndtr

from pasimeta.errors import PasimetaError
from pasimeta.figures.output import Plot, svg_text
from pasimeta.figures.response_curve import Curve, CurvePoint, response_curve
from pasimeta.figures.theme import SMALLEST_TEXT_SIZE

THRESHOLDS = np.arange(25.0, 101.0, 5.0)
WARNING = "unadjusted comparison across trials"
CHENG = [CurvePoint("Cheng 2022", c, rate(*events, 17)) for c, events in ((40, (8, 8)), (50, (6, 8)), (75, (6, 6)))]


def curve(label: str, level: float, *, new: bool = False, half: float = 0.5) -> Curve:
    z = -np.log(1.05 - THRESHOLDS / 100)
    shares = {"response": 0.0, "ci_lower": -half, "ci_upper": half}
    if new:
        shares |= {"pi_lower": -2 * half, "pi_upper": 2 * half}
    return Curve(label, pd.DataFrame({"threshold": THRESHOLDS} | {n: ndtr(level - z + d) for n, d in shares.items()}))


def points(studies: int) -> list[CurvePoint]:
    """Studies that all count PASI50 and PASI75, some within bounds."""
    return [
        CurvePoint(f"Author and colleagues {2000 + i}", c, rate(max(0, i - 1 + c % 2), i, 12))
        for i in range(1, studies + 1)
        for c in (50, 75)
    ]


def drawn(width: int, others: int = 3, studies: int = 2) -> Plot:
    context = [curve(f"Treatment {i} ({i + 4} arms)", -1 + 0.25 * i, half=0.1) for i in range(others)]
    return response_curve(
        curve("Cell therapy, median of 2 studies", 0.2, new=True),
        CHENG + points(studies - 1),
        name="curve",
        context=context,
        title="How many improve, and by how much",
        width_mm=width,
        footnote="Points: exact intervals of each study.",
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("curves", [1, 2, 4, 12])
def test_nothing_overlaps_with_one_curve_or_twelve(width: int, curves: int) -> None:
    plot = drawn(width, others=curves - 1, studies=curves)
    assert_nothing_overlaps(plot.figure)
    assert min(text_sizes(plot.figure)) >= SMALLEST_TEXT_SIZE
    assert min(line_widths(plot.figure)) >= 0.5


@pytest.mark.parametrize("width", WIDTHS)
def test_the_band_of_a_new_study_holds_that_of_the_median_and_both_hold_the_curve(width: int) -> None:
    axes = drawn(width).figure.axes[0]
    bands = [c for c in axes.collections if isinstance(c, PolyCollection)]
    assert len(bands) == 2
    wide, narrow = (band.get_paths()[0].vertices for band in sorted(bands, key=lambda band: band.get_zorder()))
    response = curve("", 0.2).table["response"].to_numpy()
    for c, share in zip(THRESHOLDS, response, strict=True):
        outer, inner = (v[np.isclose(v[:, 0], c), 1] for v in (wide, narrow))
        assert outer.min() < inner.min() < share < inner.max() < outer.max()


def test_without_a_prediction_there_is_one_band() -> None:
    plot = response_curve(curve("One study", 0.2), CHENG, name="curve")
    assert len([c for c in plot.figure.axes[0].collections if isinstance(c, PolyCollection)]) == 1
    assert "a new study" not in {text.get_text() for text in drawn_texts(plot.figure)}


@pytest.mark.parametrize("width", WIDTHS)
def test_other_treatments_are_labelled_as_an_unadjusted_comparison(width: int) -> None:
    with_others, alone = drawn(width), drawn(width, others=0)
    said = " ".join(text.get_text().replace("\n", " ") for text in drawn_texts(with_others.figure))
    assert WARNING in said
    assert WARNING in with_others.alt
    for i in range(3):
        assert f"Treatment {i} ({i + 4} arms)" in said
    assert WARNING not in alone.alt
    assert WARNING not in " ".join(text.get_text() for text in drawn_texts(alone.figure))


def test_no_two_curves_and_no_two_studies_look_alike() -> None:
    axes = drawn(176, others=11, studies=12).figure.axes[0]
    marked = [line for line in axes.lines if line.get_marker() not in ("None", None, "")]
    curves = [x for x in marked if x.get_linestyle() == "None" and len(x.get_xdata()) > 1]
    studies = [x for x in marked if len(x.get_xdata()) == 1]
    looks = {(x.get_marker(), x.get_color(), x.get_markerfacecolor()) for x in curves}
    assert len(looks) == len(curves) == 11
    main = next(line for line in axes.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == len(THRESHOLDS))
    assert main.get_color() not in {x.get_color() for x in studies}


@pytest.mark.parametrize("width", WIDTHS)
def test_marks_at_one_threshold_stand_apart_and_near_it(width: int) -> None:
    axes = drawn(width, studies=9).figure.axes[0]
    upright = [x for x in axes.lines if len(x.get_xdata()) == 2 and x.get_xdata()[0] == x.get_xdata()[1]]
    at75 = sorted({float(x.get_xdata()[0]) for x in upright if abs(x.get_xdata()[0] - 75) < 12})
    assert len(at75) == 9
    assert min(np.diff(at75)) > 0.5
    assert 75.0 not in at75  # the other treatments' marks stand there


def test_alternative_text_and_data_carry_the_numbers() -> None:
    plot = drawn(176)
    alt = plot.alt.replace("\u00a0", " ")
    table = curve("", 0.2).table.set_index("threshold")
    for c in (50, 75, 90, 100):
        row = 100 * table.loc[c]
        assert f"PASI{c} {row['response']:.1f} % (95 % interval {row['ci_lower']:.1f}" in plot.alt.replace(
            "\u00a0", " "
        )
    assert "Cheng 2022 reports PASI40 8/17; PASI50 6–8/17; PASI75 6/17" in alt
    kinds = plot.data["kind"].value_counts()
    assert (kinds["curve"], kinds["context"]) == (len(THRESHOLDS), 3 * len(THRESHOLDS))
    cheng = plot.data[(plot.data["label"] == "Cheng 2022") & (plot.data["threshold"] == 75)].iloc[0]
    assert (cheng["ci_lower"], cheng["ci_upper"]) == pytest.approx(clopper_pearson(6, 17))


def test_the_same_input_gives_the_same_bytes() -> None:
    assert svg_text(drawn(176)) == svg_text(drawn(176))


def test_what_is_no_curve_is_refused() -> None:
    short = Curve("Short", curve("", 0.2).table.head(1))
    with pytest.raises(PasimetaError, match="figure curve: Short is no curve of proportions; give two thresholds"):
        response_curve(short, [], name="curve")
    percent = Curve("Percent", curve("", 0.2).table * 100)
    with pytest.raises(PasimetaError, match="Percent is no curve of proportions"):
        response_curve(curve("Cell therapy", 0.2), [], name="curve", context=[percent])
