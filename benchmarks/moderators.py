"""How often the moderator stage errs and how fast it is: ``python benchmarks/moderators.py``.

Type I error, power and coverage are simulated with the seed below and written to ``results/moderators.csv`` beside the
exact values, where these exist by enumeration. Times are the best of three and printed only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import erfc, expit

from pasimeta.moderators.allocations import group_margins
from pasimeta.moderators.one_stage import by_allocation, one_stage
from pasimeta.moderators.partial_identification import partial_identification
from pasimeta.moderators.power import exact_power, p_values
from pasimeta.moderators.sex_prior import EffectPrior, posterior
from pasimeta.moderators.strata import known_stratum, unknown_stratum
from pasimeta.moderators.trend import cochran_armitage, conditional_p_values, log_choose, trend_power
from pasimeta.moderators.two_by_two import two_by_two

SEED = 20260101
DRAWS = 200_000
WOMEN, MEN = 9, 8
SIZES, DOSES = np.array([8, 3, 3, 3]), np.array([1.5, 2.0, 2.5, 3.0])
OUTPUT = Path(__file__).parent / "results" / "moderators.csv"


def comparison_rows(rng: np.random.Generator) -> list[dict[str, object]]:
    """Rejections of tests of women against men in groups of nine and eight."""
    rows = []
    scenarios = [(0.25, 0.25), (0.47, 0.47), (0.7, 0.7), (0.548, 0.472), (0.667, 0.25), (0.9, 0.25)]
    for test in ("fisher", "mid_p", "score"):
        table = p_values(WOMEN, MEN, test)
        for women, men in scenarios:
            drawn = table[rng.binomial(WOMEN, women, DRAWS), rng.binomial(MEN, men, DRAWS)] <= 0.05
            exact = float(exact_power(WOMEN, women, MEN, men, 0.05, test))
            rows.append(_row(f"sex, {test}", f"{women:g} against {men:g}", women == men, drawn.mean(), exact))
    return rows


def trend_rows(rng: np.random.Generator) -> list[dict[str, object]]:
    """Rejections of trend tests in dose groups of 8, 3, 3 and 3."""
    rows = []
    centred = DOSES - SIZES @ DOSES / SIZES.sum()
    grid = np.stack(np.meshgrid(*(np.arange(n + 1) for n in SIZES), indexing="ij"), -1).reshape(-1, len(SIZES))
    exact_p = conditional_p_values(grid @ DOSES, log_choose(SIZES, grid).sum(axis=1), grid.sum(axis=1))
    place = np.zeros(tuple(SIZES + 1))
    place[tuple(grid.T)] = exact_p
    for slope in (0.0, 1.0, 2.0, 3.0):
        drawn = rng.binomial(SIZES, expit(-0.118 + slope * centred), (DRAWS, len(SIZES)))
        z = cochran_armitage(drawn.astype(float), np.broadcast_to(SIZES, drawn.shape).astype(float), DOSES)
        rejected = {
            "cochran_armitage": erfc(np.abs(z) / np.sqrt(2)) <= 0.05,
            "exact": place[tuple(drawn.T)] <= 0.05,
        }
        for test, found in rejected.items():
            exact = float(trend_power(SIZES, DOSES, -0.118, slope, test=test)[0])
            rows.append(_row(f"trend, {test}", f"slope {slope:g}", slope == 0, found.mean(), exact))
    return rows


def coverage_rows() -> list[dict[str, object]]:
    """Chance that a 95 % interval of nine against eight misses the truth, over every table."""
    limits: dict[tuple[str, str], np.ndarray] = {}
    for x in range(WOMEN + 1):
        for y in range(MEN + 1):
            for each in two_by_two(x, WOMEN, y, MEN).intervals:
                key = (each.measure, each.method)
                limits.setdefault(key, np.tile([-np.inf, np.inf], (WOMEN + 1, MEN + 1, 1)))[x, y] = (
                    each.lower,
                    each.upper,
                )
    rows = []
    for women, men in ((0.47, 0.47), (0.548, 0.472), (0.667, 0.25)):
        chance = _binomial(WOMEN, women)[:, None] * _binomial(MEN, men)
        odds = women * (1 - men) / (men * (1 - women))
        for (measure, method), ends in limits.items():
            truth = {"RD": women - men, "RR": women / men, "OR": odds}[measure]
            missed = (ends[..., 0] > truth + 1e-9) | (truth - 1e-9 > ends[..., 1])
            label = f"interval, {measure} {method}"
            rows.append(_row(label, f"{women:g} against {men:g}", True, None, float((chance * missed).sum())))
    return rows


def timings() -> None:
    """Print the best of three runs of each analysis."""
    cheng = group_margins("Cheng 2022", [1.5, 1.5, 2.0, 2.5, 3.0], [5, None, None, None, None], 17, (8, 8))
    wide = group_margins("Cheng 2022", [1.5, 1.5, 2.0, 2.5, 3.0], [5, None, None, None, None], 17, (6, 8))
    strata = [known_stratum("Cheng 2022", 6, 9, 2, 8), unknown_stratum("Yao 2021", 1, 6, (2, 2))]
    cases: dict[str, Callable[[], object]] = {
        "every interval of one table": lambda: two_by_two(6, 9, 2, 8),
        "every allocation of 8 responders": lambda: partial_identification(cheng),
        "every allocation of 6 to 8 responders": lambda: partial_identification(wide),
        "one-stage odds ratio": lambda: one_stage(strata),
        "one-stage, each allocation": lambda: by_allocation(strata),
        "posterior": lambda: posterior(strata, EffectPrior("weak", 0.0, 1.0)),
    }
    for label, run in cases.items():
        print(f"{label:40s}{min(_seconds(run) for _ in range(3)):8.3f} s")


def _row(what: str, scenario: str, null: bool, simulated: float | None, exact: float) -> dict[str, object]:
    return {
        "what": what,
        "scenario": scenario,
        "quantity": "type I error" if null and simulated is not None else "power" if simulated is not None else "miss",
        "simulated": None if simulated is None else round(float(simulated), 5),
        "exact": round(exact, 5),
    }


def _binomial(n: int, rate: float) -> np.ndarray:
    k = np.arange(n + 1)
    return np.exp(log_choose(np.full(n + 1, n), k)) * rate**k * (1 - rate) ** (n - k)


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    """Write the table and print the times."""
    rng = np.random.default_rng(SEED)
    table = pd.DataFrame([*comparison_rows(rng), *trend_rows(rng), *coverage_rows()])
    OUTPUT.parent.mkdir(exist_ok=True)
    table.to_csv(OUTPUT, index=False, lineterminator="\n")
    print(table.to_string(index=False))
    gap = (table["simulated"] - table["exact"]).abs().max()
    print(f"largest gap between simulated and exact: {gap:.5f} ({DRAWS} draws)")
    timings()


if __name__ == "__main__":
    main()
