"""Predict thresholds that are known but held out: how forms of cut-points are chosen, and whether they calibrate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pasimeta.effects.validation import Array, check_choice
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.thresholds.arms import arm_categories, first_levels
from pasimeta.synthesis.thresholds.categories import Bounds, Categories, Indices, categories
from pasimeta.synthesis.thresholds.cutpoints import Cutpoints, cutpoints
from pasimeta.synthesis.thresholds.grid import level_grid
from pasimeta.synthesis.thresholds.likelihood import log_likelihood
from pasimeta.synthesis.thresholds.links import Link, check_link
from pasimeta.synthesis.thresholds.model import ThresholdModel, one_review, padded
from pasimeta.synthesis.thresholds.newton import maximum
from pasimeta.synthesis.thresholds.prediction import Levels, PossibleCounts, count_chances, possible_counts
from pasimeta.synthesis.thresholds.reading import Counts, joined_thresholds, read_counts, restricted

HOW = ("trial", "threshold")
_REACH = 12.0  # of the grid of levels, in standard errors of a level
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class _Target:
    """A known count, and what its arm's other counts say of it under whatever cut-points.

    Attributes
    ----------
    row, t : int
        Arm and threshold.
    observed : int
    data : Categories
        The arm without the count.
    possible : PossibleCounts
        What the count may be.
    """

    row: int
    t: int
    observed: int
    data: Categories
    possible: PossibleCounts


@dataclass(frozen=True, slots=True)
class _KnownCounts:
    """Arms, the trial of each, and the counts to predict."""

    counts: Counts
    trial: Array
    targets: list[_Target]


def held_out_predictions(
    arms: pd.DataFrame, *, form: str = "offset_log", how: str = "trial", link: str = "probit", level: float = 0.8
) -> pd.DataFrame:
    """Predict each known count of arms with three thresholds or more from the arm's other counts.

    Parameters
    ----------
    arms : DataFrame
        As the comparators of :func:`pool_thresholds`, with a column trial.
    form, link : str
        Of the cut-points, and of the latent scale.
    how : {"trial", "threshold"}
        What else the cut-points may not see: the arm's whole trial, or the held-out threshold in any trial, as if
        nobody had ever reported it. The second is the test a threshold without comparators, such as PASI40, has to
        pass; only smooth forms can.
    level : float
        Of the predictive intervals.

    Returns
    -------
    DataFrame
        study, trial, threshold, n, observed, predicted (mean), lower, upper, covered, pit (mid-probability transform),
        log_score (natural logarithm of the probability given to what was observed).

    Raises
    ------
    PasimetaError
        For an unknown choice, ``free`` with ``how="threshold"``, or no arm to predict.
    """
    return _predicted(_known_counts(arms), form, how, link, level)


def form_scores(
    arms: pd.DataFrame,
    forms: Sequence[str] = ("offset_log", "power", "root", "linear"),
    *,
    link: str = "probit",
    hows: Sequence[str] = HOW,
) -> pd.DataFrame:
    """Mean log score of each smooth form, with thresholds and with trials held out; the best first.

    Returns
    -------
    DataFrame
        form, then for each way of holding out: predictions, log_score (mean), error (mean absolute, in percentage
        points), coverage (of 80 % intervals). Sorted by the log score of the last way, with whole thresholds held out.
    """
    known, rows = _known_counts(arms), []
    for form in forms:
        row: dict[str, object] = {"form": form}
        for how in hows:
            found = _predicted(known, form, how, link)
            error = (found["observed"] - found["predicted"]).abs() / found["n"]
            row |= {
                f"{how}_predictions": len(found),
                f"{how}_log_score": found["log_score"].mean(),
                f"{how}_error": 100 * error.mean(),
                f"{how}_coverage": found["covered"].mean(),
            }
        rows.append(row)
    return pd.DataFrame(rows).sort_values(f"{hows[-1]}_log_score", ascending=False, ignore_index=True)


def fitted_spacing(arms: Counts, form: str, link: Link, reference: float = 50) -> tuple[Cutpoints, Array]:
    """Cut-points from comparator arms alone, by maximum likelihood."""
    thresholds = joined_thresholds([arms])
    arms = restricted(arms, thresholds)
    none = np.zeros((0, len(thresholds)))
    nobody = categories(Bounds(none, none, none.astype(bool), np.zeros(0)))
    spacing = cutpoints(form, thresholds, reference if form != "free" or reference in thresholds else thresholds[0])
    model = ThresholdModel(thresholds, spacing, link, one_review(nobody), one_review(arm_categories(arms.bounds())))

    def of_shape(shape: Array, which: Indices) -> tuple[Array, Array]:
        z, jacobian = spacing.with_jacobian(shape, thresholds)
        value, at_z = model.arm_likelihood(shape, np.zeros(len(shape), dtype=np.intp), padded(z))
        return value, np.einsum("pqt,pt->pq", jacobian, at_z[:, 1:-1])

    return spacing, maximum(of_shape, spacing.start[None]).at[0]


def _known_counts(arms: pd.DataFrame) -> _KnownCounts:
    counts = read_counts(arms, name="arms")
    counts = restricted(counts, joined_thresholds([counts]))
    trial = arms.drop_duplicates("study").set_index("study")["trial"].loc[list(counts.studies)].to_numpy()
    rows, columns = _held_out_cells(counts)
    if not len(rows):
        raise PasimetaError("arms: none has three exact thresholds; there is nothing to hold out")
    found: dict[tuple[int, int], _Target] = {}
    for t in np.unique(columns):
        own = rows[columns == t]
        hidden = _hidden(counts, own, int(t))
        data, possible = hidden.categories(), possible_counts(hidden, float(counts.thresholds[t]))
        for place, row in enumerate(own):
            observed = int(counts.lower[row, t])
            found[row, t] = _Target(row, t, observed, data.rows(np.array([place])), possible.of_study(place))
    return _KnownCounts(counts, trial, [found[cell] for cell in zip(rows, columns, strict=True)])


def _held_out_cells(counts: Counts) -> tuple[Indices, Indices]:
    exact = ~np.isnan(counts.lower) & (counts.lower == counts.upper)
    several = exact.sum(axis=1) >= 3
    # an arm nobody of which responds, or everybody, has no level to predict from
    first, last = np.nanmax(counts.upper, axis=1), np.nanmin(counts.lower, axis=1)
    usable = several & (first > 0) & (last < counts.n)
    rows, columns = np.nonzero(exact & usable[:, None])
    return rows, columns


def _hidden(counts: Counts, rows: Indices, t: int) -> Counts:
    """Those rows, as if they didn't report that threshold."""
    chosen = counts.of_rows(rows)
    chosen.lower[:, t] = chosen.upper[:, t] = np.nan
    return replace(chosen, improvements=((),) * len(rows), best=(False,) * len(rows))


def _predicted(known: _KnownCounts, form: str, how: str, link: str, level: float = 0.8) -> pd.DataFrame:
    check_choice("how", how, HOW)
    if how == "threshold" and form == "free":
        raise PasimetaError("form: a free cut-point can't be predicted where nobody reports it; choose a smooth form")
    latent = check_link(link)
    rows = []
    for held, group in _by_what_is_hidden(known, how):
        spacing, shape = fitted_spacing(_seen(known, held, how), form, latent)
        for target in group:
            found = _prediction(known.counts, target, spacing, shape, latent, level)
            rows.append(found | {"trial": known.trial[target.row]})
    return pd.DataFrame(rows).sort_values(["trial", "study", "threshold"], kind="stable", ignore_index=True)


def _by_what_is_hidden(known: _KnownCounts, how: str) -> list[tuple[Any, list[_Target]]]:
    hidden = [known.trial[target.row] if how == "trial" else target.t for target in known.targets]
    return [
        (held, [target for target, h in zip(known.targets, hidden, strict=True) if h == held])
        for held in dict.fromkeys(hidden)
    ]


def _seen(known: _KnownCounts, held: Any, how: str) -> Counts:
    lower, upper = known.counts.lower.copy(), known.counts.upper.copy()
    if how == "trial":
        lower[known.trial == held], upper[known.trial == held] = np.nan, np.nan
    else:
        lower[:, held], upper[:, held] = np.nan, np.nan
    return replace(known.counts, lower=lower, upper=upper)


def _prediction(
    counts: Counts, target: _Target, spacing: Cutpoints, shape: Array, link: Link, level: float
) -> dict[str, object]:
    n, observed = float(target.data.n[0]), target.observed
    z = np.concatenate([[-np.inf], spacing.at(shape[None], counts.thresholds)[0], [np.inf]])[None]
    reach = _REACH / np.sqrt(n) + 0.5
    centre = float(first_levels(target.data, z, link)[0])
    grid = level_grid(centre - reach, centre + reach, n)
    logs = log_likelihood(target.data, grid.theta[None], z, link)[0]
    weight = np.exp(logs - logs.max())[None]
    levels = Levels(grid, shape[None], new=weight / weight.sum(), study=(weight / weight.sum())[None])
    chances = count_chances(target.possible, spacing, levels, link)[0]
    below = np.cumsum(chances)
    tail = (1 - level) / 2
    low, high = int(np.argmax(below >= tail)), int(np.argmax(below >= 1 - tail))
    return {
        "study": counts.studies[target.row],
        "threshold": float(counts.thresholds[target.t]),
        "n": int(n),
        "observed": observed,
        "predicted": float(chances @ np.arange(len(chances))),
        "lower": low,
        "upper": high,
        "covered": low <= observed <= high,
        "pit": float(below[observed] - 0.5 * chances[observed]),
        "log_score": float(np.log(max(chances[observed], _LEAST))),
    }
