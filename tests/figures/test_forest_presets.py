"""The same rows in the manner of each journal: its columns, its numbers, nothing overlapping."""

from __future__ import annotations

import pytest
from figure_checks import assert_nothing_overlaps, drawn_texts, rate

from pasimeta.errors import PasimetaError
from pasimeta.figures.estimates import Estimate
from pasimeta.figures.forest import HeadingRow, NoteRow, PooledRow, PredictionRow, Row, StudyRow, forest
from pasimeta.figures.output import Plot
from pasimeta.figures.presets import PRESETS

DOMAINS = ("confounding", "selection", "missing data")
LONG_NAME = "Seetharaman-Papadopoulos and colleagues, Multicentre Umbilical Cord Study 2019 (NCT03765957), arm B"


def rows(studies: int = 2, risk: tuple[str, ...] = ("serious", "low", "no_information")) -> list[Row]:
    """Two subgroups with a diamond each, a total and a prediction interval."""
    total = Estimate(value=11 / 27, ci_lower=0.2, ci_upper=0.62, count="11/27")
    drawn: list[Row] = []
    for block in ("Umbilical cord", "Adipose"):
        drawn.append(HeadingRow(block))
        drawn += [
            StudyRow(LONG_NAME if index % 3 == 2 else f"{block} {index}", rate(2, 2, 7), weight=50 / studies, risk=risk)
            for index in range(studies)
        ]
        drawn.append(PooledRow("Subtotal", total))
    return [*drawn, PooledRow("Total", total), PredictionRow("Prediction interval", 0.02, 0.93), NoteRow("τ² = 0.1")]


def drawn(preset: str, width: int, studies: int = 2) -> Plot:
    return forest(
        rows(studies), name="figure", axis_label="Patients", preset=preset, width_mm=width, risk_domains=DOMAINS
    )


def words(plot: Plot) -> list[str]:
    return [text.get_text() for text in drawn_texts(plot.figure)]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("width", "studies"), [(85, 1), (85, 20), (176, 1), (176, 20)])
def test_nothing_overlaps(preset: str, width: int, studies: int) -> None:
    assert_nothing_overlaps(drawn(preset, width, studies).figure)


@pytest.mark.parametrize(
    ("preset", "estimate", "interval"),
    [
        ("house", "28.6\u00a0%", "(3.7–71.0)"),
        ("revman", "28.6%", "[3.7,\u00a071.0]"),
        ("bmj", "28.6", "(3.7\u00a0to\u00a071.0)"),
        ("jama", "28.6", "(3.7-71.0)"),
        ("lancet", "28·6%", "(3·7–71·0)"),
    ],
)
def test_numbers_are_spelt_as_the_journal_does(preset: str, estimate: str, interval: str) -> None:
    plot = forest(
        [StudyRow("Yao 2021", rate(2, 2, 7))], name="figure", axis_label="Patients", preset=preset, width_mm=300
    )
    assert f"{estimate} {interval}" in words(plot)


def test_the_order_of_columns_is_the_journals() -> None:
    def lefts(preset: str) -> dict[str, float]:
        heads = {text.get_text(): text.get_position()[0] for text in drawn_texts(drawn(preset, 300).figure)}
        return heads

    jama, lancet = lefts("jama"), lefts("lancet")
    assert jama["Source"] < jama["Rate,\u00a0% (95%\u00a0CI)"] < jama["Weight,\u00a0%"]
    assert lancet["Study"] < lancet["n/N"] < lancet["Rate (95%\u00a0CI)"] < lancet["Weight\u00a0(%)"]
    revman = words(drawn("revman", 300))
    assert {"Events", "Total", "Study or subgroup"} <= set(revman)
    assert "2/7" not in revman


def test_the_line_of_the_pool_is_drawn_for_one_pool_only() -> None:
    pooled = Estimate(value=0.4, ci_lower=0.2, ci_upper=0.6)

    def dashed_at_pool(preset: str, pools: int) -> bool:
        figure = forest(
            [StudyRow("A", rate(2, 2, 7)), *[PooledRow("Pooled", pooled)] * pools],
            name="figure",
            axis_label="Patients",
            preset=preset,
        ).figure
        return any(line.get_linestyle() == "--" and set(line.get_xdata()) == {0.4} for line in figure.axes[0].lines)

    assert dashed_at_pool("lancet", 1)
    assert not dashed_at_pool("lancet", 2)
    assert not dashed_at_pool("revman", 1)


def test_risk_of_bias_is_drawn_and_explained() -> None:
    plot = drawn("house", 176)
    text = " ".join(words(plot))
    assert {"A", "B", "C", "×", "+", "?"} <= set(words(plot))
    assert "A\u00a0confounding; B\u00a0selection; C\u00a0missing data" in text
    assert "?\u00a0no information" in text
    assert "moderate" not in text
    narrow = words(drawn("house", 85))
    assert "×" not in narrow, "three domains leave the axis no room in one column"


@pytest.mark.parametrize(
    ("risk", "domains", "message"),
    [
        (("low",), DOMAINS, "1 risk-of-bias judgements for 3 domains"),
        (("low", "low", "grim"), DOMAINS, "'grim' is not one of low"),
    ],
)
def test_judgements_that_cannot_be_are_refused(risk: tuple[str, ...], domains: tuple[str, ...], message: str) -> None:
    with pytest.raises(PasimetaError, match=message):
        forest(rows(1, risk), name="figure", axis_label="Patients", risk_domains=domains)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(PasimetaError, match="'nature' is not known; choose one of house, revman, bmj, jama, lancet"):
        drawn("nature", 176)
