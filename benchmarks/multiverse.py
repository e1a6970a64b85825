"""Specifications per second, against a loop of single fits in the same run: ``python benchmarks/multiverse.py``.

Two multiverses: that of the evidence in ``data/`` (where many specifications share a fit, and each fit is made once),
and one of random counts in which no two specifications share anything. The loop is timed on a random part of the same
fits and scaled up. The goal is 100,000 specifications in under 30 seconds on two cores.
"""

from __future__ import annotations

import resource
import time
import warnings
from pathlib import Path

import numpy as np

from pasimeta import synthesis
from pasimeta.errors import PasimetaWarning
from pasimeta.evidence import tables
from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.evidence.store import load_evidence
from pasimeta.robustness import analyses, multiverse, studies_by_rule
from pasimeta.robustness.multiverse_analyses import Analysis
from pasimeta.robustness.multiverse_cluster import fitted_here
from pasimeta.robustness.multiverse_fits import Counts, blocks

LOOPED = 150  # single fits timed, in proportion to the models
OPTIONS = analyses()


def single_fit(counts: Counts, analysis: Analysis) -> object:
    """Fit one specification as anyone would."""
    events, n = (np.array(side, dtype=float) for side in counts)
    if analysis.model == "inverse_variance":
        return synthesis.pool_counts(
            str(analysis.measure), events=events, n=n, method=str(analysis.method), test=str(analysis.test)
        )
    if analysis.model == "bayes":
        return synthesis.pool_bayes_binomial(events, n, ("half_normal", analysis.tau_prior), analysis.mu_prior)
    return synthesis.pool_binomial(events, n, analysis.model)


def loop_seconds(fits: list[tuple[Counts, Analysis]]) -> float:
    """Seconds that a loop over all fits would take, from a random part of it."""
    chosen = np.random.default_rng(0).choice(len(fits), size=min(LOOPED, len(fits)), replace=False)
    start = time.perf_counter()
    for i in chosen:
        single_fit(*fits[i])
    return (time.perf_counter() - start) * len(fits) / len(chosen)


def random_fits(data_sets: int) -> list[tuple[Counts, Analysis]]:
    """Every analysis of many data sets of two to six small studies, no two alike."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(data_sets):
        n = rng.integers(5, 40, rng.integers(2, 7))
        events = rng.binomial(n, rng.uniform(0.1, 0.7))
        counts = (tuple(events.tolist()), tuple(n.tolist()))
        found += [(counts, analysis) for analysis in OPTIONS]
    return found


def report(what: str, specifications: int, fits: int, seconds: float, looped: float) -> None:
    """Print one line."""
    print(
        f"{what:<32}{specifications:>10,}{fits:>10,}{seconds:>9.2f} s{specifications / seconds:>12,.0f}"
        f"{looped:>11.0f} s{looped / seconds:>9,.0f}x"
    )


def main() -> None:
    """Measure both."""
    warnings.simplefilter("ignore", PasimetaWarning)
    synthesis.pool([0.1, 0.2], [0.1, 0.1])  # imports count for neither side
    header = ("specs", "fits", "time", "specs/s", "loop", "ratio")
    print(f"{'':<32}{header[0]:>10}{header[1]:>10}{header[2]:>11}{header[3]:>12}{header[4]:>13}{header[5]:>10}")

    evidence = load_evidence(Path(__file__).resolve().parents[1] / "data")
    responses = tables.responses(evidence, decide_all(evidence, InclusionRule()))
    start = time.perf_counter()
    result = multiverse(responses, studies_by_rule(evidence), thresholds=(50, 75))
    seconds = time.perf_counter() - start

    made_up = random_fits(540)
    start = time.perf_counter()
    fitted_here(blocks(made_up, 0.95), None)
    made_up_seconds = time.perf_counter() - start

    looped = loop_seconds(made_up)
    # a loop has no way to see that two specifications share a fit
    report(
        "evidence, PASI50 and PASI75",
        result.possible,
        result.distinct,
        seconds,
        looped * result.possible / len(made_up),
    )
    report("random counts, nothing shared", len(made_up), len(made_up), made_up_seconds, looped)
    print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
