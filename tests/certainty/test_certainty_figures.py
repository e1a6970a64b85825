"""Traffic lights and curves: nothing overlaps, every judgement is a sign as well as a colour, words say the rest."""

import sys
from pathlib import Path

import pytest

from pasimeta.errors import PasimetaError
from pasimeta.figures.curves import Curve, curves
from pasimeta.figures.lights import JBI_SIGNALS, ROBINS_SIGNALS
from pasimeta.figures.output import svg_text
from pasimeta.figures.traffic_light import LightRow, traffic_lights

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "figures"))
from figure_checks import WIDTHS, assert_nothing_overlaps, drawn_texts

DOMAINS = [f"Domain number {i} with a name that takes some room on a narrow page" for i in range(7)]
LONG = "Seetharaman-Papadopoulos and colleagues, Umbilical Cord Study 2019 (NCT03765957)"


def lights(count, width, label="Study"):
    risks = list(ROBINS_SIGNALS)
    rows = [LightRow(f"{label} {i}", tuple(risks[(i + d) % 5] for d in range(7)), risks[i % 5]) for i in range(count)]
    return traffic_lights(rows, DOMAINS, name="lights", title="Risk of bias", footnote="As judged.", width_mm=width)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("count", [1, 9, 40])
def test_lights_fit_from_1_to_40_studies(count, width):
    plot = lights(count, width)
    assert_nothing_overlaps(plot.figure)
    assert len(plot.data) == 8 * count


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_and_ten_items_fit(width):
    assert_nothing_overlaps(lights(3, width, LONG).figure)
    rows = [LightRow(LONG, tuple(list(JBI_SIGNALS)[i % 4] for i in range(10)))]
    plot = traffic_lights(rows, DOMAINS + DOMAINS[:3], name="items", signals=JBI_SIGNALS, prefix="Q", width_mm=width)
    assert_nothing_overlaps(plot.figure)


def test_every_judgement_is_a_sign_of_its_own():
    for signals in (ROBINS_SIGNALS, JBI_SIGNALS):
        assert len({signal.sign for signal in signals.values()}) == len(signals)
    plot = lights(5, 176)
    texts = [text.get_text() for text in drawn_texts(plot.figure)]
    for verdict, signal in ROBINS_SIGNALS.items():
        drawn = (plot.data["judgement"] == verdict).sum()
        assert texts.count(signal.sign) == drawn + 1, verdict  # and once in the key
        assert signal.words in texts


def test_words_say_every_judgement():
    assert "Study 0: Domain number 0" in lights(1, 176).alt
    assert "overall: low risk" in lights(1, 176).alt


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "0 studies"),
        ([LightRow("a", ("low",) * 7)] * 41, "41 studies"),
        ([LightRow("a", ("low",) * 6)], "6 judgements for 7 domains"),
        ([LightRow("a", ("green",) * 7)], "'green' is not one of low"),
        ([LightRow("a", ("low",) * 7, "low"), LightRow("b", ("low",) * 7)], "to every study or to none"),
    ],
)
def test_impossible_lights_are_refused(rows, words):
    with pytest.raises(PasimetaError) as refusal:
        traffic_lights(rows, DOMAINS, name="lights")
    assert words in str(refusal.value)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("log", [True, False])
def test_curves_fit(width, log):
    series = [
        Curve(
            LONG if i == 1 else f"Arm {i}", list(range(1, 60)), [min(1, 0.2 * i + x / 80) for x in range(1, 60)], ("9",)
        )
        for i in range(4)
    ]
    words = {"x_label": "Patients", "y_label": "Assurance", "headings": ("Against", "Size"), "title": "Assurance"}
    plot = curves(series, name="curves", log=log, reference=(0.8,), width_mm=width, footnote="Exact.", **words)
    assert_nothing_overlaps(plot.figure)
    assert "Arm 0: from 1.2\u00a0% at 1 to 73.8\u00a0% at 59, largest 73.8\u00a0% at 59; size 9" in plot.alt
    assert svg_text(plot) == svg_text(plot)


@pytest.mark.parametrize(
    ("series", "words"),
    [
        ([], "no series"),
        ([Curve("a", [1, 2], [0.1])], "2 abscissae for 1"),
        ([Curve("a", [1], [45])], "divide by 100"),
        ([Curve("a", [0], [0.4])], "positive abscissae"),
        ([Curve("a", [1], [0.4], ("x",))], "1 cells for 1 headings"),
    ],
)
def test_impossible_curves_are_refused(series, words):
    with pytest.raises(PasimetaError) as refusal:
        curves(series, name="curves", x_label="x", y_label="y", log=True)
    assert words in str(refusal.value)
