"""Two roads to the same limits: Newton's method on all of them at once, and nested bracketed searches."""

import numpy as np
import pytest

from pasimeta.synthesis.beta_binomial import BetaBinomial
from pasimeta.synthesis.binomial_normal import BinomialNormal
from pasimeta.synthesis.joint_newton import joint_newton
from pasimeta.synthesis.profile_limits import heterogeneity_limits, location_limits, maximum
from pasimeta.synthesis.profile_model import scan_profile, with_maximum

CUT = 1.920729410347062


def random_counts(k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A hundred data sets with an event, a non-event, and a study that is neither empty nor full."""
    generator = np.random.default_rng([seed, k])
    n = generator.choice([3, 5, 12, 30, 100], (k, 130))
    log_odds = generator.normal(-1, 1.5, 130) + generator.choice([0, 0.5, 2], 130) * generator.standard_normal((k, 130))
    events = generator.binomial(n, 1 / (1 + np.exp(-log_odds)))
    kept = ((events > 0) & (events < n)).any(axis=0)
    return events[:, kept][:, :100].astype(float), n[:, kept][:, :100].astype(float)


@pytest.mark.parametrize("likelihood", [BinomialNormal, BetaBinomial])
@pytest.mark.parametrize("k", [2, 3, 5, 10])
def test_both_roads_end_at_the_same_limits(likelihood, k: int) -> None:
    model = likelihood(*random_counts(k, 1))
    scan = scan_profile(model, CUT)
    together = joint_newton(model, scan, CUT)
    top = maximum(model, scan)
    grid = with_maximum(scan, top)
    h_limits = heterogeneity_limits(model, grid, top, CUT)
    mu_limits = location_limits(model, grid, top, CUT, *h_limits)
    ok = together.ok
    assert ok.mean() > 0.8
    found = (
        together.top.value,
        together.top.h,
        together.mu_lower,
        together.mu_upper,
        together.h_lower,
        together.h_upper,
    )
    for joint, searched in zip(found, (top.value, top.h, *mu_limits, *h_limits), strict=True):
        np.testing.assert_allclose(joint[ok], searched[ok], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("likelihood", [BinomialNormal, BetaBinomial])
def test_second_derivatives_are_those_of_the_scores(likelihood) -> None:
    model = likelihood(*random_counts(5, 2))
    columns = np.arange(20)
    mu, h, step = np.linspace(-2, 1, 20), np.geomspace(0.02, 4, 20), 1e-5
    here = model.terms(mu, h, columns)
    up, down = model.terms(mu + step, h, columns), model.terms(mu - step, h, columns)
    np.testing.assert_allclose((up.value - down.value) / (2 * step), here.m, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose((up.m - down.m) / (2 * step), here.mm, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose((up.h - down.h) / (2 * step), here.mh, rtol=1e-4, atol=1e-4)
    up, down = model.terms(mu, h + step, columns), model.terms(mu, h - step, columns)
    np.testing.assert_allclose((up.value - down.value) / (2 * step), here.h, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose((up.h - down.h) / (2 * step), here.hh, rtol=1e-3, atol=1e-3)
