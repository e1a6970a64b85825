"""From tables to arrays: counts by study and threshold, patients whose improvement is told, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.thresholds.categories import Bounds, Categories, Indices, categories, tightened

_NOBODY = pd.DataFrame({"study": [], "improvement": np.zeros(0), "best": np.zeros(0, dtype=bool)})


@dataclass(frozen=True, slots=True)
class Counts:
    """Reported counts as arrays.

    Attributes
    ----------
    studies, labels : tuple of str
        Identifier and name of each row.
    thresholds : ndarray, shape (T,)
        Ascending, percent.
    lower, upper : ndarray, shape (rows, T)
        Fewest and most patients; NaN where a row doesn't report a threshold.
    n : ndarray, shape (rows,)
    improvements : tuple of tuple of float
        Exact improvements of single patients, by row; they are not among the counts.
    best : tuple of bool
        Whether nobody else of the row improved by more than its told patients.
    """

    studies: tuple[str, ...]
    labels: tuple[str, ...]
    thresholds: Array
    lower: Array
    upper: Array
    n: Array
    improvements: tuple[tuple[float, ...], ...]
    best: tuple[bool, ...]

    @property
    def told(self) -> Array:
        """Number of patients of each row whose improvement is exact."""
        return np.array([len(each) for each in self.improvements], dtype=float)

    def on_threshold(self, threshold: float) -> Array:
        """Fewest patients of each row at one of the thresholds; NaN where a row doesn't report it."""
        return np.asarray(self.lower[:, int(np.searchsorted(self.thresholds, threshold))])

    def on(self, thresholds: Array) -> Counts:
        """The same counts over a longer list of thresholds."""
        place = np.searchsorted(thresholds, self.thresholds)
        lower = np.full((len(self.n), len(thresholds)), np.nan)
        upper = lower.copy()
        lower[:, place], upper[:, place] = self.lower, self.upper
        return Counts(self.studies, self.labels, thresholds, lower, upper, self.n, self.improvements, self.best)

    def of_rows(self, rows: Indices) -> Counts:
        """Those rows, in that order, each as often as it is named; in arrays of their own."""
        return Counts(
            tuple(self.studies[row] for row in rows),
            tuple(self.labels[row] for row in rows),
            self.thresholds,
            self.lower[rows],
            self.upper[rows],
            self.n[rows],
            tuple(self.improvements[row] for row in rows),
            tuple(self.best[row] for row in rows),
        )

    def bounds(self) -> Bounds:
        """Bounds tightened by one another.

        Raises
        ------
        PasimetaError
            Naming the study and threshold where they contradict each other.
        """
        found = tightened(self.lower, self.upper, self.n)
        if (found.lower > found.upper).any():
            row, column = np.argwhere(found.lower > found.upper)[0]
            raise PasimetaError(
                f"counts, study {self.studies[row]}: at PASI{self.thresholds[column]:g} the other thresholds leave no "
                "possible count, since counts can't rise with the threshold; correct one of them"
            )
        return found

    def categories(self) -> Categories:
        """Every allocation the counts allow, with exact improvements as points."""
        data = categories(self.bounds())
        most = int(self.told.max(initial=0))
        if not most:
            return data
        points = np.zeros((len(self.n), most), dtype=np.intp)
        for row, improvements in enumerate(self.improvements):
            points[row, : len(improvements)] = np.searchsorted(self.thresholds, improvements) + 1
        # any of the patients may be the ones who are told
        orders = gammaln(self.n + self.told + 1) - gammaln(self.n + 1)
        return data.with_points(points, orders)


def read_counts(table: pd.DataFrame, patients: pd.DataFrame | None = None, *, name: str = "counts") -> Counts:
    """Read a long table, one row a study and threshold.

    Parameters
    ----------
    table : DataFrame
        Columns study, threshold (percent), n, and events or events_lower and events_upper; label is optional.
    patients : DataFrame, optional
        Columns study, improvement (percent, below 100) and, optionally, best: nobody else of the study improved more.
        These patients are taken out of the study's counts; a study of told patients alone needs no counts.
    name : str
        What the caller calls the table.

    Raises
    ------
    PasimetaError
        Naming the row and the remedy.
    """
    rows = _checked(table, name)
    told = _checked_patients(patients)
    if rows.empty and told.empty:
        raise PasimetaError(f"{name}: no study at all; give at least one row")
    thresholds = np.unique(np.concatenate([rows["threshold"], told["improvement"][told["best"]]]).astype(float))
    studies = tuple(dict.fromkeys([*rows["study"], *told["study"]]))
    lower = np.full((len(studies), len(thresholds)), np.nan)
    upper, n = lower.copy(), np.zeros(len(studies))
    place = {study: position for position, study in enumerate(studies)}
    row, column = rows["study"].map(place).to_numpy(int), np.searchsorted(thresholds, rows["threshold"])
    lower[row, column], upper[row, column], n[row] = rows["events_lower"], rows["events_upper"], rows["n"]
    labels = dict(zip(rows["study"], rows["label"], strict=True))
    by_study = dict(list(told.groupby("study"))) if len(told) else {}
    improvements = tuple(tuple(by_study[s]["improvement"]) if s in by_study else () for s in studies)
    best = tuple(bool(by_study[s]["best"].any()) if s in by_study else False for s in studies)
    counts = Counts(
        studies, tuple(str(labels.get(s, s)) for s in studies), thresholds, lower, upper, n, improvements, best
    )
    return _without_told(counts) if len(told) else counts


def joined_thresholds(several: Iterable[Counts]) -> Array:
    """Every threshold that says something, and every exact improvement, ascending."""
    found: set[float] = set()
    for counts in several:
        informative = counts.bounds().informative.any(axis=0)
        found |= set(counts.thresholds[informative]) | {x for each in counts.improvements for x in each}
    return np.array(sorted(found), dtype=float)


def restricted(counts: Counts, thresholds: Array) -> Counts:
    """The same counts, on those of their thresholds that say something, over the joint list."""
    bounds = counts.bounds()
    keep = bounds.informative.any(axis=0)
    lower, upper = (
        np.where(bounds.informative, counts.lower, np.nan),
        np.where(bounds.informative, counts.upper, np.nan),
    )
    slim = Counts(
        counts.studies,
        counts.labels,
        counts.thresholds[keep],
        lower[:, keep],
        upper[:, keep],
        counts.n,
        counts.improvements,
        counts.best,
    )
    return slim.on(thresholds)


def _checked(table: pd.DataFrame, name: str) -> pd.DataFrame:
    if not isinstance(table, pd.DataFrame):
        raise PasimetaError(
            f"{name}: {type(table).__name__} is no table; give a DataFrame, a row a study and threshold"
        )
    both = {"events_lower", "events_upper"} <= set(table.columns)
    wanted = ["study", "threshold", "n", *(["events_lower", "events_upper"] if both else ["events"])]
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        raise PasimetaError(f"{name}: column {missing[0]} is missing; give {', '.join(wanted)}")
    study = table["study"].to_numpy(dtype=object)
    label = table["label"].to_numpy(dtype=object) if "label" in table.columns else study
    sources = {"threshold": "threshold", "n": "n"}
    sources |= {end: end if both else "events" for end in ("events_lower", "events_upper")}
    numbers = {}
    for column, source in sources.items():
        numbers[column] = pd.to_numeric(table[source], errors="coerce").astype(float).to_numpy()
        _refuse(study, ~np.isfinite(numbers[column]), name, f"{column} is no number; give one, or drop the row")
    threshold, n, lower, upper = numbers.values()
    whole = (n % 1 == 0) & (lower % 1 == 0) & (upper % 1 == 0)
    _refuse(study, ~whole, name, "counts are not whole; give numbers of patients, not percentages")
    _refuse(study, n < 1, name, "n leaves the study empty; drop the row or give its size")
    beyond = (threshold <= 0) | (threshold > 100)
    _refuse(study, beyond, name, "threshold is no percentage above 0, at most 100; PASI75 is 75")
    _refuse(study, lower > upper, name, "events_lower exceeds events_upper; swap the two")
    _refuse(study, (lower < 0) | (upper > n), name, "events lie outside 0 to n; check the columns")
    rows = pd.DataFrame({"study": study, "label": label, **numbers})
    repeated = rows.duplicated(["study", "threshold"]).to_numpy()
    _refuse(study, repeated, name, "repeats a study and threshold; keep one count of them")
    first = dict(zip(study[::-1], n[::-1], strict=True))
    sizes = np.array([first[each] for each in study])
    _refuse(study, n != sizes, name, "n differs between thresholds of the study; choose one denominator")
    return rows


def _refuse(study: NDArray[np.object_], wrong: NDArray[np.bool_], name: str, remedy: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise PasimetaError(f"{name}, row {row + 1} (study {study[row]}): {remedy}")


def _checked_patients(patients: pd.DataFrame | None) -> pd.DataFrame:
    if patients is None or patients.empty:
        return _NOBODY
    missing = [column for column in ("study", "improvement") if column not in patients.columns]
    if missing:
        raise PasimetaError(f"patients: column {missing[0]} is missing; give study and improvement")
    rows = patients.reset_index(drop=True)
    rows = rows.assign(best=rows["best"].astype(bool) if "best" in rows.columns else False)
    rows["improvement"] = pd.to_numeric(rows["improvement"], errors="coerce").astype(float)
    study, improvement = rows["study"].to_numpy(dtype=object), rows["improvement"].to_numpy()
    _refuse(study, ~np.isfinite(improvement), "patients", "improvement is no number; give one, or drop the row")
    remedy = "an exact improvement lies above 0 and below 100; count a cleared patient at threshold 100 instead"
    _refuse(study, (improvement <= 0) | (improvement >= 100), "patients", remedy)
    return rows


def _without_told(counts: Counts) -> Counts:
    """Take the told patients out of the counts; a best one bounds all others."""
    lower, upper, n = counts.lower.copy(), counts.upper.copy(), counts.n.copy()
    for row, improvements in enumerate(counts.improvements):
        if not improvements:
            continue
        n[row] = max(n[row] - len(improvements), 0.0)
        reach = (np.array(improvements)[:, None] >= counts.thresholds).sum(axis=0)
        if (upper[row] < reach).any():
            raise PasimetaError(
                f"patients, study {counts.studies[row]}: more told patients reach a threshold than the counts allow; "
                "correct the improvement or the count"
            )
        lower[row], upper[row] = np.maximum(lower[row] - reach, 0), np.minimum(upper[row] - reach, n[row])
        if counts.best[row]:
            at = np.searchsorted(counts.thresholds, max(improvements))
            lower[row, at] = upper[row, at] = 0.0
    return Counts(counts.studies, counts.labels, counts.thresholds, lower, upper, n, counts.improvements, counts.best)
