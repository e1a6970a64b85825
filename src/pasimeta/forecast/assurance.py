"""Assurance: the chance that a trial ends with a significant result, over what is believed of the true rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.forecast.beliefs import binomial
from pasimeta.forecast.exact_tests import exact_p_values, rejects_for_benefit
from pasimeta.forecast.predictive import Arm, Design

__all__ = ["AssuranceResult", "ContrastAssurance", "assurance", "exact_p_values", "power"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastAssurance:
    """Assurance of one experimental arm against control.

    Attributes
    ----------
    arm, control : str
        Labels.
    n, n_control : int
        Patients.
    assurance : float
        Probability of significance in favour of the arm.
    harm : float
        Probability of significance in favour of control; 0 under a one-sided test, which can't show it.
    ceiling : float
        Probability that the arm's true rate is the higher one: what assurance approaches with ever more patients.
    power_at_means : float
        Power if both rates were exactly their expectations; what a calculation without uncertainty would promise.
    level : float
        Largest probability of a false claim of benefit, over all common rates.
    """

    arm: str
    control: str
    n: int
    n_control: int
    assurance: float
    harm: float
    ceiling: float
    power_at_means: float
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AssuranceResult:
    """Assurance of a whole design.

    Attributes
    ----------
    design : Design
    contrasts : tuple of ContrastAssurance
        One an experimental arm.
    any_contrast, every_contrast : float
        Probability that at least one contrast, and that all of them, are significant in favour of the arm; the
        control arm is common to all, and so is the true rate if the design says so.
    """

    design: Design
    contrasts: tuple[ContrastAssurance, ...]
    any_contrast: float
    every_contrast: float

    def to_frame(self) -> pd.DataFrame:
        """One row a contrast, and the joint statements repeated in each."""
        rows = [
            {name: getattr(contrast, name) for name in ContrastAssurance.__slots__}
            | {"test": self.design.test, "alternative": self.design.alternative, "alpha": self.design.alpha}
            | {"any_contrast": self.any_contrast, "every_contrast": self.every_contrast}
            for contrast in self.contrasts
        ]
        return pd.DataFrame(rows)


def assurance(design: Design) -> AssuranceResult:
    """Integrate the power of every contrast over the beliefs, exactly over all outcomes.

    Parameters
    ----------
    design : Design

    Returns
    -------
    AssuranceResult

    Notes
    -----
    The true rates of the experimental arms and of control are believed independently. Power given the rates is the sum
    of the binomial probabilities of all significant tables; no simulation and no normal approximation.

    References
    ----------
    Spiegelhalter DJ, Freedman LS. A predictive approach to selecting the size of a clinical trial. Stat Med
    1986;5:1-13. O'Hagan A, Stevens JW, Campbell MJ. Assurance in clinical trial design. Pharm Stat 2005;4:187-201.
    """
    any_contrast, every_contrast = _joint(design)
    return AssuranceResult(
        design=design,
        contrasts=tuple(_contrast(arm, design) for arm in design.arms),
        any_contrast=any_contrast,
        every_contrast=every_contrast,
    )


def power(
    rate: ArrayLike,
    control_rate: ArrayLike,
    n: int,
    n_control: int,
    *,
    test: str = "fisher",
    alternative: str = "two_sided",
    alpha: float = 0.05,
) -> Array:
    """Power at known rates, over a grid of them.

    Parameters
    ----------
    rate, control_rate : array_like
        True rates, shapes (a,) and (b,).
    n, n_control : int
        Patients in each arm.
    test, alternative, alpha
        As in :class:`Design`.

    Returns
    -------
    ndarray, shape (a, b)
        Probability of significance in favour of the experimental arm.

    Raises
    ------
    PasimetaError
        For rates outside [0, 1], empty arms, an unknown test or alternative.
    """
    rates, control_rates = (np.atleast_1d(np.asarray(values, float)) for values in (rate, control_rate))
    for name, values in (("rate", rates), ("control_rate", control_rates)):
        if not ((values >= 0) & (values <= 1)).all():
            raise PasimetaError(f"{name}: every rate must lie in [0, 1]; 45 % is 0.45")
    rejected = rejects_for_benefit(n, n_control, test, alternative, alpha)
    return binomial(n, rates) @ rejected @ binomial(n_control, control_rates).T


def _contrast(arm: Arm, design: Design) -> ContrastAssurance:
    control = design.control
    rejected = rejects_for_benefit(arm.n, control.n, design.test, design.alternative, design.alpha)
    own, other = arm.belief.counts(arm.n), control.belief.counts(control.n)
    harm = 0.0
    if design.alternative == "two_sided":
        against = rejects_for_benefit(control.n, arm.n, design.test, design.alternative, design.alpha)
        harm = float(other @ against @ own)
    common = np.linspace(0, 1, 2001)
    null = np.einsum("rx,xc,rc->r", binomial(arm.n, common), rejected, binomial(control.n, common), optimize=True)
    at_means = binomial(arm.n, np.array([arm.belief.mean])) @ rejected
    return ContrastAssurance(
        arm=arm.label,
        control=control.label,
        n=arm.n,
        n_control=control.n,
        assurance=float(own @ rejected @ other),
        harm=harm,
        ceiling=arm.belief.exceeds(control.belief),
        power_at_means=float((at_means @ binomial(control.n, np.array([control.belief.mean])).T).item()),
        level=float(null.max()),
    )


def _joint(design: Design) -> tuple[float, float]:
    """Chance of at least one and of all contrasts: arms are independent given control's count and the true rates."""
    control = design.control
    other = control.belief.counts(control.n)
    none = every = np.ones((1, control.n + 1))
    for arm in design.arms:
        rejected = rejects_for_benefit(arm.n, control.n, design.test, design.alternative, design.alpha)
        if design.shared:
            chance = binomial(arm.n, arm.belief.nodes) @ rejected  # by true rate and control count
        else:
            chance = (arm.belief.counts(arm.n) @ rejected)[None, :]
        none, every = none * (1 - chance), every * chance
    weights = design.arms[0].belief.weights if design.shared else np.ones(1)
    return float(1 - weights @ none @ other), float(weights @ every @ other)
