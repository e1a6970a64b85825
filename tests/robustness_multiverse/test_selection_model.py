"""The selection model has the limits it must have, and finds the rate it was simulated from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import binom

from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.robustness import missing_evidence_selection, selection_model
from pasimeta.synthesis.common_rate import chi2_quantile
from pasimeta.synthesis.quadrature import BinomialNormalIntegral

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


def likelihood(mu: float, a: float, strength: float, events: list[int], n: list[int], silent: list[int]) -> float:
    p, total = expit(mu), 0.0
    for x, m in zip(events, n, strict=True):
        total += binom.logpmf(x, m, p) + np.log(expit(a + strength * x / m))
    for m in silent:
        x = np.arange(m + 1)
        total += np.log((binom.pmf(x, m, p) * (1 - expit(a + strength * x / m))).sum())
    return total


def test_without_selection_nothing_is_adjusted() -> None:
    row = selection_model([6, 2], [17, 7], [9, 8, 8], strengths=[0]).sweep.iloc[0]
    assert row["estimate"] == pytest.approx(8 / 24, abs=1e-6)
    assert row["reported_at_0"] == pytest.approx(2 / 5, abs=1e-4)
    assert row["unreported_rate"] == pytest.approx(8 / 24, abs=1e-6)
    for end in ("ci_lower", "ci_upper"):  # likelihood-ratio interval of one binomial rate
        ratio = 2 * (binom.logpmf(8, 24, 8 / 24) - binom.logpmf(8, 24, row[end]))
        assert ratio == pytest.approx(chi2_quantile(0.95), abs=1e-4)


def test_without_selection_and_with_a_spread_it_is_the_binomial_normal_model() -> None:
    row = selection_model([6, 2], [17, 7], [9], strengths=[0], tau=0.8).sweep.iloc[0]
    integral = BinomialNormalIntegral(np.array([[6.0], [2.0]]), np.array([[17.0], [7.0]]))
    grid = np.linspace(-3, 2, 20001)
    values = integral(grid, np.full(grid.shape, 0.64), np.zeros(grid.shape, dtype=np.intp), 0).log_likelihood.sum(
        axis=0
    )
    assert logit(row["estimate"]) == pytest.approx(grid[values.argmax()], abs=3e-4)
    inside = grid[values >= values.max() - chi2_quantile(0.95) / 2]
    assert logit(row["ci_lower"]) == pytest.approx(inside[0], abs=5e-4)
    assert logit(row["ci_upper"]) == pytest.approx(inside[-1], abs=5e-4)


@pytest.mark.parametrize("strength", [3.0, 8.0, -4.0])
def test_the_maximum_is_that_of_a_general_optimizer(strength: float) -> None:
    events, n, silent = [6, 2], [17, 7], [9, 8]
    row = selection_model(events, n, silent, strengths=[strength]).sweep.iloc[0]
    best = min(
        (
            minimize(
                lambda v: -likelihood(v[0], v[1], strength, events, n, silent),
                [-0.6, a],
                method="Nelder-Mead",
                options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000},
            )
            for a in (-strength, 0.0)
        ),
        key=lambda fit: fit.fun,
    )
    assert row["log_likelihood"] == pytest.approx(-best.fun, abs=1e-11)
    assert row["estimate"] == pytest.approx(expit(best.x[0]), abs=5e-7)
    assert row["reported_at_0"] == pytest.approx(expit(best.x[1]), abs=5e-7)


def test_many_strengths_are_worked_through_in_turn_with_the_same_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = selection_model([6, 2], [17, 7], [9, 8], strengths=range(7), tau=0.5).sweep
    monkeypatch.setattr(missing_evidence_selection, "_BLOCK_ELEMENTS", 1)
    pd.testing.assert_frame_equal(selection_model([6, 2], [17, 7], [9, 8], strengths=range(7), tau=0.5).sweep, whole)


def test_it_finds_the_rate_that_was_simulated_where_the_naive_pool_does_not() -> None:
    rng = np.random.default_rng(7)
    truth, a, strength = 0.30, -2.5, 6.0
    n = np.full(2500, 10)
    x = rng.binomial(n, truth)
    reported = rng.random(n.size) < expit(a + strength * x / n)
    result = selection_model(x[reported], n[reported], n[~reported], strengths=[0, strength]).sweep
    naive, adjusted = result["estimate"]
    assert naive > truth + 0.04
    # about 160 standard errors of nothing: 25,000 patients give the rate to 0.006
    assert adjusted == pytest.approx(truth, abs=0.015)
    assert result.iloc[1]["reported_at_0"] == pytest.approx(expit(a), abs=0.03)
    assert result.iloc[1]["unreported_rate"] == pytest.approx((x / n)[~reported].mean(), abs=0.015)


def test_stronger_selection_lowers_the_rate_and_hardly_moves_the_likelihood() -> None:
    result = selection_model([6], [17], [9, 8, 8], strengths=range(0, 21, 2))
    assert (np.diff(result.sweep["estimate"]) < 0).all()
    assert result.sweep["likelihood_drop"].max() < 0.5
    assert (result.sweep["unreported_rate"] <= result.sweep["estimate"] + 1e-9).all()


def test_good_results_hidden_raise_it() -> None:
    low, high = selection_model([6], [17], [9], strengths=[0, -6]).sweep["estimate"]
    assert high > low


def test_no_responder_gives_a_rate_of_zero_and_a_one_sided_interval() -> None:
    row = selection_model([0, 0], [6, 5], [4], strengths=[0]).sweep.iloc[0]
    assert (row["estimate"], row["ci_lower"]) == (0, 0)
    assert row["ci_upper"] == pytest.approx(-np.expm1(-0.5 * chi2_quantile(0.95) / 11), abs=1e-5)


def test_the_strength_is_doubted_always() -> None:
    with pytest.warns(PasimetaWarning, match="assumed, not estimated"):
        selection_model([6], [17], [9], strengths=[0, 1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unreported": [0]}, "unreported"),
        ({"unreported": []}, "no study at all"),
        ({"tau": -1}, "tau"),
        ({"strengths": [300]}, "strengths"),
        ({"events": [18]}, "exceeds"),
        ({"level": 0}, "level"),
    ],
)
def test_what_cannot_be_is_refused(change: dict, words: str) -> None:
    given = {"events": [6], "n": [17], "unreported": [9], **change}
    with pytest.raises(PasimetaError, match=words):
        selection_model(given.pop("events"), given.pop("n"), given.pop("unreported"), **given)
