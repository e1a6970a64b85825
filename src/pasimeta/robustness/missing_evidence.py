"""What would trials that never reported have to show to change the answer? Tipping points, worst and best cases."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, check_choice, check_counts, check_level
from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.synthesis.exact_binomial import MODELS, pool_binomial

QUANTITIES = ("estimate", "population", "ci_lower", "ci_upper")
_FIELDS = {name: f"response_{name}" for name in QUANTITIES}
SPLITS = ("even", "all")
_MOST_WAYS = 20_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TippingResult:
    """What the unreported trials would have to show for the pooled rate to fall to a limit.

    Attributes
    ----------
    curve : DataFrame
        One row a number of unreported ``patients`` and of ``responders`` among them: ``rate`` (responders over
        patients), then ``estimate`` (of the median trial, under the binomial-normal model), ``population`` (average
        rate over all trials), ``ci_lower``, ``ci_upper``, as proportions, each the largest over the ways to split the
        responders among the trials, and ``estimate_low`` etc., the smallest. Zero patients are the reported trials
        alone.
    points : DataFrame
        One row a number of patients, a limit and a quantity (a column of the curve): ``responders``,
        the most with which the quantity is at the limit or below, however they are split; ``rate``; ``reaches``:
        ``some`` numbers of responders bring it there, ``all`` do, or ``none`` does (``responders`` missing).
    nonresponders : DataFrame
        One row a limit: how many unreported ``patients``, none of them a responder, would bring the crude rate there.
    limits : dict of str to float
        Rates by name.
    events, n : int
        Reported responders and patients.
    sizes : tuple of int
        Unreported trials, in the order in which their patients are counted.
    model, split : str
        As asked for.
    level : float
        Of the intervals.
    """

    curve: pd.DataFrame
    points: pd.DataFrame
    nonresponders: pd.DataFrame
    limits: dict[str, float]
    events: int
    n: int
    sizes: tuple[int, ...]
    model: str
    split: str
    level: float

    def to_frame(self) -> pd.DataFrame:
        """The tipping points."""
        return self.points


def tipping_points(
    events: ArrayLike,
    n: ArrayLike,
    unreported: Sequence[int],
    limits: Mapping[str, float],
    *,
    model: str = "binomial_normal",
    split: str = "even",
    level: float = 0.95,
) -> TippingResult:
    """Find the response of unreported trials that would bring the pooled rate down to each limit.

    Parameters
    ----------
    events, n : array_like, shape (k,)
        Reported trials.
    unreported : sequence of int
        Patients of each unreported trial, the surest first: a smaller number of unreported patients is the first
        trials, the last of them in part.
    limits : mapping of str to float
        Rates in [0, 1] by name, such as placebo's.
    model : str
        As in :func:`pasimeta.synthesis.pool_binomial`.
    split : {"even", "all"}
        How responders fall on the trials: in proportion to size, or in every way there is.
    level : float
        Of the intervals.

    Returns
    -------
    TippingResult

    Raises
    ------
    PasimetaError
        For counts, sizes or limits that can't be, or too many ways to split.

    Notes
    -----
    It is a search, not a model: every count of responders is put in place of the silence and the pool is fitted again.
    Under the binomial-normal model trials that differ wildly have a median trial far from their average: where half of
    the trials show no responder, ``estimate`` can fall to a few percent while many patients respond. ``population`` and
    the common-rate model stay with the patients.
    """
    counts, sizes = check_counts(events, n)
    hidden = _checked_sizes(unreported)
    rates = _checked_limits(limits)
    check_choice("model", model, MODELS)
    check_choice("split", split, SPLITS)
    level = check_level(level)
    cases = list(_cases(hidden, split))
    fits = _refitted(counts, sizes, [trials for _, _, trials in cases], model, level)
    table = pd.DataFrame({"patients": [c[0] for c in cases], "responders": [c[1] for c in cases], **fits})
    grouped = table.groupby(["patients", "responders"], sort=True)[list(QUANTITIES)]
    low = grouped.min().add_suffix("_low")
    curve = pd.concat([grouped.max(), low], axis=1).reset_index()
    curve.insert(2, "rate", curve["responders"] / curve["patients"].where(curve["patients"] > 0))
    total, patients = int(counts.sum()), int(sizes.sum())
    return TippingResult(
        curve=curve,
        points=_points(curve, rates),
        nonresponders=_nonresponders(total, patients, rates),
        limits=rates,
        events=total,
        n=patients,
        sizes=hidden,
        model=model,
        split=split,
        level=level,
    )


def extreme_cases(
    events: ArrayLike,
    n: ArrayLike,
    unreported: Mapping[str, Sequence[int]],
    rates: Mapping[str, float] | None = None,
    *,
    model: str = "binomial_normal",
    level: float = 0.95,
) -> pd.DataFrame:
    """Pool again as if the unreported trials had shown the worst, the best, or a rate in between.

    Parameters
    ----------
    events, n : array_like, shape (k,)
        Reported trials.
    unreported : mapping of str to sequence of int
        Sizes of the unreported trials, by name of the set: those surely treated, all that ended, and so on.
    rates : mapping of str to float, optional
        Further cases: a rate by name, rounded to whole patients in each trial.
    model, level
        As in :func:`tipping_points`.

    Returns
    -------
    DataFrame
        One row a set and case: ``unreported``, ``trials``, ``patients``, ``case`` (``none responds``, the names of
        ``rates``, ``all respond``), ``responders`` among them, then ``k``, ``events``, ``n`` of the pool, ``estimate``,
        ``population``, ``ci_lower``, ``ci_upper``. The first row is the reported trials alone.

    Raises
    ------
    PasimetaError
        For counts, sizes or rates that can't be.
    """
    counts, sizes = check_counts(events, n)
    check_choice("model", model, MODELS)
    level = check_level(level)
    cases = {"none responds": 0.0, **_checked_limits(rates or {}), "all respond": 1.0}
    rows: list[tuple[str, str, list[tuple[int, int]]]] = [("reported trials alone", "–", [])]
    for name, given in unreported.items():
        hidden = _checked_sizes(given)
        rows += [(name, case, [(round(rate * size), size) for size in hidden]) for case, rate in cases.items()]
    fits = _refitted(counts, sizes, [trials for _, _, trials in rows], model, level)
    table = pd.DataFrame(
        {
            "unreported": [name for name, _, _ in rows],
            "trials": [len(trials) for _, _, trials in rows],
            "patients": [sum(size for _, size in trials) for _, _, trials in rows],
            "case": [case for _, case, _ in rows],
            "responders": [sum(x for x, _ in trials) for _, _, trials in rows],
            **fits,
        }
    )
    table.insert(5, "k", len(counts) + table["trials"])
    table.insert(6, "events", int(counts.sum()) + table["responders"])
    table.insert(7, "n", int(sizes.sum()) + table["patients"])
    return table


def _checked_sizes(unreported: Sequence[int]) -> tuple[int, ...]:
    if len(unreported) == 0:
        raise PasimetaError("unreported: no trial at all; give the sizes of the silent ones")
    for row, size in enumerate(unreported, start=1):
        if isinstance(size, bool) or size != int(size) or size < 1:
            raise PasimetaError(f"unreported, trial {row}: {size!r} is no number of patients; leave it out or mend it")
    return tuple(int(size) for size in unreported)


def _checked_limits(limits: Mapping[str, float]) -> dict[str, float]:
    for name, rate in limits.items():
        if not 0 <= rate <= 1:
            raise PasimetaError(f"limit {name}: {rate!r} is not a rate in [0, 1]; 40 % is 0.4")
    return {name: float(rate) for name, rate in limits.items()}


def _cases(sizes: Sequence[int], split: str) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Yield patients, responders, and the trials' (events, n), for every number of patients from none to all."""
    ways = np.prod([size + 1.0 for size in sizes])
    if split == "all" and ways > _MOST_WAYS:
        raise PasimetaError(f'unreported: responders can be split in {ways:,.0f} ways; give split="even"')
    for patients in range(sum(sizes) + 1):
        part, left = [], patients
        for size in sizes:
            part.append(min(size, left))
            left -= part[-1]
        taken = [size for size in part if size]
        if split == "even":
            for responders in range(patients + 1):
                yield patients, responders, list(zip(_even(responders, taken), taken, strict=True))
            continue
        for spread in np.ndindex(*(size + 1 for size in taken)):
            yield patients, sum(spread), list(zip(spread, taken, strict=True))


def _even(responders: int, sizes: Sequence[int]) -> list[int]:
    """Responders in proportion to size, by largest remainder: whole patients that add up."""
    if not sizes:
        return []
    exact = [responders * size / sum(sizes) for size in sizes]
    shares = [int(value) for value in exact]
    order = sorted(range(len(sizes)), key=lambda i: (shares[i] - exact[i], i))
    for i in order[: responders - sum(shares)]:
        shares[i] += 1
    return shares


def _refitted(
    events: Array, n: Array, added: Sequence[Sequence[tuple[int, int]]], model: str, level: float
) -> dict[str, Array]:
    """Fit the reported trials with each set of added ones, all sets of one size in one call."""
    found = {name: np.empty(len(added)) for name in QUANTITIES}
    numbers = np.array([len(trials) for trials in added])
    for number in np.unique(numbers):
        at = np.flatnonzero(numbers == number)
        extra = np.array([list(added[int(i)]) for i in at], dtype=np.float64).reshape(len(at), number, 2)
        x = np.concatenate([np.repeat(events[:, None], len(at), axis=1), extra[:, :, 0].T])
        m = np.concatenate([np.repeat(n[:, None], len(at), axis=1), extra[:, :, 1].T])
        with warnings.catch_warnings():
            # imagined trials raise no doubts of their own
            warnings.simplefilter("ignore", PasimetaWarning)
            result = pool_binomial(x, m, model, level)
        for name in QUANTITIES:
            found[name][at] = getattr(result, _FIELDS[name])
    return found


def _points(curve: pd.DataFrame, limits: Mapping[str, float]) -> pd.DataFrame:
    rows = []
    for patients, cases in curve[curve["patients"] > 0].groupby("patients"):
        for name, limit in limits.items():
            for quantity in QUANTITIES:
                at = cases[quantity].to_numpy() <= limit
                most = int(cases["responders"].to_numpy()[at].max()) if at.any() else None
                rows.append(
                    {
                        "patients": int(patients),
                        "limit": name,
                        "limit_rate": limit,
                        "quantity": quantity,
                        "responders": np.nan if most is None else float(most),
                        "rate": np.nan if most is None else most / int(patients),
                        "reaches": "none" if most is None else "all" if most == patients else "some",
                    }
                )
    columns = ["patients", "limit", "limit_rate", "quantity", "responders", "rate", "reaches"]
    return pd.DataFrame(rows, columns=columns)


def _nonresponders(events: int, n: int, limits: Mapping[str, float]) -> pd.DataFrame:
    rows = []
    for name, limit in limits.items():
        # events / (n + patients) <= limit, in whole patients; rounding guards against 6 / 0.05 = 120.00000000000001
        needed = np.nan if limit == 0 and events else max(0.0, np.ceil(round(events / (limit or 1.0), 9)) - n)
        rows.append({"limit": name, "limit_rate": limit, "patients": needed})
    return pd.DataFrame(rows, columns=["limit", "limit_rate", "patients"])
