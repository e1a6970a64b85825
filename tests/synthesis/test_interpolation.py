"""Between two points: polynomials are met exactly, and a smooth function closely."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BPoly
from scipy.optimize import brentq, minimize_scalar

from pasimeta.synthesis.interpolation import cubic_at, cubic_crest, quintic_crest, quintic_crossing

X = np.array([[-1.0, 0.5, 2.0], [1.5, 0.75, 8.0]])


def known(function, x: np.ndarray = X, order: int = 2) -> list[np.ndarray]:
    """Values and derivatives of a polynomial at both ends."""
    return [function.deriv(each)(x) if each else function(x) for each in range(order + 1)]


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4), st.floats(0, 1))
def test_a_cubic_is_its_own_interpolant(coefficients: list[float], share: float) -> None:
    cubic = np.polynomial.Polynomial(coefficients)
    at = X[0] + share * (X[1] - X[0])
    value, slope = known(cubic, order=1)
    assert cubic_at(X, value, slope, at) == pytest.approx(cubic(at), abs=1e-10 * (1 + np.abs(value).max()))


def test_a_parabolas_crest_is_found_with_its_height() -> None:
    tops = np.array([0.2, 0.6, 7.0])
    value, slope = 3 - (X - tops) ** 2, -2 * (X - tops)
    for crest, height in (
        cubic_crest(X, value, slope),
        quintic_crest(X, value, slope, np.full(X.shape, -2.0))[:2],
    ):
        assert crest == pytest.approx(tops, abs=1e-6)
        assert height == pytest.approx(3.0, abs=1e-10)


def test_what_encloses_no_crest_is_nan() -> None:
    crest, height = cubic_crest(
        np.array([[0.0] * 3, [1.0] * 3]), np.zeros((2, 3)), np.array([[1, -1, 1], [1, 1, -np.inf]])
    )
    assert np.isnan(crest).all()
    assert np.isnan(height).all()


def fall(x: float) -> tuple[float, float, float]:
    """Skewed and log-concave, as a profile likelihood is."""
    return 2 * x - np.exp(x), 2 - np.exp(x), -np.exp(x)


def test_crest_and_crossing_are_those_of_the_quintic_that_scipy_builds() -> None:
    low, high = 0.1, 2.0
    value, slope, curvature = (np.array([[a], [b]]) for a, b in zip(fall(low), fall(high), strict=True))
    theirs = BPoly.from_derivatives([low, high], [fall(low), fall(high)])
    best = minimize_scalar(lambda x: -theirs(x), bounds=(low, high), options={"xatol": 1e-12})
    x = np.array([[low], [high]])
    crest, height, bend = quintic_crest(x, value, slope, curvature)
    assert crest[0] == pytest.approx(best.x, abs=1e-6)
    assert height[0] == pytest.approx(-best.fun, abs=1e-12)
    assert bend[0] == pytest.approx(theirs.derivative(2)(best.x), rel=1e-2)  # told one Newton step from the crest


def test_a_crossing_is_that_of_the_quintic_that_scipy_builds() -> None:
    low, high, level = np.log(2), 2.0, fall(1.7)[0]
    theirs = BPoly.from_derivatives([low, high], [fall(low), fall(high)])
    rows = (np.array([[a], [b]]) for a, b in zip(fall(low), fall(high), strict=True))
    found = quintic_crossing(np.array([[low], [high]]), *rows, np.array([level]))
    assert found[0] == pytest.approx(brentq(lambda x: theirs(x) - level, low, high), abs=1e-6)
    assert found[0] == pytest.approx(1.7, abs=1e-3)
