"""Many reviews at once: the truth is found, intervals hold it, and a review alone gives what it gives among others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from pasimeta.synthesis.thresholds.arms import arm_categories
from pasimeta.synthesis.thresholds.categories import categories, tightened
from pasimeta.synthesis.thresholds.cutpoints import cutpoints
from pasimeta.synthesis.thresholds.links import LINKS
from pasimeta.synthesis.thresholds.model import Reviews, ThresholdModel
from pasimeta.synthesis.thresholds.profile import fitted, mu_limits

THRESHOLDS = np.array([50.0, 75.0, 90.0])
MU, TAU, SHAPE = -0.3, 0.3, np.array([[np.log(0.75), np.log(0.06)]])


def drawn(rng: np.random.Generator, level: np.ndarray, n: np.ndarray, z: np.ndarray) -> np.ndarray:
    latent = [np.sort(level_i + rng.standard_normal(int(m))) for level_i, m in zip(level, n, strict=True)]
    return np.array([[(x >= cut).sum() for cut in z] for x in latent], dtype=float)


@pytest.fixture(scope="module")
def many() -> ThresholdModel:
    rng = np.random.default_rng(7)
    reviews, k, arms = 60, 6, 4
    form = cutpoints("offset_log", THRESHOLDS, 50.0)
    z = form.at(SHAPE, THRESHOLDS)[0]
    n = rng.integers(8, 31, reviews * k).astype(float)
    counts = drawn(rng, rng.normal(MU, TAU, reviews * k), n, z)
    lower, upper = counts.copy(), counts.copy()
    lower[::3, 1] = np.maximum(counts[::3, 1] - 2, 0)
    upper[::3, 1] = np.minimum(counts[::3, 1] + 1, n[::3])
    lower[1::4, 0] = upper[1::4, 0] = np.nan
    size = np.full(reviews * arms, 200.0)
    seen = drawn(rng, rng.normal(0.4, 0.4, reviews * arms), size, z)
    return ThresholdModel(
        THRESHOLDS,
        form,
        LINKS["probit"],
        Reviews(categories(tightened(lower, upper, n)), np.arange(reviews * k).reshape(reviews, k)),
        Reviews(arm_categories(tightened(seen, seen, size)), np.arange(reviews * arms).reshape(reviews, arms)),
    )


def test_the_truth_is_recovered_and_covered(many: ThresholdModel) -> None:
    fit = fitted(many)
    assert fit.converged.all()
    error = fit.x[:, 0] - MU
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
    z = many.cutpoints.at(fit.x[:, 2:], THRESHOLDS).mean(axis=0)
    assert z == pytest.approx(many.cutpoints.at(SHAPE, THRESHOLDS)[0], abs=0.06)
    lower, upper = mu_limits(many, fit, 0.95, np.array([50.0]))
    covered = ((lower <= MU) & (upper >= MU)).mean()
    assert covered >= 0.83  # nominal 0.95; profile limits of six studies fall a little short, and 60 reviews scatter
    assert (ndtr(upper) - ndtr(lower)).mean() < 0.5


def test_a_review_alone_gives_what_it_gives_among_others(many: ThresholdModel) -> None:
    fit = fitted(many)
    for review in (0, 17):
        alone = ThresholdModel(
            THRESHOLDS,
            many.cutpoints,
            many.link,
            Reviews(many.studies.data, many.studies.members[[review]]),
            Reviews(many.arms.data, many.arms.members[[review]]),
        )
        single = fitted(alone)
        assert single.x[0] == pytest.approx(fit.x[review], abs=1e-4)
        assert single.value[0] == pytest.approx(fit.value[review], abs=1e-8)
