"""How often the moderator stage errs and how fast it is: ``python benchmarks/moderators.py``.

Type I error, power and coverage are simulated with the seed below and written to ``results/moderators.csv`` beside the
exact values, where these exist by enumeration; ``docs/moderators.md`` is made from that table. The one-stage model is
judged over every data set that two studies of the published sizes can give. Times are the best of three and printed
only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import chdtrc, erfc, expit, logit

from pasimeta.moderators.allocations import group_margins
from pasimeta.moderators.one_stage import by_allocation, one_stage
from pasimeta.moderators.partial_identification import partial_identification
from pasimeta.moderators.power import exact_power, p_values
from pasimeta.moderators.sex_prior import EffectPrior, posterior
from pasimeta.moderators.strata import Stratum, known_stratum, unknown_stratum
from pasimeta.moderators.trend import cochran_armitage, conditional_p_values, log_choose, trend_power
from pasimeta.moderators.two_by_two import two_by_two

SEED = 20260101
DRAWS = 200_000
WOMEN, MEN = 9, 8
SIZES, DOSES = np.array([8, 3, 3, 3]), np.array([1.5, 2.0, 2.5, 3.0])
OUTPUT = Path(__file__).parent / "results" / "moderators.csv"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "moderators.md"
RATES = np.linspace(0.01, 0.99, 99)
NOMINAL = 0.05
WORST = "worst of all common rates"
_LABELS = {
    "fisher": "Fisher's exact",
    "mid_p": "mid-P",
    "cochran_armitage": "Cochran-Armitage",
    "barnard": "exact unconditional (Barnard)",
    "boschloo": "exact unconditional (Boschloo)",
    "conditional": "exact conditional",
    "profile": "profile likelihood",
    "firth": "Firth",
    "RD": "difference,",
    "RR": "ratio,",
    "OR": "odds ratio,",
}
_INTERCEPTS, _EFFECTS = np.linspace(-20, 20, 801)[:, None], np.linspace(-14, 14, 281)


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
        worst = max(float(exact_power(WOMEN, rate, MEN, rate, NOMINAL, test)) for rate in RATES)
        rows.append({**_row(f"sex, {test}", WORST, True, None, worst), "quantity": "type I error"})
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
    for test in ("cochran_armitage", "exact"):
        worst = max(float(trend_power(SIZES, DOSES, float(logit(rate)), 0.0, test=test)[0]) for rate in RATES)
        rows.append({**_row(f"trend, {test}", WORST, True, None, worst), "quantity": "type I error"})
    return rows


def one_stage_rows() -> list[dict[str, object]]:
    """Rejections of the one-stage test, over every data set of a study by sex and one that prints its total only.

    Women and men respond alike. The second study holds one woman of seven, so where its patients respond less, women
    seem to respond better to whoever compares across studies.
    """
    known = {(x, y): known_stratum("by sex", x, WOMEN, y, MEN) for x in range(WOMEN + 1) for y in range(MEN + 1)}
    totals = [unknown_stratum("total only", 1, 6, (total, total)) for total in range(8)]
    surfaces = {stratum: stratum.log_likelihood(_INTERCEPTS, _EFFECTS) for stratum in (*known.values(), *totals)}
    rows = []
    for intercepts in ("study", "common"):
        rejected = {
            (*counts, total): _rejects(first, second, intercepts, surfaces)
            for counts, first in known.items()
            for total, second in enumerate(totals)
        }
        for first, second in ((0.4, 0.4), (0.5, 0.2), (0.6, 0.1)):
            chances = _binomial(WOMEN, first), _binomial(MEN, first), _binomial(7, second)
            exact = sum(chances[0][x] * chances[1][y] * chances[2][t] for (x, y, t), no in rejected.items() if no)
            row = _row(f"one-stage, {intercepts} intercepts", f"{first:g} and {second:g}", True, None, float(exact))
            rows.append({**row, "quantity": "type I error"})
    return rows


def _rejects(first: Stratum, second: Stratum, intercepts: str, surfaces: dict[Stratum, np.ndarray]) -> bool:
    """Whether the likelihood-ratio test rejects: by a grid, and by the model itself where the grid is too close."""
    pair = surfaces[first], surfaces[second]
    profile = sum(s.max(axis=0) for s in pair) if intercepts == "study" else (pair[0] + pair[1]).max(axis=0)
    p = float(chdtrc(1, 2 * (profile.max() - profile[_EFFECTS == 0][0])))
    if abs(p - NOMINAL) < 0.02:
        p = one_stage([first, second], intercepts).p_value
    return p <= NOMINAL


def page(table: pd.DataFrame) -> str:
    """Return ``docs/moderators.md``: how often each test errs and finds, and each interval misses."""
    groups, doses = (", ".join(f"{value:g}" for value in values) for values in (SIZES, DOSES))
    lines = [
        "# How often the moderator analyses err",
        "",
        f"Nine women and eight men, dose groups of {groups} at {doses}",
        "million cells/kg: the sizes of the largest trial. All tests two-sided at 5 %, all intervals at 95 %. Every",
        "number is exact, by enumerating every possible outcome; the simulation beside it in the table of results is a",
        f"check of the enumeration ({DRAWS} draws, largest gap {_gap(table):.4f}).",
    ]
    for heading, stem in (("Women against men", "sex, "), ("Trend with dose", "trend, ")):
        part = table[table["what"].str.startswith(stem)]
        lines += ["", f"## {heading}", "", *_markdown(part, stem), "", _reading(part, stem)]
    part = table[table["what"].str.startswith("one-stage")]
    lines += ["", "## One model for several studies", "", (one_stage_rows.__doc__ or "").split("\n\n")[1].strip()]
    lines[-1] = " ".join(lines[-1].split()) + " Columns: response in the first and in the second study."
    lines += ["", *_markdown(part, "one-stage, "), "", _reading(part, "one-stage, ")]
    part = table[table["what"].str.startswith("interval")]
    lines += ["", "## Intervals", "", "How often the interval misses the truth; 5 % is its promise.", ""]
    lines += [*_markdown(part, "interval, "), "", _reading(part, "interval, ")]
    lines += ["", "Made by `benchmarks/moderators.py` from `benchmarks/results/moderators.csv`.", ""]
    return "\n".join(lines)


def _markdown(part: pd.DataFrame, stem: str) -> list[str]:
    scenarios = list(dict.fromkeys(part["scenario"]))
    wide = part.pivot(index="what", columns="scenario", values="exact").loc[
        list(dict.fromkeys(part["what"])), scenarios
    ]
    lines = [f"| | {' | '.join(scenarios)} |", "|---|" + "---:|" * len(scenarios)]
    for name, row in wide.iterrows():
        lines.append(f"| {_plain(name, stem)} | {' | '.join(f'{100 * value:.1f} %' for value in row)} |")
    return lines


def _reading(part: pd.DataFrame, stem: str) -> str:
    """Which keep their promise in every scenario of the table, and by how much the others break it: by rule."""
    errors = part[part["quantity"].isin(["type I error", "miss"])]
    worst = errors.groupby("what", sort=False)["exact"].max()
    kept = [_plain(name, stem) for name in worst.index[worst <= NOMINAL]]
    broken = [f"{_plain(name, stem)} ({100 * value:.1f} %)" for name, value in worst.items() if value > NOMINAL]
    sentences = [f"Never above 5 % in these scenarios: {'; '.join(kept) or 'none'}."]
    if broken:
        sentences.append(f"Above it, at worst: {'; '.join(broken)}.")
    found = part[part["quantity"] == "power"]
    if len(found):
        best = found.groupby("scenario", sort=False)["exact"].max()
        short = [name for name, value in best.items() if value < 0.8]
        sentences.append(f"No test here finds {' or '.join(map(str, short))} in 80 % of trials." if short else "")
    return " ".join(sentences).strip()


def _plain(name: object, stem: str) -> str:
    words = str(name).removeprefix(stem).split(" ")
    return " ".join(_LABELS.get(word, word) for word in words)


def _gap(table: pd.DataFrame) -> float:
    return float((table["simulated"] - table["exact"]).abs().max())


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
        "one-stage, random intercepts": lambda: one_stage([*strata, known_stratum("B", 1, 1, 1, 1)], "random"),
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
    table = pd.DataFrame([*comparison_rows(rng), *trend_rows(rng), *one_stage_rows(), *coverage_rows()])
    OUTPUT.parent.mkdir(exist_ok=True)
    table.to_csv(OUTPUT, index=False, lineterminator="\n")
    PAGE.write_text(page(table), encoding="utf-8")
    print(table.to_string(index=False))
    print(f"largest gap between simulated and exact: {_gap(table):.5f} ({DRAWS} draws)")
    timings()


if __name__ == "__main__":
    main()
