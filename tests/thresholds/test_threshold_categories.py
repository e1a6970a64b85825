"""Bounds, allocations, and the likelihood of categories against brute force."""

from __future__ import annotations

import itertools
from math import lgamma

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr

from pasimeta.errors import PasimetaError
from pasimeta.synthesis.thresholds.categories import categories, tightened
from pasimeta.synthesis.thresholds.grid import mixture_quantiles
from pasimeta.synthesis.thresholds.likelihood import common_log_likelihood, integrated, log_likelihood
from pasimeta.synthesis.thresholds.links import LINKS
from pasimeta.synthesis.thresholds.reading import read_counts

Z = np.array([-0.2, 0.0, 0.75, 1.5])
PADDED = np.concatenate([[-np.inf], Z, [np.inf]])[None]
PROBIT = LINKS["probit"]


def enumerated(lower: list[float], upper: list[float], n: int, theta: float) -> float:
    """Probability of all counts within the bounds, by walking through every one of them."""
    chance = ndtr(theta - Z)
    cells = -np.diff(np.concatenate([[1.0], chance, [0.0]]))
    told = [(0, n) if np.isnan(lo) else (int(lo), int(hi)) for lo, hi in zip(lower, upper, strict=True)]
    total = 0.0
    for reached in itertools.product(*(range(lo, hi + 1) for lo, hi in told)):
        counts = -np.diff(np.array([n, *reached, 0]))
        if (counts >= 0).all():
            total += np.exp(lgamma(n + 1) - sum(lgamma(m + 1) for m in counts) + (counts * np.log(cells)).sum())
    return float(np.log(total))


@st.composite
def reports(draw: st.DrawFn) -> tuple[list[float], list[float], int]:
    n = draw(st.integers(1, 7))
    reached, most = [], n
    for _ in Z:
        most = draw(st.integers(0, most))
        reached.append(most)
    told = draw(st.lists(st.booleans(), min_size=4, max_size=4))
    slack = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=4))
    lower = [float(max(x - s[0], 0)) if t else np.nan for x, t, s in zip(reached, told, slack, strict=True)]
    upper = [float(min(x + s[1], n)) if t else np.nan for x, t, s in zip(reached, told, slack, strict=True)]
    return lower, upper, n


@given(reports(), st.floats(-2, 2))
@settings(max_examples=60)
def test_censored_multinomial_equals_brute_force_enumeration(
    report: tuple[list[float], list[float], int], theta: float
) -> None:
    lower, upper, n = report
    data = categories(tightened(np.array([lower]), np.array([upper]), np.array([float(n)])))
    ours = log_likelihood(data, np.array([[theta]]), PADDED, PROBIT)[0, 0]
    assert ours == pytest.approx(enumerated(lower, upper, n, theta), abs=1e-10)


@given(reports(), st.floats(-1.5, 1.5), st.floats(0.0, 1.5))
@settings(max_examples=25)
def test_integral_over_levels_equals_adaptive_quadrature(
    report: tuple[list[float], list[float], int], mu: float, tau: float
) -> None:
    lower, upper, n = report
    data = categories(tightened(np.array([lower]), np.array([upper]), np.array([float(n)])))
    ours = np.exp(integrated(data, np.array([mu]), np.array([tau]), PADDED, PROBIT).value[0])

    def integrand(u: float) -> float:
        value = log_likelihood(data, np.array([[mu + tau * u]]), PADDED, PROBIT)[0, 0]
        return float(np.exp(value - 0.5 * u * u) / np.sqrt(2 * np.pi))

    assert ours == pytest.approx(quad(integrand, -9, 9, epsabs=1e-12, limit=200)[0], rel=1e-8)


@pytest.mark.parametrize("counts", [[0, 0, 0, 0], [1, 0, 0, 0], [380, 301, 190, 77], [400, 400, 400, 400]])
@pytest.mark.parametrize(("mu", "tau"), [(-0.3, 0.8), (2.0, 2.5)])
def test_a_large_study_is_integrated_where_its_likelihood_lies(counts: list[float], mu: float, tau: float) -> None:
    told = np.array([counts], dtype=float)
    data = categories(tightened(told, told, np.array([400.0])))
    ours = integrated(data, np.array([mu]), np.array([tau]), PADDED, PROBIT).value[0]
    u = np.linspace(-9, 9, 200_001)
    logs = log_likelihood(data, mu + tau * u[None], PADDED, PROBIT)[0] - 0.5 * u**2
    whole = logs.max() + np.log(np.exp(logs - logs.max()).sum() * (u[1] - u[0]) / np.sqrt(2 * np.pi))
    assert ours == pytest.approx(whole, abs=1e-7)  # where everyone responds, a little lies beyond eight deviations


@given(reports(), reports())
@settings(max_examples=25)
def test_rows_at_common_levels_are_evaluated_as_each_alone(
    first: tuple[list[float], list[float], int], second: tuple[list[float], list[float], int]
) -> None:
    lower, upper, n = (np.array([a, b], dtype=float) for a, b in zip(first, second, strict=True))
    data = categories(tightened(lower, upper, n))
    theta, z = np.linspace(-3, 3, 13), np.concatenate([PADDED, PADDED * 1.2])
    together = common_log_likelihood(data, theta, z, PROBIT)
    for node in range(2):
        alone = log_likelihood(data, np.stack([theta, theta]), z[[node, node]], PROBIT)
        assert together[node] == pytest.approx(alone, abs=1e-10)


def test_quantiles_of_a_mixture_are_where_its_distribution_function_says() -> None:
    atoms = np.arange(-6, 6, 0.01)
    weights = np.exp(-0.5 * atoms**2) * np.array([[0.3], [0.7]])
    first, wanted = np.array([[-6.0, -5.0], [-6.0, -6.0]]), np.array([0.025, 0.5])
    found = mixture_quantiles(first, 0.01, weights / weights.sum(), wanted)
    for shift, row in ((1.0, found[0]), (0.0, found[1])):
        for p, quantile in zip(wanted, row, strict=True):
            exact = brentq(lambda x, p=p, shift=shift: 0.3 * ndtr(x) + 0.7 * ndtr(x - shift) - p, -6, 6)
            assert quantile == pytest.approx(exact, abs=2e-4)


def test_score_is_the_derivative_of_the_likelihood() -> None:
    data = categories(tightened(np.array([[8, 6, 5, 3.0]]), np.array([[9, 8, 6, 3.0]]), np.array([17.0])))

    def value(mu: float, tau: float, z: np.ndarray) -> float:
        return float(integrated(data, np.array([mu]), np.array([tau]), z, PROBIT).value[0])

    found = integrated(data, np.array([-0.3]), np.array([0.6]), PADDED, PROBIT)
    step = 1e-6
    assert found.mu[0] == pytest.approx(
        (value(-0.3 + step, 0.6, PADDED) - value(-0.3 - step, 0.6, PADDED)) / 2e-6, abs=1e-6
    )
    assert found.tau[0] == pytest.approx(
        (value(-0.3, 0.6 + step, PADDED) - value(-0.3, 0.6 - step, PADDED)) / 2e-6, abs=1e-6
    )
    for t in range(1, 5):
        ahead, behind = PADDED.copy(), PADDED.copy()
        ahead[0, t] += step
        behind[0, t] -= step
        assert found.z[0, t] == pytest.approx((value(-0.3, 0.6, ahead) - value(-0.3, 0.6, behind)) / 2e-6, abs=1e-6)


def test_a_bound_that_follows_from_others_is_dropped() -> None:
    # Cheng 2022: PASI50 between PASI75 (6) and PASI40 (8) says nothing new
    bounds = tightened(np.array([[8, 6, 6, 3.0]]), np.array([[8, 8, 6, 3.0]]), np.array([17.0]))
    assert bounds.informative.tolist() == [[True, False, True, True]]
    assert (bounds.lower[0, 1], bounds.upper[0, 1]) == (6, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"events_upper": 20}, r"counts, row 1 \(study Cheng\): events lie outside 0 to n"),
        ({"n": 0}, "n leaves the study empty"),
        ({"threshold": 175}, "threshold is no percentage"),
        ({"events_lower": 9}, "events_lower exceeds events_upper; swap"),
        ({"events_lower": 3.5}, "not whole; give numbers of patients"),
        ({"n": 18}, r"row 2 \(study Cheng\): n differs between thresholds"),
        ({"threshold": 50}, "repeats a study and threshold"),
        ({"n": None}, "n is no number"),
    ],
)
def test_bad_rows_are_refused_by_name_with_a_remedy(review: pd.DataFrame, change: dict, message: str) -> None:
    for column, value in change.items():
        review[column] = review[column].astype(object)
        review.loc[0, column] = value
    with pytest.raises(PasimetaError, match=message):
        read_counts(review)


def test_a_table_without_studies_is_refused(review: pd.DataFrame) -> None:
    with pytest.raises(PasimetaError, match="counts: no study at all; give at least one row"):
        read_counts(review.iloc[:0])


def test_contradicting_thresholds_are_refused(review: pd.DataFrame) -> None:
    review.loc[3, ["events_lower", "events_upper"]] = 7
    with pytest.raises(PasimetaError, match=r"study Cheng: at PASI.* counts can't rise with the threshold"):
        read_counts(review).bounds()


def test_more_told_patients_than_responders_are_refused(review: pd.DataFrame) -> None:
    told = pd.DataFrame({"study": ["Yao"] * 3, "improvement": [60.0, 70.0, 80.0]})
    with pytest.raises(PasimetaError, match="more told patients reach a threshold than the counts allow"):
        read_counts(review, told)
