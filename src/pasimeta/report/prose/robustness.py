"""Sentences about robustness, written from results."""

from __future__ import annotations

import pandas as pd

from pasimeta.report.plots.robustness import HEADINGS
from pasimeta.report.words import SPACE, listing, markdown_text, number, percent, percent_range
from pasimeta.robustness.multiverse import MultiverseResult

_POSTERIOR = ("response_estimate", "response_ci_lower", "response_ci_upper")
_LEVELLING = 0.005  # half a percentage point: what rounding would hide anyway


def multiverse_sentences(result: MultiverseResult, threshold: int) -> list[str]:
    """State how far the pooled rate of one threshold moves, and how it stands to the limits."""
    rows = result.at(threshold)
    low, first, middle, third, high = (float(rows["estimate"].quantile(q)) for q in (0, 0.25, 0.5, 0.75, 1))
    drawn = f", drawn from {result.possible:,} in all," if result.sampled else ""
    sentences = [
        f"**PASI{threshold}.** Over {len(rows):,} specifications{drawn} ({rows['fit'].nunique():,} different fits) the "
        f"pooled rate runs from {percent(low)} to {percent(high)}, its middle half from "
        f"{percent_range(first, third)}; the median is {percent(middle)}."
    ]
    table = result.shares()
    for row in table[table["threshold"].isna() | (table["threshold"] == threshold)].itertuples():
        sentences.append(
            f"Against {markdown_text(row.limit)}'s {percent(row.rate)}: the estimate lies above it in "
            f"{percent(row.estimate_above)} of the specifications, the whole {percent(result.level)} interval in "
            f"{percent(row.interval_above)}, and the interval holds it in {percent(row.interval_contains)}."
        )
    return [*sentences, moves_sentence(result.moves(threshold))]


def moves_sentence(moves: pd.DataFrame) -> str:
    """Name the choices that move the estimate most, and those that don't at all."""
    if moves.empty:
        return "No choice was made in more than one way."
    names = {row.choice: HEADINGS.get(row.choice, _filling(row.choice)).lower() for row in moves.itertuples()}
    judged = moves[moves["sets"] > 0]
    top = judged.head(3)
    most = listing(
        f"{names[r.choice]} (typically {100 * r.median_range:.0f}, at most {100 * r.largest_range:.0f})"
        for r in top.itertuples()
    )
    still = judged[judged["largest_range"] < _LEVELLING]
    idle = f" No estimate moves with {listing(names[c] for c in still['choice'])}." if len(still) else ""
    return f"All else held, what moves the rate most, in percentage points: {most}.{idle}"


def weight_sentence(result: MultiverseResult) -> str:
    """Warn that a share of specifications is no probability."""
    return (
        "A share of specifications is **no probability**. It counts every combination alike, however likely it is to "
        f"be right; the specifications share {number(_studies(result), 'study', 'studies')} at most, and none of them "
        "mends what the studies lack: a control group."
    )


def leave_one_out_sentences(table: pd.DataFrame, whole: pd.Series, threshold: int) -> list[str]:
    """Say how far the pooled rate moves when a study is left out, and how little that says with so few."""
    if table.empty:
        return []
    lowest, highest = table.loc[table["estimate"].idxmin()], table.loc[table["estimate"].idxmax()]
    share = table.loc[table["n"].idxmin()]
    held = int(whole["n"] - share["n"])
    return [
        f"Leaving one of the {number(len(table), 'study', 'studies')} out moves the pooled PASI{threshold} rate from "
        f"{percent(whole['estimate'])} to as little as {percent(lowest['estimate'])} (without "
        f"{markdown_text(str(lowest['omitted']))}) or as much as {percent(highest['estimate'])} (without "
        f"{markdown_text(str(highest['omitted']))}).",
        f"{markdown_text(str(share['omitted']))} alone holds {held} of the {int(whole['n'])} patients. With so few "
        "studies these figures show what each contributes; they can't tell which is the odd one out.",
    ]


def prior_sentence(table: pd.DataFrame, threshold: int) -> str:
    """Say how far the posterior rate and its interval follow the priors; ``table`` from ``robustness.prior_grid``."""
    groups = [rows.sort_values("scale") for _, rows in table.groupby("mu_prior", sort=False)]
    first, last = groups[0].iloc[0], groups[0].iloc[-1]
    intervals = [percent_range(row["response_ci_lower"], row["response_ci_upper"]) for row in (first, last)]
    widths = [row["response_ci_upper"] - row["response_ci_lower"] for row in (first, last)]
    said = (
        f"With the prior of tau widened from a scale of {first['scale']:g} to {last['scale']:g}, the posterior median "
        f"of the PASI{threshold} rate goes from {percent(first['response_estimate'])} to "
        f"{percent(last['response_estimate'])}, and its interval from {intervals[0]} to {intervals[1]}"
    )
    said += ": the width of the interval is mostly the prior's choice." if widths[1] > 1.5 * widths[0] else "."
    for rows in groups[1:]:
        moved = max(abs(rows[c].to_numpy() - groups[0][c].to_numpy()).max() for c in _POSTERIOR)
        said += (
            f" A {rows['mu_prior'].iloc[0]} prior of the mean log-odds in place of {first['mu_prior']} moves median "
            f"and interval by {100 * moved:.0f} percentage points at most."
        )
    return said


def shares_table(result: MultiverseResult) -> pd.DataFrame:
    """Shares of specifications and of different fits on either side of each limit, in percent."""
    tables = []
    for label, distinct in (("specifications", False), ("different fits", True)):
        table = result.shares(distinct=distinct)
        columns = ["estimate_above", "interval_above", "interval_contains", "interval_below"]
        percents = {column: [f"{100 * v:.1f}{SPACE}%" for v in table[column]] for column in columns}
        limits = [f"{row.limit}, {100 * row.rate:g}{SPACE}%" for row in table.itertuples()]
        tables.append(table.assign(limit=limits, counted=label, **percents))
    return pd.concat(tables, ignore_index=True)


def moves_table(result: MultiverseResult, threshold: int) -> pd.DataFrame:
    """How far each choice moves the estimate, in percentage points, with its name in words."""
    moves = result.moves(threshold)
    return moves.assign(
        choice=[HEADINGS.get(choice, _filling(choice)) for choice in moves["choice"]],
        share_of_variance=[f"{100 * v:.0f}{SPACE}%" for v in moves["share_of_variance"]],
        median_range=[_points(v) for v in moves["median_range"]],
        largest_range=[_points(v) for v in moves["largest_range"]],
    )


def _points(value: float) -> str:
    return "–" if value != value else f"{100 * value:.1f}"


def _filling(choice: str) -> str:
    return HEADINGS["filled"] if choice == "counts" else choice


def _studies(result: MultiverseResult) -> int:
    return int(result.frame["k"].max())
