"""Does the threshold model find the truth, and do its intervals cover it? Simulated reviews of small single-arm trials.

Each review: k studies of 3 to 30 patients, each reporting one to four of PASI40, 50, 75 and 90, a third of the counts
only within bounds; six comparator arms of 150 patients. Run from the project's root: python benchmarks/thresholds.py
[reviews]. Writes benchmarks/results/thresholds.csv. No loop over reviews: all of a scenario are fitted at once.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.arms import arm_categories
from pasimeta.synthesis.thresholds.bayes import check_priors, posterior
from pasimeta.synthesis.thresholds.categories import Bounds, categories, tightened
from pasimeta.synthesis.thresholds.cutpoints import cutpoints
from pasimeta.synthesis.thresholds.links import LINKS
from pasimeta.synthesis.thresholds.model import Reviews, ThresholdModel
from pasimeta.synthesis.thresholds.profile import fitted, mu_limits

THRESHOLDS = np.array([40.0, 50.0, 75.0, 90.0])
SHAPE = np.array([[np.log(0.75), np.log(0.06)]])
MU, LEVEL = -0.3, 0.95
ARMS, ARM_SIZE = 6, 150
BLOCK = 20
POSTERIORS = 200
SCENARIOS = ((3, 0.3), (2, 0.3), (6, 0.3), (3, 0.0), (3, 0.6), (4, 0.3))


def reached(rng: np.random.Generator, level: Array, n: Array, z: Array) -> Array:
    """Patients of each study who reach each threshold, shape (rows, T)."""
    above = ndtr(level[:, None] - z)
    counts = np.empty(above.shape)
    left, chance = n.astype(int), above[:, 0]
    for t in range(len(z)):
        counts[:, t] = left = rng.binomial(left, np.clip(chance, 0, 1))
        if t + 1 < len(z):
            chance = above[:, t + 1] / above[:, t]
    return counts


def reported(rng: np.random.Generator, counts: Array, n: Array) -> Bounds:
    """What is told of the counts: some thresholds, some of them within bounds."""
    rows, size = counts.shape
    told = rng.random((rows, size)) < 0.6
    told[np.arange(rows), rng.integers(0, size, rows)] = True
    vague = rng.random((rows, size)) < 1 / 3
    lower = counts - vague * rng.integers(0, 3, (rows, size))
    upper = counts + vague * rng.integers(0, 3, (rows, size))
    lower, upper = np.maximum(lower, 0), np.minimum(upper, n[:, None])
    return tightened(np.where(told, lower, np.nan), np.where(told, upper, np.nan), n)


def simulated(rng: np.random.Generator, reviews: int, k: int, tau: float) -> ThresholdModel:
    """Many reviews as one model."""
    form = cutpoints("offset_log", THRESHOLDS, 50.0)
    z = form.at(SHAPE, THRESHOLDS)[0]
    n = rng.integers(3, 31, reviews * k).astype(float)
    studies = categories(reported(rng, reached(rng, rng.normal(MU, tau, reviews * k), n, z), n))
    size = np.full(reviews * ARMS, float(ARM_SIZE))
    counts = reached(rng, rng.normal(0.3, 0.5, reviews * ARMS), size, z)
    counts[:, 0] = np.nan
    arms = arm_categories(tightened(counts, counts, size))
    return ThresholdModel(
        THRESHOLDS,
        form,
        LINKS["probit"],
        Reviews(studies, np.arange(reviews * k).reshape(reviews, k)),
        Reviews(arms, np.arange(reviews * ARMS).reshape(reviews, ARMS)),
    )


def quantiles(mu: Array, mass: Array, probability: float) -> Array:
    """Quantile of each review's distribution on one grid, shape (reviews,)."""
    middle = np.cumsum(mass, axis=1) - 0.5 * mass
    after = np.clip((middle < probability).sum(axis=1), 1, len(mu) - 1)
    rows = np.arange(len(mass))
    low, high = middle[rows, after - 1], middle[rows, after]
    share = np.clip((probability - low) / np.maximum(high - low, 1e-12), 0, 1)
    return mu[after - 1] + share * (mu[after] - mu[after - 1])


def by_bayes(model: ThresholdModel) -> tuple[Array, Array, Array]:
    """Posterior median of mu and its limits, of the first reviews."""
    few = slice(0, min(POSTERIORS, model.reviews))
    model = replace(
        model,
        studies=Reviews(model.studies.data, model.studies.members[few]),
        arms=Reviews(model.arms.data, model.arms.members[few]),
    )
    penalized = replace(model, penalty_sd=1.0, _levels={})
    mode = fitted(penalized, starts=(0.3,))
    priors = check_priors(("half_normal", 0.5), None)
    found = []
    for first in range(0, model.reviews, BLOCK):
        block = slice(first, first + BLOCK)
        part = replace(
            penalized,
            studies=Reviews(model.studies.data, model.studies.members[block]),
            arms=Reviews(model.arms.data, model.arms.members[block]),
        )
        piece = replace(mode, x=mode.x[block], value=mode.value[block], information=mode.information[block])
        result = posterior(part, piece, priors, mu_range=(-4.5, 3.5), shape_nodes=3)
        mu = np.unique(result.mu)
        mass = result.weight.sum(axis=1).reshape(len(result.weight), len(mu), -1).sum(axis=2)
        found.append(np.stack([quantiles(mu, mass, p) for p in (0.5, (1 - LEVEL) / 2, 0.5 + LEVEL / 2)]))
    median, lower, upper = np.concatenate(found, axis=1)
    return median, lower, upper


def row(method: str, k: int, tau: float, estimate: Array, lower: Array, upper: Array) -> dict[str, object]:
    """One line of the report; shares of patients reaching PASI50 are what a reader sees."""
    share, truth = ndtr(estimate), float(ndtr(MU))
    covered = (lower <= MU) & (upper >= MU)
    return {
        "method": method,
        "k": k,
        "tau": tau,
        "reviews": len(estimate),
        "bias_points": 100 * (share.mean() - truth),
        "median_error": float(np.median(estimate) - MU),
        "coverage": covered.mean(),
        "coverage_se": float(np.sqrt(covered.mean() * (1 - covered.mean()) / len(estimate))),
        "width_points": 100 * float((ndtr(upper) - ndtr(lower)).mean()),
        "below": float((upper < MU).mean()),
        "above": float((lower > MU).mean()),
    }


def main(reviews: int) -> None:
    rng = np.random.default_rng(20251122)
    target = Path(__file__).parent / "results" / "thresholds.csv"
    rows: list[dict[str, object]] = []
    for k, tau in SCENARIOS:
        model = simulated(rng, reviews, k, tau)
        begin = time.perf_counter()
        fit = fitted(model)
        fit_seconds = time.perf_counter() - begin
        lower, upper = mu_limits(model, fit, LEVEL, np.array([50.0]))
        limit_seconds = time.perf_counter() - begin - fit_seconds
        rows.append(row("ML, profile", k, tau, fit.x[:, 0], lower[:, 0], upper[:, 0]))
        rows[-1] |= {"tau_estimate": fit.x[:, 1].mean(), "converged": fit.converged.mean()}
        median, low, high = by_bayes(model)
        bayes_seconds = time.perf_counter() - begin - fit_seconds - limit_seconds
        rows.append(row("Bayes, half-normal 0.5", k, tau, median, low, high))
        print(
            f"k={k} tau={tau:g}: fit {fit_seconds:.1f} s, limit {limit_seconds:.1f} s, posterior {bayes_seconds:.1f} s"
            f"; coverage {rows[-2]['coverage']:.3f}, {rows[-1]['coverage']:.3f}",
            flush=True,
        )
        table = pd.DataFrame(rows).sort_values(["k", "tau", "method"], kind="stable")
        target.parent.mkdir(exist_ok=True)
        table.to_csv(target, index=False, float_format="%.4g", lineterminator="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 250)
