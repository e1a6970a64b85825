"""Numbers are printed as journals print them; text is broken where it may be; looks differ without colour."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.figures.chart import series_looks
from pasimeta.figures.formats import axis_percent, interval_text, number, p_value, percent
from pasimeta.figures.measure import text_width, wrapped
from pasimeta.figures.scales import axis_limits, tick_positions
from pasimeta.figures.theme import BLUE, ORANGE, SERIES_COLOURS, VERMILLION


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (percent(8 / 17), "47.1\u00a0%"),
        (axis_percent(0.47), "47\u00a0%"),
        (number(-0.04), "0.0"),
        (number(-3.14159, 2), "−3.14"),
        (interval_text(0.2298, 0.7219, "percent"), "23.0–72.2"),
        (interval_text(-0.06, 0.74, "difference"), "−6.0\u00a0to\u00a074.0"),
        (interval_text(0.5, 2.0, "ratio"), "0.50–2.00"),
        (p_value(0.15344), "p\u00a0=\u00a00.153"),
        (p_value(0.0004), "p\u00a0<\u00a00.001"),
        (p_value(1.0), "p\u00a0>\u00a00.999"),
    ],
)
def test_numbers_in_print(shown: str, expected: str) -> None:
    assert shown == expected


WORDS = st.text(st.characters(codec="latin-1", categories=("L", "N", "P")), min_size=1, max_size=30)


@given(words=st.lists(WORDS, min_size=1, max_size=8), width=st.floats(20, 300))
def test_wrapped_lines_fit_and_lose_nothing(words: list[str], width: float) -> None:
    text = " ".join(words)
    lines = wrapped(text, width, 8)
    assert all(text_width(line, 8) <= width for line in lines)
    assert "".join(lines).replace(" ", "").replace("\u00a0", "") == text.replace(" ", "").replace("\u00a0", "")


def test_a_number_keeps_its_unit_and_its_relation() -> None:
    lines = wrapped("I² = 23.0 %, p = 0.742, 95 % CI", 1, 8)
    assert "95\u00a0%\u00a0CI" not in lines  # narrower than any word: broken inside, as the last resort
    roomy = wrapped("I² = 23.0 %, p = 0.742, 95 % CI", 60, 8)
    assert roomy == ("I²\u00a0=\u00a023.0\u00a0%,", "p\u00a0=\u00a00.742,", "95\u00a0%\u00a0CI")


@given(low=st.floats(0.001, 0.9), high=st.floats(1.1, 1000), width=st.floats(40, 400), log=st.booleans())
def test_ticks_lie_on_the_axis_and_are_round(low: float, high: float, width: float, log: bool) -> None:
    limits = axis_limits([low, high], [low, high], "ratio" if log else "plain")
    ticks = tick_positions(limits, "ratio" if log else "plain", width, 8)
    assert all(limits[0] * (1 - 1e-6) <= tick <= limits[1] * (1 + 1e-6) for tick in ticks)
    assert ticks == sorted(ticks)
    assert limits[0] <= low
    assert high <= limits[1]


def test_fourteen_series_differ_without_colour_and_forty_nine_with_it() -> None:
    looks = series_looks(49)
    assert len({(look.marker, look.filled) for look in looks[:14]}) == 14
    assert len({(look.marker, look.filled, look.colour) for look in looks}) == 49


# Machado, Oliveira & Fernandes (2009), deuteranopia at severity 1.0, linear RGB.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)


def deuteranope_lab(colour: str) -> np.ndarray:
    srgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(DEUTERANOPIA @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_a_deuteranope_tells_the_colours_apart() -> None:
    assert {BLUE, VERMILLION, ORANGE} <= set(SERIES_COLOURS)
    seen = [deuteranope_lab(colour) for colour in SERIES_COLOURS]
    distances = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[i + 1 :]]
    assert min(distances) > 10


@given(words=st.lists(WORDS, min_size=1, max_size=12), width=st.floats(40, 300), size=st.sampled_from([7.0, 8.0]))
def test_a_line_takes_every_word_that_fits(words: list[str], width: float, size: float) -> None:
    lines = wrapped(" ".join(words), width, size)
    for line, following in pairwise(lines):
        first = following.split(" ")[0]
        assert text_width(f"{line} {first}", size) > width or f"{line}{first}" in "".join(words)
