"""The bootstrap prediction interval: its published example, its reproducibility, and its law of tau2."""

import numpy as np
import pytest

from pasimeta.synthesis import pool
from pasimeta.synthesis.projection import generalized_q, intercept

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

#: Thirteen cisapride trials (Hartung J, Knapp G. Stat Med 2001;20:3875-3889): log odds ratios and standard errors.
CISAPRIDE_YI = [2.0989861, 3.3570262, 1.5652318, 0.8640463, 1.4656407, 2.2325713, 1.5465488]
CISAPRIDE_YI += [0.4125323, 2.1202635, 1.8071598, 2.7646729, -0.3544099, 0.2058521]
CISAPRIDE_SE = [0.9847737, 1.0165653, 0.5747840, 0.4042977, 0.6332968, 0.4481371, 0.7782417]
CISAPRIDE_SE += [0.3721812, 0.8265438, 0.6022988, 0.5382109, 0.5555283, 0.4541130]


def test_the_cisapride_interval_agrees_with_pimeta() -> None:
    # R's pimeta 1.1.2, vignette: 25,000 draws, -0.6283 to 3.5173; the Monte Carlo error of either limit is about 0.02.
    result = pool(CISAPRIDE_YI, np.square(CISAPRIDE_SE), "DL", prediction="bootstrap")
    assert result.tau2 == pytest.approx(0.7176, abs=5e-5)
    assert result.pi_lower == pytest.approx(-0.6283, abs=0.05)
    assert result.pi_upper == pytest.approx(3.5173, abs=0.05)


def test_the_same_seed_gives_the_same_digits_and_another_seed_others() -> None:
    data = (CISAPRIDE_YI, np.square(CISAPRIDE_SE))
    first, again, other = (pool(*data, prediction="bootstrap", seed=seed) for seed in (7, 7, 8))
    assert (first.pi_lower, first.pi_upper) == (again.pi_lower, again.pi_upper)
    assert first.pi_lower != other.pi_lower
    assert first.pi_lower == pytest.approx(other.pi_lower, abs=0.08)


def test_q_follows_the_weighted_sum_of_chi_squares_that_the_draws_of_tau2_invert() -> None:
    # Q ~ sum (1 + tau2 a_j) chi2_1, a_j the positive eigenvalues of P at tau2 = 0: compare quantiles by simulation.
    generator = np.random.default_rng(1)
    v, tau2, draws = np.array([0.1, 0.3, 1.0, 0.05]), 0.4, 200_000
    y = generator.normal(0, np.sqrt(v + tau2)[:, None], (4, draws))
    q, _ = generalized_q(y, np.broadcast_to(v[:, None], y.shape), intercept(4), 0.0)
    w = 1 / v
    eigenvalues = np.linalg.eigvalsh(np.diag(w) - np.outer(w, w) / w.sum())[1:]
    law = (1 + tau2 * eigenvalues) @ generator.chisquare(1, (3, draws))
    levels = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(np.quantile(q, levels), np.quantile(law, levels), rtol=0.02)


def test_many_data_sets_get_each_its_own_interval() -> None:
    y = np.column_stack([CISAPRIDE_YI, np.array(CISAPRIDE_YI) + 1.0])
    v = np.tile(np.square(CISAPRIDE_SE)[:, None], (1, 2))
    result = pool(y, v, prediction="bootstrap")
    alone = pool(CISAPRIDE_YI, np.square(CISAPRIDE_SE), prediction="bootstrap")
    assert result.pi_lower[0] == pytest.approx(alone.pi_lower, rel=1e-9)
    assert result.pi_lower[1] == pytest.approx(alone.pi_lower + 1.0, rel=1e-9)
