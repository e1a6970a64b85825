"""The trial as designed, and how many responders it can expect in each arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from pasimeta.effects.validation import Array, check_choice, check_level
from pasimeta.errors import PasimetaError
from pasimeta.evidence.study import Study
from pasimeta.forecast.beliefs import RateBelief, check_whole

Test = Literal["fisher", "boschloo"]
Alternative = Literal["two_sided", "greater"]
TESTS = ("fisher", "boschloo")
ALTERNATIVES = ("two_sided", "greater")


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: its patients, and what is believed of its response rate."""

    label: str
    n: int
    belief: RateBelief


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A randomized trial of one or more arms against one control.

    Attributes
    ----------
    arms : tuple of Arm
        Experimental arms.
    control : Arm
    test : {"fisher", "boschloo"}
        Exact test of each contrast.
    alternative : {"two_sided", "greater"}
    alpha : float
        Level of each contrast's test.
    shared : bool
        Whether the experimental arms share one true rate, drawn once for the trial (no dose effect), or have one each,
        drawn independently. It matters to joint statements only.
    label : str
        For tables.
    """

    arms: tuple[Arm, ...]
    control: Arm
    test: Test = "fisher"
    alternative: Alternative = "two_sided"
    alpha: float = 0.05
    shared: bool = True
    label: str = "trial"

    def __post_init__(self) -> None:
        """Refuse a design that can't be evaluated."""
        if not self.arms:
            raise PasimetaError("design.arms: none; give at least one arm to compare with control")
        for arm in (*self.arms, self.control):
            check_whole(f"design: n of {arm.label!r}", arm.n)
        check_choice("design.test", self.test, TESTS)
        check_choice("design.alternative", self.alternative, ALTERNATIVES)
        check_level(self.alpha)
        if self.shared and any(arm.belief is not self.arms[0].belief for arm in self.arms):
            raise PasimetaError("design.shared: arms that share one true rate need one belief; set shared=False")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictedTrial:
    """Predictive distribution of every arm's responders.

    Attributes
    ----------
    design : Design
    probabilities : tuple of ndarray
        One an arm, control last: probability of 0 to n responders.
    level : float
        Of the predictive intervals.
    """

    design: Design
    probabilities: tuple[Array, ...]
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row an arm: mean, median and equal-tailed interval of its responders."""
        arms = (*self.design.arms, self.design.control)
        return pd.DataFrame(
            [_arm_row(arm, chances, self.level) for arm, chances in zip(arms, self.probabilities, strict=True)]
        )

    def counts(self) -> pd.DataFrame:
        """One row an arm and count: ``arm``, ``n``, ``responders``, ``probability``."""
        arms = (*self.design.arms, self.design.control)
        tables = [
            pd.DataFrame({"arm": arm.label, "n": arm.n, "responders": np.arange(arm.n + 1), "probability": chances})
            for arm, chances in zip(arms, self.probabilities, strict=True)
        ]
        return pd.concat(tables, ignore_index=True)


def predicted_trial(design: Design, level: float = 0.95) -> PredictedTrial:
    """Predict the responders of every arm.

    Parameters
    ----------
    design : Design
    level : float
        Probability that the interval of each arm's count holds at least.

    Returns
    -------
    PredictedTrial
    """
    arms = (*design.arms, design.control)
    return PredictedTrial(
        design=design,
        probabilities=tuple(arm.belief.counts(arm.n) for arm in arms),
        level=check_level(level),
    )


def registered_design(
    study: Study,
    *,
    cells: RateBelief,
    control: RateBelief,
    threshold: int = 75,
    test: Test = "fisher",
    alternative: Alternative = "two_sided",
    alpha: float = 0.05,
    shared: bool = True,
) -> Design:
    """Read a registered randomized trial as a design; what the registry leaves open is split evenly.

    Parameters
    ----------
    study : Study
        A record with a registration: its arms, its enrolment, and a planned primary outcome at ``threshold``.
    cells, control : RateBelief
        Of the arms given cells, and of the comparator arm.
    threshold : int
        PASI threshold of the primary outcome.
    test, alternative, alpha, shared
        As in :class:`Design`; registries rarely state them.

    Raises
    ------
    PasimetaError
        Naming what the registration lacks.
    """
    registration = study.registration
    total = None if registration is None else registration.enrollment.value
    if registration is None or total is None:
        raise PasimetaError(f"{study.id}: registration.enrollment is not known; give a Design of your own")
    planned = {o.threshold for o in registration.planned_outcomes if o.role == "primary"}
    if threshold not in planned:
        raise PasimetaError(f"{study.id}: PASI{threshold} is not a registered primary outcome; choose another")
    experimental = [arm for arm in study.arms if arm.intervention == "cells"]
    compared = [arm for arm in study.arms if arm.intervention != "cells"]
    if len(compared) != 1 or not experimental:
        raise PasimetaError(f"{study.id}: arms: needs arms with cells and exactly one without; give a Design")
    sizes = arm_sizes(total, [arm.n.value for arm in (*experimental, compared[0])])
    arms = [Arm(arm.label, n, cells) for arm, n in zip(experimental, sizes, strict=False)]
    return Design(
        arms=tuple(arms),
        control=Arm(compared[0].label, sizes[-1], control),
        test=test,
        alternative=alternative,
        alpha=alpha,
        shared=shared,
        label=study.label,
    )


def arm_sizes(total: int, known: Sequence[int | None]) -> list[int]:
    """Fill the unknown sizes of arms so that they sum to the enrolment and differ by at most one patient.

    Raises
    ------
    PasimetaError
        If the known sizes leave too few patients.
    """
    left, unknown = total - sum(n for n in known if n is not None), sum(n is None for n in known)
    if left < unknown or (unknown == 0 and left != 0):
        raise PasimetaError(f"arms: their sizes leave {left} of {total} patients for {unknown} arms; correct one")
    share, extra = divmod(left, unknown) if unknown else (0, 0)
    sizes = []
    for n in known:
        sizes.append(n if n is not None else share + (extra > 0))
        extra -= n is None and extra > 0
    return [int(n) for n in sizes]


def control_counts(
    comparators: pd.DataFrame, treatment: str, threshold: int, weeks: tuple[float, float] = (12, 24), week: float = 20
) -> pd.DataFrame:
    """Select one count an arm of other trials' patients on a treatment, judged nearest a week.

    Parameters
    ----------
    comparators : DataFrame
        From :func:`pasimeta.evidence.tables.comparators`.
    treatment : str
        Such as ``methotrexate``.
    threshold : int
        PASI threshold.
    weeks : (float, float)
        Counts judged outside are left out, and so are those whose week isn't given.
    week : float
        The week to be nearest to.

    Returns
    -------
    DataFrame
        One row an arm: ``trial``, ``label``, ``arm``, ``week``, ``events``, ``n``, ``source``, ``locator``,
        ``entry``.

    Raises
    ------
    PasimetaError
        If no arm is left, naming the treatment.
    """
    rows = comparators[
        (comparators["treatment"] == treatment)
        & (comparators["endpoint"] == "pasi_response")
        & (comparators["threshold"] == threshold)
        & comparators["week"].between(*weeks)
        & (comparators["events_lower"] == comparators["events_upper"])
    ]
    if rows.empty:
        raise PasimetaError(
            f"{treatment}: no arm counts PASI{threshold} between weeks {weeks[0]:g} and {weeks[1]:g}; "
            "widen the weeks or give the control's belief from a benchmark"
        )
    ordered = rows.assign(distance=(rows["week"] - week).abs(), events=rows["events_lower"])
    nearest = ordered.sort_values(["trial", "arm", "distance"], kind="stable").drop_duplicates(["trial", "arm"])
    columns = ["trial", "label", "arm", "week", "events", "n", "source", "locator", "entry"]
    return nearest.reindex(columns=columns).reset_index(drop=True)


def count_interval(chances: Array, level: float) -> tuple[int, int]:
    """Equal-tailed interval of a count: no more than (1 - level) / 2 of the probability on either side."""
    cumulative = np.cumsum(chances)
    tail = (1 - level) / 2
    lower = int(np.searchsorted(cumulative, tail, side="right"))
    upper = int(np.searchsorted(cumulative, 1 - tail, side="left"))
    return lower, min(upper, len(chances) - 1)


def _arm_row(arm: Arm, chances: Array, level: float) -> Mapping[str, object]:
    lower, upper = count_interval(chances, level)
    return {
        "arm": arm.label,
        "n": arm.n,
        "belief": arm.belief.label,
        "rate_mean": arm.belief.mean,
        "rate_lower": float(arm.belief.quantile((1 - level) / 2)),
        "rate_upper": float(arm.belief.quantile((1 + level) / 2)),
        "responders_mean": float(chances @ np.arange(arm.n + 1)),
        "responders_median": int(np.searchsorted(np.cumsum(chances), 0.5)),
        "responders_lower": lower,
        "responders_upper": upper,
        "level": level,
    }
