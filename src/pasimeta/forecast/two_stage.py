"""Single-arm trials that look at their responders before the end: Simon's designs, and a Bayesian stopping rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import betaincc

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.forecast.beliefs import RateBelief, beta_belief, binomial, check_rate, check_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedDesign:
    """A single-arm trial with looks, whichever rule its bounds come from.

    Attributes
    ----------
    looks : tuple of int
        Patients at each look, ascending; the last is the full size.
    stop_at_or_below : tuple of int
        Stop for futility at each look but the last with at most so many responders; -1 never stops.
    claim_above : int
        Claim success at the end with more responders than this.
    label : str
        For tables.
    """

    looks: tuple[int, ...]
    stop_at_or_below: tuple[int, ...]
    claim_above: int
    label: str = "design"

    def __post_init__(self) -> None:
        """Refuse bounds that don't fit the looks."""
        sizes = [check_whole("looks", look) for look in self.looks]
        if not sizes or any(a >= b for a, b in pairwise(sizes)):
            raise PasimetaError(f"looks: {self.looks} don't ascend; give the patients at each look in order")
        if len(self.stop_at_or_below) != len(sizes) - 1:
            raise PasimetaError(
                f"stop_at_or_below: {len(self.stop_at_or_below)} bounds for {len(sizes) - 1} looks before the last"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OperatingCharacteristics:
    """What a staged design does at given true rates; arrays of shape (rates,).

    Attributes
    ----------
    design : StagedDesign
    rate, success, stopped, expected_n : ndarray
        True rate; probability of claiming success; of stopping before the last look; expected patients.
    """

    design: StagedDesign
    rate: Array
    success: Array
    stopped: Array
    expected_n: Array

    def to_frame(self) -> pd.DataFrame:
        """One row a rate."""
        return pd.DataFrame(
            {
                "design": self.design.label,
                "rate": self.rate,
                "success": self.success,
                "stopped": self.stopped,
                "expected_n": self.expected_n,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SimonDesign:
    """One of Simon's two-stage designs.

    Attributes
    ----------
    criterion : {"optimal", "minimax"}
        Fewest patients expected under ``p0``, or fewest at most.
    r1, n1, r, n : int
        Stop after ``n1`` patients with at most ``r1`` responders; claim success after ``n`` with more than ``r``.
    p0, p1, alpha, beta : float
        Uninteresting and wanted rate, and the error rates asked for.
    expected_n, stop_probability : float
        Under ``p0``.
    level, power : float
        Error rate under ``p0`` and power under ``p1`` that the design has.
    """

    criterion: str
    r1: int
    n1: int
    r: int
    n: int
    p0: float
    p1: float
    alpha: float
    beta: float
    expected_n: float
    stop_probability: float
    level: float
    power: float

    @property
    def staged(self) -> StagedDesign:
        """The same as looks and bounds."""
        return StagedDesign(
            looks=(self.n1, self.n), stop_at_or_below=(self.r1,), claim_above=self.r, label=f"Simon, {self.criterion}"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row, one column a field."""
        return pd.DataFrame([{name: getattr(self, name) for name in self.__slots__}])


def simon(p0: float, p1: float, alpha: float = 0.05, beta: float = 0.2, largest: int = 100) -> tuple[SimonDesign, ...]:
    """Search Simon's optimal and minimax two-stage designs.

    Parameters
    ----------
    p0, p1 : float
        Response rate not worth pursuing, and the one hoped for.
    alpha, beta : float
        Error rates at ``p0`` and at ``p1``.
    largest : int
        Most patients considered.

    Returns
    -------
    tuple of SimonDesign
        Optimal, minimax.

    Raises
    ------
    PasimetaError
        For rates or error rates that can't be, and if no design of at most ``largest`` patients keeps both errors.

    Notes
    -----
    All (n1, n, r1, r) are evaluated exactly; for each pair of sizes all bounds at once.

    References
    ----------
    Simon R. Optimal two-stage designs for phase II clinical trials. Control Clin Trials 1989;10:1-10.
    """
    if not check_rate("p0", p0) < check_rate("p1", p1):
        raise PasimetaError(f"p1: {p1:g} is not above p0 ({p0:g}); the rate hoped for must be the higher one")
    for name, value in (("alpha", alpha), ("beta", beta)):
        if not 0 < check_rate(name, value) < 1:
            raise PasimetaError(f"{name}: {value:g} is not strictly between 0 and 1")
    found: list[SimonDesign] = []
    for n in range(2, check_whole("largest", largest, 2) + 1):
        found += _best_of_size(n, p0, p1, alpha, beta)
    if not found:
        raise PasimetaError(
            f"largest: no two-stage design of at most {largest} patients tells {100 * p0:g} % from {100 * p1:g} % with "
            f"errors {alpha:g} and {beta:g}; allow more patients or larger errors"
        )
    fewest = min(design.n for design in found)
    optimal = min(found, key=lambda design: design.expected_n)
    minimax = min((d for d in found if d.n == fewest), key=lambda design: design.expected_n)
    return _named(optimal, "optimal"), _named(minimax, "minimax")


def bayesian_design(
    looks: Sequence[int],
    p0: float,
    *,
    prior: tuple[float, float] = (0.5, 0.5),
    futility: float = 0.05,
    success: float = 0.95,
) -> StagedDesign:
    """Bounds of a Bayesian rule: stop if success has become unlikely, claim it if the posterior is sure enough.

    Parameters
    ----------
    looks : sequence of int
        Patients at each look, ascending; the last is the full size.
    p0 : float
        Rate to be exceeded.
    prior : (a, b)
        Beta prior of the rate.
    futility : float
        Stop at a look if the predictive probability of a claim at the end is below this.
    success : float
        Claim success at the end if the posterior probability of a rate above ``p0`` is at least this.

    Returns
    -------
    StagedDesign

    Raises
    ------
    PasimetaError
        For looks that don't ascend, a prior or probabilities that can't be, or a rule that can never claim success.

    References
    ----------
    Lee JJ, Liu DD. A predictive probability design for phase II cancer clinical trials. Clin Trials 2008;5:93-106.
    """
    a, b = prior
    if not (a > 0 and b > 0):
        raise PasimetaError(f"prior: Beta({a!r}, {b!r}) needs two positive numbers; (0.5, 0.5) is Jeffreys'")
    check_rate("p0", p0)
    for name, value in (("futility", futility), ("success", success)):
        check_rate(name, value)
    full = StagedDesign(looks=tuple(looks), stop_at_or_below=(-1,) * (len(looks) - 1), claim_above=0).looks[-1]
    x = np.arange(full + 1)
    sure = betaincc(a + x, b + full - x, p0) >= success
    if not sure.any():
        raise PasimetaError(
            f"success: even {full} responders of {full} don't make a rate above {100 * p0:g} % sure enough; "
            "ask for less or take more patients"
        )
    needed = int(np.argmax(sure))
    bounds = [_futile_count(look, full, needed, a, b, futility) for look in looks[:-1]]
    return StagedDesign(
        looks=tuple(looks), stop_at_or_below=tuple(bounds), claim_above=needed - 1, label="Bayesian rule"
    )


def operating_characteristics(design: StagedDesign, rates: ArrayLike) -> OperatingCharacteristics:
    """Evaluate a staged design exactly at many true rates at once.

    Parameters
    ----------
    design : StagedDesign
    rates : array_like, shape (r,)
        True response rates.

    Returns
    -------
    OperatingCharacteristics

    Raises
    ------
    PasimetaError
        For a rate outside [0, 1].
    """
    at = np.atleast_1d(np.asarray(rates, float))
    if not ((at >= 0) & (at <= 1)).all():
        raise PasimetaError("rates: every true rate must lie in [0, 1]; 45 % is 0.45")
    going, expected, stopped = np.ones((len(at), 1)), np.zeros(len(at)), np.zeros(len(at))
    before = 0
    for look, bound in zip(design.looks, (*design.stop_at_or_below, None), strict=True):
        expected += going.sum(axis=1) * (look - before)
        going = _with_new_patients(going, binomial(look - before, at))
        if bound is not None:
            stopped += going[:, : max(bound + 1, 0)].sum(axis=1)
            going[:, : max(bound + 1, 0)] = 0.0
        before = look
    return OperatingCharacteristics(
        design=design,
        rate=at,
        success=going[:, design.claim_above + 1 :].sum(axis=1),
        stopped=stopped,
        expected_n=expected,
    )


def expected_success(design: StagedDesign, belief: RateBelief) -> float:
    """Assurance of a single-arm design: its chance to claim success over what is believed of the rate."""
    return float(belief.weights @ operating_characteristics(design, belief.nodes).success)


def staged_table(designs: Sequence[StagedDesign], p0: float, p1: float, belief: RateBelief) -> pd.DataFrame:
    """Several single-arm designs side by side.

    Returns
    -------
    DataFrame
        One row a design: ``design``, its ``rule`` in words, ``level`` (claims at ``p0``), ``power`` (at ``p1``),
        ``assurance`` over ``belief``, ``stopped`` and ``expected_n`` at ``p0``.
    """
    rows = []
    for design in designs:
        at = operating_characteristics(design, [p0, p1])
        stops = [
            f"{bound} of {look}"
            for look, bound in zip(design.looks, design.stop_at_or_below, strict=False)
            if bound >= 0
        ]
        early = f"stop with at most {' or '.join(stops)} responders; " if stops else ""
        rows.append(
            {
                "design": design.label,
                "rule": f"{early}claim success with more than {design.claim_above} of {design.looks[-1]}",
                "p0": p0,
                "p1": p1,
                "level": at.success[0],
                "power": at.success[1],
                "assurance": expected_success(design, belief),
                "stopped": at.stopped[0],
                "expected_n": at.expected_n[0],
            }
        )
    return pd.DataFrame(rows)


def _with_new_patients(going: Array, new: Array) -> Array:
    """Distribution of the sum of responders so far and new ones, a row a rate."""
    total = np.zeros((len(going), going.shape[1] + new.shape[1] - 1))
    for extra in range(new.shape[1]):
        total[:, extra : extra + going.shape[1]] += going * new[:, extra : extra + 1]
    return total


def _futile_count(look: int, full: int, needed: int, a: float, b: float, futility: float) -> int:
    """Most responders at a look with which a claim at the end is too unlikely; -1 if none."""
    for x in range(look + 1):
        ahead = beta_belief(a + x, b + look - x).counts(full - look)
        if ahead[max(needed - x, 0) :].sum() >= futility:
            return x - 1
    return look


def _best_of_size(n: int, p0: float, p1: float, alpha: float, beta: float) -> list[SimonDesign]:
    """The design of ``n`` patients with the smallest expected size under ``p0``, if there is one."""
    best, least = [], np.inf
    for n1 in range(1, n):
        stop0 = np.cumsum(_counts(n1, p0))
        if n1 >= min(least, n):
            break
        level, power = _claims(n1, n, p0), _claims(n1, n, p1)
        allowed = (level <= alpha) & (power >= 1 - beta)
        expected = np.where(allowed, (n1 + (1 - stop0) * (n - n1))[:, None], np.inf)
        r1, r = np.unravel_index(int(np.argmin(expected)), expected.shape)
        if expected[r1, r] < least:
            least = float(expected[r1, r])
            # several r may do: the smallest has the most power
            smallest = int(np.flatnonzero(allowed[r1])[0])
            best = [
                SimonDesign(
                    criterion="",
                    r1=int(r1),
                    n1=n1,
                    r=smallest,
                    n=n,
                    p0=p0,
                    p1=p1,
                    alpha=alpha,
                    beta=beta,
                    expected_n=least,
                    stop_probability=float(stop0[r1]),
                    level=float(level[r1, smallest]),
                    power=float(power[r1, smallest]),
                )
            ]
    return best


def _claims(n1: int, n: int, p: float) -> Array:
    """Probability of claiming success for every (r1, r), shape (n1 + 1, n + 1)."""
    first, second = _counts(n1, p), _counts(n - n1, p)
    above = np.append(np.cumsum(second[::-1])[::-1], 0.0)  # P(Y >= y), y = 0 .. n2 + 1
    needed = np.clip(np.arange(n + 1) + 1 - np.arange(n1 + 1)[:, None], 0, n - n1 + 1)
    by_first = first[:, None] * above[needed]
    from_here = np.cumsum(by_first[::-1], axis=0)[::-1]  # X1 >= x
    return np.vstack([from_here[1:], np.zeros(n + 1)])


@lru_cache(maxsize=512)  # two rates, and few sizes that thousands of designs are made of
def _counts(n: int, p: float) -> Array:
    return binomial(n, np.array([p]))[0]


def _named(design: SimonDesign, criterion: str) -> SimonDesign:
    return replace(design, criterion=criterion)
