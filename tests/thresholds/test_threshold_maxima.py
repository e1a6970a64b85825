"""Newton's method for many maxima at once, held against SciPy's minimizer one at a time."""

import numpy as np
import pytest
from scipy.optimize import minimize

from pasimeta.synthesis.thresholds.newton import maximum

CENTRES = np.array([[0.3, -1.2], [2.0, 0.5], [-1.0, 3.0]])


def bent(x: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Concave but far from quadratic, and tilted, so that an old curvature misleads."""
    apart = x - CENTRES[which]
    bend = np.cosh(apart).sum(axis=1) + 0.2 * apart.sum(axis=1) ** 4
    slope = np.sinh(apart) + 0.8 * apart.sum(axis=1, keepdims=True) ** 3
    return -bend + 0.7 * x[:, 0], -slope + np.array([0.7, 0.0])


def alone(problem: int, start: np.ndarray) -> np.ndarray:
    def negative(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, score = bent(x[None], np.array([problem]))
        return -value[0], -score[0]

    return minimize(negative, start, jac=True, method="BFGS", options={"gtol": 1e-11}).x


@pytest.mark.parametrize("curvature", [True, False])
def test_maxima_are_those_of_a_minimizer_run_on_each(curvature: bool) -> None:
    start = np.array([[3.0, 3.0], [-2.0, 2.0], [0.0, 0.0]])
    found = maximum(bent, start, curvature=curvature)
    assert found.converged.all()
    expected = np.array([alone(problem, each) for problem, each in enumerate(start)])
    assert found.at == pytest.approx(expected, abs=1e-7 if curvature else 1e-4)


def test_information_is_that_at_the_maximum() -> None:
    found = maximum(bent, np.full((3, 2), 2.5))
    apart = found.at - CENTRES
    tilt = 2.4 * apart.sum(axis=1) ** 2
    expected = np.einsum("pi,ij->pij", np.cosh(apart), np.eye(2)) + tilt[:, None, None]
    assert found.information == pytest.approx(expected, rel=1e-4)


def test_a_held_coordinate_stays() -> None:
    found = maximum(bent, np.full((3, 2), 2.5), free=np.array([1]))
    assert (found.at[:, 0] == 2.5).all()
    assert np.abs(found.score[:, 1]).max() < 1e-7
