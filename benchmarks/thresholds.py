"""Does the threshold model find the truth, and do its intervals cover it? Simulated reviews of small single-arm trials.

Each review has k studies, each of which counts one to four of PASI40, 50, 75 and 90, a third of the counts only within
bounds, and six comparator arms of 150 patients that count PASI50, 75 and 90. Run from the project's root:
``python benchmarks/thresholds.py``. Writes benchmarks/results/thresholds.csv and docs/thresholds_coverage.md. No loop
over reviews: all of a scenario are fitted at once. ``--timing`` fits 1,000 reviews and says how long that took.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtrit

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.arms import arm_categories
from pasimeta.synthesis.thresholds.bayes import Posterior, check_priors, mu_marginal, posterior
from pasimeta.synthesis.thresholds.categories import Bounds, Indices, categories, tightened
from pasimeta.synthesis.thresholds.cutpoints import cutpoints
from pasimeta.synthesis.thresholds.grid import mixture_quantiles
from pasimeta.synthesis.thresholds.links import LINKS
from pasimeta.synthesis.thresholds.model import Reviews, ThresholdModel
from pasimeta.synthesis.thresholds.profile import Fit, fitted, mu_limits, standard_error

THRESHOLDS = np.array([40.0, 50.0, 75.0, 90.0])
SHAPE = np.array([[np.log(0.75), np.log(0.06)]])
MU, LEVEL, TAU_PRIOR = -0.3, 0.95, ("half_normal", 0.5)
TOLD = np.array([50.0, 75.0])
ARMS, ARM_SIZE = 6, 150
BLOCK = 40  # posteriors held at once
MU_RANGE = (-5.0, 4.0)
GRID: dict[str, tuple[Any, ...]] = {"k": (2, 3, 4, 5, 6), "n": ((3, 10), (10, 30)), "tau": (0.0, 0.3, 0.6)}
QUICK: dict[str, tuple[Any, ...]] = {"k": (2, 5), "n": ((3, 10),), "tau": (0.3,)}
PAGE = Path(__file__).parents[1] / "docs" / "thresholds_coverage.md"
ML, BAYES = "ML, profile", "Bayes, half-normal 0.5"


class Intervals(NamedTuple):
    """What a method says of each review; the limits of the median at 50 and 75 percent stand in columns."""

    estimate: Array
    lower: Array
    upper: Array
    pi_lower: Array
    pi_upper: Array


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


def simulated(
    rng: np.random.Generator, reviews: int, k: int, sizes: tuple[int, int], tau: float
) -> tuple[ThresholdModel, Indices]:
    """Many reviews as one model, and which of them have nobody who surely responds, or nobody who surely doesn't."""
    form = cutpoints("offset_log", THRESHOLDS, 50.0)
    z = form.at(SHAPE, THRESHOLDS)[0]
    n = rng.integers(sizes[0], sizes[1] + 1, reviews * k).astype(float)
    told = reported(rng, reached(rng, rng.normal(MU, tau, reviews * k), n, z), n)
    size = np.full(reviews * ARMS, float(ARM_SIZE))
    counts = reached(rng, rng.normal(0.3, 0.5, reviews * ARMS), size, z)
    counts[:, 0] = np.nan
    arms = arm_categories(tightened(counts, counts, size))
    model = ThresholdModel(
        THRESHOLDS,
        form,
        LINKS["probit"],
        Reviews(categories(told), np.arange(reviews * k).reshape(reviews, k)),
        Reviews(arms, np.arange(reviews * ARMS).reshape(reviews, ARMS)),
    )
    return model, np.flatnonzero(at_an_end(told).reshape(reviews, k, 2).all(axis=1).any(axis=1))


def at_an_end(told: Bounds) -> Array:
    """Whether nobody, and whether everybody, may have responded in each study, shape (rows, 2)."""
    nobody = np.where(told.informative, told.lower, 0.0).max(axis=1) == 0
    everybody = np.where(told.informative, told.upper, told.n[:, None]).min(axis=1) == told.n
    return np.stack([nobody, everybody], axis=1)


def part(model: ThresholdModel, which: Indices) -> ThresholdModel:
    """The same model of some of the reviews."""
    studies, arms = (Reviews(r.data, r.members[which]) for r in (model.studies, model.arms))
    return replace(model, studies=studies, arms=arms)


def by_likelihood(model: ThresholdModel, ends: Indices) -> tuple[Intervals, Fit]:
    """Profile intervals as ``pool_thresholds`` gives them; reviews at an end of the scale are fitted with tau 0."""
    fit = fitted(model)
    lower, upper = mu_limits(model, fit, LEVEL, TOLD)
    half = stdtrit(model.studies.members.shape[1] - 1, 0.5 + LEVEL / 2) * np.hypot(fit.x[:, 1], standard_error(fit))
    estimate = fit.x[:, 0].copy()
    if ends.size:
        end_model = part(model, ends)
        end_fit = fitted(end_model, random=False)
        lower[ends], upper[ends] = mu_limits(end_model, end_fit, LEVEL, TOLD)
        estimate[ends], half[ends] = end_fit.x[:, 0], np.inf
    return Intervals(estimate, lower, upper, estimate - half, estimate + half), fit


def by_bayes(model: ThresholdModel) -> Intervals:
    """Posterior medians and limits."""
    penalized = replace(model, penalty_sd=1.0, _levels={})
    mode = fitted(penalized, starts=(0.3,))
    priors = check_priors(TAU_PRIOR, None)
    rows: list[Array] = []
    for first in range(0, model.reviews, BLOCK):
        block = np.arange(first, min(first + BLOCK, model.reviews))
        piece = replace(mode, x=mode.x[block], value=mode.value[block], information=mode.information[block])
        found = posterior(part(penalized, block), piece, priors, mu_range=MU_RANGE, shape_nodes=3)
        new = found.weight.sum(axis=1) @ found.grid.mixing(found.mu, found.tau)
        rows += [summary(found, model, review, new[review]) for review in range(len(block))]
    table = np.stack(rows)
    return Intervals(table[:, 0], table[:, 1:3], table[:, 3:5], *table[:, 5:].T)


def summary(found: Posterior, model: ThresholdModel, review: int, new: Array) -> Array:
    """Median of mu, lower and upper limits of the median at ``TOLD``, and of a new study at 50."""
    tails = np.array([0.5, (1 - LEVEL) / 2, 0.5 + LEVEL / 2])
    z = model.cutpoints.at(found.shape[review], TOLD)
    mu, mass = mu_marginal(found, review)
    median = mixture_quantiles(mu[0] - z.T, float(mu[1] - mu[0]), mass, tails)
    new = new.clip(0)[None] / new.clip(0).sum()
    predicted = mixture_quantiles(found.grid.theta[None, :1], found.grid.step, new, tails[1:])[0]
    return np.concatenate([median[0, :1], median[:, 1], median[:, 2], predicted])


def judged(found: Intervals, tau: float) -> dict[str, float]:
    """Bias and coverage; shares of patients are what a reader sees, so widths are in percentage points of them."""
    truth = MU - cutpoints("offset_log", THRESHOLDS, 50.0).at(SHAPE, TOLD)[0]
    covered = (found.lower <= truth) & (truth <= found.upper)
    return {
        "bias_points": 100 * float(ndtr(found.estimate).mean() - ndtr(MU)),
        "median_error": float(np.median(found.estimate) - MU),
        "coverage_50": float(covered[:, 0].mean()),
        "coverage_75": float(covered[:, 1].mean()),
        "all_below_50": float((found.upper[:, 0] < MU).mean()),
        "all_above_50": float((found.lower[:, 0] > MU).mean()),
        "width_50": 100 * float((ndtr(found.upper) - ndtr(found.lower))[:, 0].mean()),
        "pi_coverage": float(new_study_inside(found, tau).mean()),
        "pi_width": 100 * float((ndtr(found.pi_upper) - ndtr(found.pi_lower)).mean()),
    }


def new_study_inside(found: Intervals, tau: float) -> Array:
    """Probability that a new study's true level lies in each prediction interval."""
    if tau == 0:
        return ((found.pi_lower <= MU) & (found.pi_upper >= MU)).astype(float)
    return np.asarray(ndtr((found.pi_upper - MU) / tau) - ndtr((found.pi_lower - MU) / tau))


def scenario_rows(task: tuple[int, int, int, tuple[int, int], float, int]) -> list[dict[str, Any]]:
    """One row a method: reviews, seed, then the scenario and its number."""
    reviews, seed, k, sizes, tau, number = task
    model, ends = simulated(np.random.default_rng([seed, number]), reviews, k, sizes, tau)
    scenario = {"k": k, "n_least": sizes[0], "n_most": sizes[1], "tau": tau}
    likely, fit = by_likelihood(model, ends)
    z_error = model.cutpoints.at(fit.x[:, 2:], TOLD[1:])[:, 0] - model.cutpoints.at(SHAPE, TOLD[1:])[0]
    own = {"tau_mean": fit.x[:, 1].mean(), "z75_error": z_error.mean(), "converged": fit.converged.mean()}
    some = np.setdiff1d(np.arange(reviews), ends)
    said = judged(by_bayes(part(model, some)), tau)
    return [
        {"method": ML, **scenario, "reviews": reviews, "refused": 0, **judged(likely, tau), **own},
        {"method": BAYES, **scenario, "reviews": len(some), "refused": len(ends), **said},
    ]


def run(grid: dict[str, tuple[Any, ...]], reviews: int, seed: int, jobs: int) -> pd.DataFrame:
    """One row a scenario and method; the same whatever the number of processes."""
    tasks = [(reviews, seed, *each, number) for number, each in enumerate(itertools.product(*grid.values()))]
    rows: list[dict[str, Any]] = []
    with multiprocessing.Pool(jobs) as pool:
        for pair in pool.imap(scenario_rows, tasks):
            rows += pair
            told = [f"{row['coverage_50']:.3f}" for row in pair]
            print({name: pair[0][name] for name in ("k", "n_least", "n_most", "tau")}, *told, flush=True)
    return pd.DataFrame(rows)


def timing(reviews: int) -> str:
    """Say how long many reviews of three studies take, one process, point estimates and profile intervals apart."""
    model, _ = simulated(np.random.default_rng(1), reviews, 3, (3, 30), 0.3)
    wall, used = time.perf_counter(), time.process_time()
    fit = fitted(model)
    point = time.process_time() - used
    mu_limits(model, fit, LEVEL, TOLD[:1])
    wall, used = time.perf_counter() - wall, time.process_time() - used
    return (
        f"{reviews} reviews of three studies of 3 to 30 patients and six comparator arms: maximum likelihood "
        f"{point:.1f} s, with the profile interval of PASI50 {used:.1f} s of processor time ({wall:.1f} s by the clock)"
    )


def page(table: pd.DataFrame) -> str:
    """Return ``docs/thresholds_coverage.md``: what the intervals of the threshold model cover, and how to read that."""
    sizes = table[["n_least", "n_most"]].drop_duplicates().itertuples(index=False)
    told = {name: ", ".join(f"{value:g}" for value in sorted(table[name].unique())) for name in ("k", "tau")}
    reviews = table.loc[table["method"] == ML, "reviews"]
    lines = [
        "# How often the intervals of the threshold model are right",
        "",
        f"Simulated reviews of k = {told['k']} studies with {' or '.join(f'{a} to {b}' for a, b in sizes)} patients",
        f"each; levels differ between studies with a standard deviation of {told['tau']} (probit scale), and in the",
        f"median study {_percent(float(ndtr(MU)), 0)} reach PASI50. Each study counts one to four of PASI40, 50, 75",
        "and 90, a third of the counts only within bounds, up to two patients off either way;",
        f"{ARMS} comparator arms of {ARM_SIZE} patients count PASI50, 75 and 90. {len(reviews)} scenarios of",
        f"{reviews.min()} reviews; intervals at {_percent(LEVEL, 0)}. Monte Carlo error (standard error) of a coverage",
        f"near that: {100 * _error(reviews.min()):.1f} points in one scenario, {100 * _error(reviews.sum()):.1f} in",
        "the mean of all.",
        "",
        *_overview(table),
        "",
        "Coverage of the median study's share at PASI50, by what the review is like (means over the other conditions):",
        "",
        *_by_condition(table),
        "",
        "## How to read this",
        "",
        *_reading(table),
        "",
        "Made by `benchmarks/thresholds.py` from `benchmarks/results/thresholds.csv`.",
        "",
    ]
    return "\n".join(lines)


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def _error(reviews: float) -> float:
    return float(np.sqrt(LEVEL * (1 - LEVEL) / reviews))


def _overview(table: pd.DataFrame) -> list[str]:
    lines = [
        "| interval | PASI50 | least | most | PASI75 | least | misses below / above | mean width | new study | least | "
        "mean width | bias |",
        "|---|" + "---:|" * 11,
    ]
    for method, rows in table.groupby("method", sort=False):
        shares = [rows["coverage_50"].mean(), rows["coverage_50"].min(), rows["coverage_50"].max()]
        shares += [rows["coverage_75"].mean(), rows["coverage_75"].min()]
        misses = f"{100 * rows['all_below_50'].mean():.1f} / {100 * rows['all_above_50'].mean():.1f} %"
        new = [rows["pi_coverage"].mean(), rows["pi_coverage"].min()]
        cells = [*map(_percent, shares), misses, f"{rows['width_50'].mean():.0f} points"]
        cells += [*map(_percent, new), f"{rows['pi_width'].mean():.0f} points"]
        lines.append(f"| {method} | {' | '.join(cells)} | {rows['bias_points'].mean():+.1f} points |")
    return lines


def _by_condition(table: pd.DataFrame) -> list[str]:
    named = table.assign(size=[f"n {a} to {b}" for a, b in zip(table["n_least"], table["n_most"], strict=True)])
    named = named.assign(studies=[f"k = {k}" for k in table["k"]], spread=[f"tau {t:g}" for t in table["tau"]])
    wide = pd.concat(
        [
            named.groupby(["method", kind], sort=False)["coverage_50"].mean().unstack(sort=False)
            for kind in ("studies", "size", "spread")
        ],
        axis=1,
    )
    lines = [f"| interval | {' | '.join(wide.columns)} |", "|---|" + "---:|" * len(wide.columns)]
    for method in dict.fromkeys(table["method"]):
        lines.append(f"| {method} | {' | '.join(map(_percent, wide.loc[method]))} |")
    return lines


def _reading(table: pd.DataFrame) -> list[str]:
    """What falls short of the nominal level or goes beyond it, by more than the simulation's own error."""
    lines = []
    for method, rows in table.groupby("method", sort=False):
        margin = 2 * np.sqrt(LEVEL * (1 - LEVEL) / rows["reviews"])
        short, long = (rows["coverage_50"] < LEVEL - margin).sum(), (rows["coverage_50"] > LEVEL + margin).sum()
        by_tau = rows.groupby("tau")[["coverage_50", "pi_coverage"]].mean()
        at = "; ".join(
            f"tau {tau:g}: median {_percent(row['coverage_50'])}, new study {_percent(row['pi_coverage'])}"
            for tau, row in by_tau.iterrows()
        )
        lines.append(
            f"- {method}: by more than two Monte Carlo errors, {short} of {len(rows)} scenarios fall short of "
            f"{_percent(LEVEL, 0)} and {long} exceed it. {_worst(rows)} By heterogeneity: {at}."
        )
    likely, bayes = (table[table["method"] == method] for method in (ML, BAYES))
    wider = bayes["width_50"].mean() - likely["width_50"].mean()
    taus = ", ".join(f"{t:g}" for t in sorted(likely["tau"].unique()))
    return [
        *lines,
        f"- The Bayesian interval is {abs(wider):.1f} points {'wider' if wider > 0 else 'narrower'} on average, its "
        f"prediction interval {_difference(likely, bayes)}. Two to six studies hardly tell tau, so how wide either is "
        "follows from the prior; the scenarios lie within what that prior holds likely, a larger tau would not.",
        f"- Maximum likelihood puts tau at {_tau_means(likely)} on average where it is {taus}.",
        f"- The cut-point z(75) is off by at most {likely['z75_error'].abs().max():.3f} in the mean of a scenario.",
        f"- Reviews in which nobody surely responds, or everybody may: {int(bayes['refused'].sum())}. Maximum "
        "likelihood gives a one-sided interval there; under a flat prior there is no posterior, so the Bayesian "
        "figures leave them out.",
    ]


def _difference(likely: pd.DataFrame, bayes: pd.DataFrame) -> str:
    wider = bayes["pi_width"].mean() - likely["pi_width"].mean()
    return f"{abs(wider):.0f} points {'wider' if wider > 0 else 'narrower'}"


def _worst(rows: pd.DataFrame) -> str:
    worst = rows.loc[rows["coverage_50"].idxmin()]
    where = f"k = {worst['k']}, n {worst['n_least']} to {worst['n_most']}, tau {worst['tau']:g}"
    return f"The least is {_percent(worst['coverage_50'])} ({where})."


def _tau_means(rows: pd.DataFrame) -> str:
    return ", ".join(f"{x:.2f}" for x in rows.groupby("tau")["tau_mean"].mean())


def main() -> None:
    """Run the study, write the table and the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two scenarios, 100 replicates, nothing written")
    parser.add_argument("--timing", action="store_true", help="time 1,000 reviews, nothing written")
    parser.add_argument("--replicates", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seed", type=int, default=20251122)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "thresholds.csv")
    options = parser.parse_args()
    if options.timing:
        print(timing(1000))
        return
    grid, reviews = (QUICK, 100) if options.quick else (GRID, options.replicates)
    table = run(grid, reviews, options.seed, options.jobs)
    if not options.quick:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        table.round(4).to_csv(options.out, index=False, lineterminator="\n")
        PAGE.write_text(page(pd.read_csv(options.out)), encoding="utf-8")
        print(f"{len(table)} rows written to {options.out}")


if __name__ == "__main__":
    main()
