"""Speed against peers, measured in the same run: ``python benchmarks/peers.py``.

Peers: R's metafor (Debian: r-cran-metafor, and r-cran-lme4 for its binomial-normal model), PyMARE, and statsmodels. A
peer that isn't installed is skipped with a word. Ratios are peer time / pasimeta time, each the best of several runs;
a loop over PyMARE is timed on a part and scaled up. The last column is the ratio asked for.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pasimeta.effects import escalc
from pasimeta.robustness import gosh, permutation
from pasimeta.synthesis import pool, pool_binomial

#: BCG vaccine trials: cases and group sizes, vaccinated and not (Colditz GA, et al. JAMA 1994;271:698-702).
BCG = {
    "events1": [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
    "n1": [123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
    "events2": [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
    "n2": [139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
}
#: Hyperdynamic therapy of vasospasm: patients improved, of patients treated (Pritz MB. Neurosurg Q 1997;7:273-285).
PRITZ = {
    "events": [16, 10, 4, 43, 10, 25, 13, 12, 22, 4, 5, 18, 58, 6],
    "n": [17, 12, 8, 58, 10, 42, 14, 12, 41, 5, 6, 23, 68, 10],
}


_TURNS = 5


class Race(NamedTuple):
    """One task: seconds of pasimeta and of a peer (None where it is missing), and the ratio to reach."""

    task: str
    seconds: float
    peer: str
    peer_seconds: float | None
    goal: float | None


def best(task: Callable[[], object], runs: int) -> float:
    """Return the shortest of several runs, in seconds; the first, which may import, doesn't count."""
    task()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times)


def by_turns(ours: Callable[[], float], theirs: Callable[[], float | None]) -> tuple[float, float | None]:
    """Return the best of either side over several turns, so that a busy moment of the machine meets both."""
    turns = [(ours(), theirs()) for _ in range(_TURNS)]
    seconds = [peer for _, peer in turns if peer is not None]
    return min(mine for mine, _ in turns), min(seconds, default=None)


def r_seconds(expression: str, runs: int, packages: str = "metafor") -> float | None:
    """Return the shortest of several runs of an R expression, or None where R or a package is missing."""
    if shutil.which("Rscript") is None:
        return None
    script = f"""
    for (p in strsplit("{packages}", ",")[[1]]) if (!requireNamespace(p, quietly=TRUE)) quit(status=3)
    suppressMessages(library(metafor))
    bcg <- escalc(measure="RR", ai=c({joined(BCG["events1"])}), n1i=c({joined(BCG["n1"])}),
                  ci=c({joined(BCG["events2"])}), n2i=c({joined(BCG["n2"])}))
    xi <- c({joined(PRITZ["events"])}); ni <- c({joined(PRITZ["n"])})
    fit <- suppressWarnings(rma(yi, vi, data=bcg))
    task <- function() suppressWarnings({expression})
    if ({runs} > 1) invisible(task())
    timed <- function(i) {{ t <- Sys.time(); task(); as.numeric(Sys.time() - t, units="secs") }}
    cat(min(sapply(seq_len({runs}), timed)))
    """
    done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def joined(numbers: list[int]) -> str:
    """Return numbers as R wants them."""
    return ", ".join(map(str, numbers))


def bcg_effects() -> tuple[np.ndarray, np.ndarray]:
    """Return the log risk ratios of the BCG trials and their variances."""
    return escalc("RR", **BCG)


def many_data_sets(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return d simulated data sets of the BCG trials' sizes, with their heterogeneity."""
    _, vi = bcg_effects()
    variances = np.tile(vi[:, None], (1, d))
    return np.random.default_rng(1).normal(-0.7, np.sqrt(variances + 0.3)), variances


def single_fit() -> list[Race]:
    """One REML fit of 13 studies, everything ``pool`` returns included."""
    yi, vi = bcg_effects()
    ours, theirs = by_turns(
        lambda: best(lambda: pool(yi, vi, test="z"), 300), lambda: r_seconds("rma(yi, vi, data=bcg)", 200)
    )
    races = [Race("REML fit, 13 studies", ours, "metafor rma", theirs, 5)]
    races.append(Race("REML fit, 13 studies", ours, "PyMARE REML", pymare_seconds(yi, vi), None))
    races.append(Race("DL fit, 13 studies", best(lambda: pool(yi, vi, "DL"), 300), *statsmodels_race(yi, vi), None))
    return races


def pymare_seconds(yi: np.ndarray, vi: np.ndarray) -> float:
    """Return the time of one REML fit by PyMARE's own class."""
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    X = np.ones((yi.size, 1))
    return best(lambda: VarianceBasedLikelihoodEstimator("REML").fit(yi[:, None], vi[:, None], X), 200)


def statsmodels_race(yi: np.ndarray, vi: np.ndarray) -> tuple[str, float | None]:
    """Return statsmodels' name and the time of its DL fit."""
    try:
        from statsmodels.stats.meta_analysis import combine_effects
    except ImportError:
        return "statsmodels", None
    return "statsmodels combine_effects", best(lambda: combine_effects(yi, vi, method_re="chi2").summary_frame(), 200)


def many_fits(d: int = 100_000) -> list[Race]:
    """REML fits of many data sets in one call, against a loop over PyMARE."""
    y, v = many_data_sets(d)
    loop = sum(pymare_seconds(y[:, i], v[:, i]) for i in range(20)) / 20 * d
    return [Race(f"{d:,} REML fits in one call", best(lambda: pool(y, v), 1), "PyMARE loop (scaled)", loop, 20)]


def all_subsets() -> list[Race]:
    """GOSH of the BCG trials against metafor's, and of 20 studies alone."""
    yi, vi = bcg_effects()
    ours = best(lambda: gosh(yi, vi), 5)
    races = [Race("GOSH, 8,191 subsets, REML", ours, "metafor gosh", r_seconds("gosh(fit, progbar=FALSE)", 1), 500)]
    generator = np.random.default_rng(1)
    variances = generator.uniform(0.02, 0.5, 20)
    effects = generator.normal(0.0, np.sqrt(variances + 0.25))
    start = time.perf_counter()
    gosh(effects, variances)
    races.append(Race("GOSH, 1,048,575 subsets, REML", time.perf_counter() - start, "goal: 60 s", 60.0, 1))
    return races


def sign_flips() -> list[Race]:
    """The exact sign-flip test of the BCG trials against metafor's."""
    yi, vi = bcg_effects()
    theirs = r_seconds("permutest(fit, exact=TRUE, progbar=FALSE)", 1)
    return [
        Race("permutation, 8,192 sign flips", best(lambda: permutation(yi, vi), 5), "metafor permutest", theirs, 200)
    ]


def binomial_normal() -> list[Race]:
    """The binomial-normal model against metafor's, and many of them in one call."""
    glmm = 'rma.glmm(measure="PLO", xi=xi, ni=ni)'
    ours, theirs = by_turns(
        lambda: best(lambda: pool_binomial(**PRITZ), 50), lambda: r_seconds(glmm, 20, "metafor,lme4")
    )
    races = [Race("binomial-normal fit, 14 studies", ours, "metafor rma.glmm", theirs, 10)]
    n = np.tile(np.array(PRITZ["n"])[:, None], (1, 10_000))
    events = np.random.default_rng(1).binomial(n, 0.6)
    start = time.perf_counter()
    pool_binomial(events, n)
    races.append(
        Race("10,000 binomial-normal fits in one call", time.perf_counter() - start, "one by one", ours * 1e4, 1)
    )
    return races


def report(races: list[Race]) -> str:
    """Return the table of ratios, as Markdown."""
    rows = ["| task | pasimeta | peer | its time | ratio | asked |", "|---|---:|---|---:|---:|---:|"]
    for race in races:
        goal = "" if race.goal is None else f"{race.goal:g}"
        if race.peer_seconds is None:
            rows.append(f"| {race.task} | {scaled(race.seconds)} | {race.peer}: not installed, skipped | | | {goal} |")
            continue
        ratio = race.peer_seconds / race.seconds
        missed = " (missed)" if race.goal is not None and ratio < race.goal else ""
        rows.append(
            f"| {race.task} | {scaled(race.seconds)} | {race.peer} | {scaled(race.peer_seconds)} "
            f"| {ratio:,.1f}{missed} | {goal} |"
        )
    return "\n".join(rows)


def scaled(seconds: float) -> str:
    """Return a time in seconds or milliseconds."""
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{1e3 * seconds:,.3g} ms"


def main() -> None:
    """Run every race and print the table and the memory used."""
    warnings.simplefilter("ignore")
    races = [race for task in (single_fit, many_fits, all_subsets, sign_flips, binomial_normal) for race in task()]
    print(report(races))
    print(f"\npeak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
