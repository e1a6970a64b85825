"""The likelihood's maximum is the global one, against brute force and against data built to mislead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasimeta.synthesis import pool
from pasimeta.synthesis.likelihood import stationary_bound
from pasimeta.synthesis.projection import intercept, score_terms, solve_generalized_q

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

#: Two precise studies agree and the others scatter: the likelihood has a maximum at 0 and another far from it.
BIMODAL_YI = np.array([0.0, 0.0, 3.0, -3.2, 2.9])
BIMODAL_VI = np.array([1e-4, 1e-4, 4.0, 4.0, 4.0])


def log_likelihood(yi: np.ndarray, vi: np.ndarray, tau2: np.ndarray, restricted: bool) -> np.ndarray:
    """Evaluate the profile log-likelihood by its definition, up to a constant, on a grid of tau2."""
    w = 1.0 / (vi[:, None] + tau2)
    mean = (w * yi[:, None]).sum(axis=0) / w.sum(axis=0)
    value = 0.5 * np.log(w).sum(axis=0) - 0.5 * (w * (yi[:, None] - mean) ** 2).sum(axis=0)
    return value - 0.5 * np.log(w.sum(axis=0)) if restricted else value


@pytest.mark.parametrize("method", ["ML", "REML"])
@given(
    data=st.lists(st.tuples(st.floats(-3, 3), st.floats(-4, 1)), min_size=2, max_size=12),
    spread=st.sampled_from([0.03, 0.3, 3.0]),
)
@settings(max_examples=100)
def test_no_tau2_on_a_fine_grid_is_more_likely(method: str, data: list, spread: float) -> None:
    yi, vi = np.array(data).T
    yi, vi = spread * yi, 10.0**vi
    tau2 = pool(yi, vi, method).tau2
    grid = np.concatenate([[0.0], np.geomspace(1e-8, 1e4, 5000)])
    reached = log_likelihood(yi, vi, np.array([tau2]), method == "REML")[0]
    assert reached >= log_likelihood(yi, vi, grid, method == "REML").max() - 1e-9


@pytest.mark.parametrize("method", ["ML", "REML"])
def test_the_higher_of_two_maxima_is_taken(method: str) -> None:
    restricted = method == "REML"
    grid = np.concatenate([[0.0], np.geomspace(1e-7, 1e3, 20_001)])
    switched = set()
    for factor in np.linspace(1.0, 4.0, 31):
        value = log_likelihood(factor * BIMODAL_YI, BIMODAL_VI, grid, restricted)
        tau2 = pool(factor * BIMODAL_YI, BIMODAL_VI, method).tau2
        assert tau2 == pytest.approx(grid[value.argmax()], rel=2e-3)
        switched.add(tau2 > 0)
    assert switched == {False, True}


@pytest.mark.parametrize("method", ["ML", "REML"])
@given(seed=st.integers(0, 10_000), k=st.integers(2, 6), d=st.integers(2, 6))
def test_neighbouring_data_sets_dont_disturb_each_other(method: str, seed: int, k: int, d: int) -> None:
    generator = np.random.default_rng(seed)
    vi = 10.0 ** generator.uniform(-3, 1, (k, d))
    yi = generator.normal(0, np.sqrt(vi + generator.choice([0, 0.1, 5], d)))
    alone = [pool(yi[:, i], vi[:, i], method).tau2 for i in range(d)]
    np.testing.assert_allclose(pool(yi, vi, method).tau2, alone, rtol=1e-9, atol=1e-14)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-5, 3)), min_size=2, max_size=8))
def test_the_score_is_negative_beyond_the_stationary_bound(data: list) -> None:
    yi, vi = np.array(data).T
    y, v, X = yi[:, None], 10.0 ** vi[:, None], intercept(len(yi))
    for restricted in (True, False):
        bound = np.maximum(stationary_bound(y, v, X, restricted=restricted), 0.0)
        for beyond in (bound, 1.5 * bound + 1e-3, 100.0 * bound + 1.0):
            terms = score_terms(y, v, X, beyond, restricted=restricted)
            assert terms.quadratic[0] <= terms.trace[0] * (1 + 1e-9)


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("p", [1, 2, 3])
def test_score_terms_agree_with_explicit_matrices(p: int, restricted: bool) -> None:
    generator = np.random.default_rng(p)
    y, v = generator.normal(size=(7, 4)), generator.uniform(0.1, 2, (7, 4))
    X = np.column_stack([np.ones(7), *generator.normal(size=(p - 1, 7))])
    tau2 = generator.uniform(0, 1, 4)
    terms = score_terms(y, v, X, tau2, restricted=restricted)
    for i in range(4):
        W = np.diag(1 / (v[:, i] + tau2[i]))
        P = W - W @ X @ np.linalg.inv(X.T @ W @ X) @ X.T @ W
        M = P if restricted else W
        expected = (np.trace(M), np.trace(M @ M), y[:, i] @ P @ P @ y[:, i], y[:, i] @ P @ P @ P @ y[:, i])
        np.testing.assert_allclose([term[i] for term in terms], expected, rtol=1e-10)


def test_the_generalized_q_meets_its_target_over_nine_orders_of_magnitude() -> None:
    generator = np.random.default_rng(5)
    v = 10.0 ** generator.uniform(-5, 4, (6, 2000))
    y = generator.normal(size=(6, 2000)) * 10.0 ** generator.uniform(-4, 4, 2000)
    tau2 = solve_generalized_q(y, v, intercept(6), 5.0)

    def q_at(tau2: np.ndarray) -> np.ndarray:
        w = 1.0 / (v + tau2)
        mean = (w * y).sum(axis=0) / w.sum(axis=0)
        return (w * (y - mean) ** 2).sum(axis=0)

    reached, at_zero = q_at(tau2), q_at(np.zeros(2000))
    np.testing.assert_allclose(reached[at_zero > 5], 5.0, rtol=1e-6)
    assert (tau2[at_zero <= 5] == 0).all()
