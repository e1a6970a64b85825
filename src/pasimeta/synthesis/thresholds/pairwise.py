"""Trials with several arms: an intercept a study, a shift a treatment, shared cut-points, by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd
from scipy.special import ndtri

from pasimeta.effects.validation import Array, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.thresholds.categories import Categories, Indices
from pasimeta.synthesis.thresholds.cutpoints import Cutpoints, cutpoints
from pasimeta.synthesis.thresholds.likelihood import given_level
from pasimeta.synthesis.thresholds.links import Link, check_link
from pasimeta.synthesis.thresholds.newton import maximum
from pasimeta.synthesis.thresholds.reading import joined_thresholds, read_counts, restricted

_RUNAWAY = 7.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdContrasts:
    """Treatment shifts on the latent scale against the control.

    Attributes
    ----------
    studies, arms : int
    control : str
    treatments : DataFrame
        treatment, estimate (shift of the latent level; positive is more responders), se, ci_lower, ci_upper, arms.
    cutpoints : DataFrame
        threshold, z, se.
    intercepts : DataFrame
        study, estimate: latent level under the control.
    log_likelihood : float
        Maximum, multinomial coefficients included.
    log_likelihood_kernel : float
        The same without the coefficients.
    form, link : str
    level : float
    warnings : tuple of str
    """

    studies: int
    arms: int
    control: str
    log_likelihood: float
    log_likelihood_kernel: float
    form: str
    link: str
    level: float
    warnings: tuple[str, ...]
    treatments: pd.DataFrame = field(repr=False, compare=False)
    cutpoints: pd.DataFrame = field(repr=False, compare=False)
    intercepts: pd.DataFrame = field(repr=False, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """One row a treatment."""
        common = {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.name not in ("treatments", "cutpoints", "intercepts", "warnings")
        }
        return self.treatments.assign(**common, warnings="; ".join(self.warnings))


@dataclass(frozen=True, slots=True)
class _Network:
    """Log-likelihood of arms: parameters are intercepts, shifts, cut-points."""

    data: Categories
    study: Indices
    treatment: Indices  # -1 for the control
    studies: int
    treatments: int
    thresholds: Array
    form: Cutpoints
    link: Link

    def __call__(self, x: Array, _: Indices) -> tuple[Array, Array]:
        problems, arms = len(x), len(self.data)
        shape = x[:, self.studies + self.treatments :]
        z = np.empty((problems, len(self.thresholds) + 2))
        z[:, 0], z[:, -1] = -np.inf, np.inf
        z[:, 1:-1] = self.form.at(shape, self.thresholds)
        shifts = np.concatenate([x[:, self.studies : self.studies + self.treatments], np.zeros((problems, 1))], axis=1)
        level = x[:, self.study] + shifts[:, self.treatment]
        rows = np.tile(np.arange(arms), problems)
        found = given_level(self.data.rows(rows), level.ravel(), np.repeat(z, arms, axis=0), self.link)
        slope = found.mu.reshape(problems, arms)
        score = np.zeros_like(x)
        at_shift = np.zeros((problems, self.treatments + 1))
        np.add.at(score.T, self.study, slope.T)
        np.add.at(at_shift.T, self.treatment, slope.T)
        score[:, self.studies : self.studies + self.treatments] = at_shift[:, :-1]
        at_z = found.z.reshape(problems, arms, -1).sum(axis=1)[:, 1:-1]
        jacobian = self.form.jacobian(shape, self.thresholds) if self.form.size else np.zeros((problems, 0, 1))
        score[:, self.studies + self.treatments :] = np.einsum("pqt,pt->pq", jacobian, at_z)
        return found.value.reshape(problems, arms).sum(axis=1), score


def compare_thresholds(
    counts: pd.DataFrame,
    *,
    control: str,
    form: str = "free",
    link: str = "probit",
    reference: float = 50,
    level: float = 0.95,
) -> ThresholdContrasts:
    """Fit a fixed-effect network of ordered categories: P(improvement >= c) = F(intercept + shift - z(c)).

    Parameters
    ----------
    counts : DataFrame
        One row an arm and threshold: trial, study (the arm's own name), treatment, threshold, n, and ``events`` or
        ``events_lower``, ``events_upper``. Cumulative counts: all who improved by at least the threshold.
    control : str
        The treatment all shifts are told against.
    form, link, reference, level
        As in :func:`pasimeta.synthesis.pool_thresholds`.

    Returns
    -------
    ThresholdContrasts

    Raises
    ------
    PasimetaError
        For a table that can't be, an unknown control, a trial with one arm, or treatments that no trial connects.

    References
    ----------
    Dias S, Welton NJ, Sutton AJ, Ades AE. NICE DSU Technical Support Document 2, 2011, example 6 (psoriasis).
    """
    level = check_level(level)
    for column in ("trial", "treatment"):
        if column not in counts.columns:
            raise PasimetaError(
                f"counts: column {column} is missing; give trial, study, treatment, threshold, n, events"
            )
    read = read_counts(counts)
    of_arm = counts.drop_duplicates("study").set_index("study").loc[list(read.studies)]
    trials = tuple(dict.fromkeys(of_arm["trial"]))
    _refuse_network(of_arm, control)
    treatments = tuple(t for t in dict.fromkeys(of_arm["treatment"]) if t != control)
    thresholds = joined_thresholds([read])
    network = _Network(
        restricted(read, thresholds).categories(),
        np.array([trials.index(t) for t in of_arm["trial"]]),
        np.array([-1 if t == control else treatments.index(t) for t in of_arm["treatment"]]),
        len(trials),
        len(treatments),
        thresholds,
        cutpoints(form, thresholds, reference),
        check_link(link),
    )
    start = np.concatenate([np.full(len(trials), -0.5), np.zeros(len(treatments)), network.form.start])
    found = maximum(network, start[None])
    return _contrasts(network, found.at[0], found.value[0], found.information[0], trials, treatments, control, level)


def _refuse_network(arms: pd.DataFrame, control: str) -> None:
    if control not in set(arms["treatment"]):
        raise PasimetaError(
            f"control: no arm has {control!r}; choose one of {', '.join(sorted(set(arms['treatment'])))}"
        )
    alone = arms.groupby("trial").size()
    if (alone < 2).any():
        raise PasimetaError(f"counts, trial {alone.index[alone < 2][0]}: has one arm; a contrast needs two, so drop it")
    reached, waiting = {control}, list(arms.groupby("trial")["treatment"].agg(set))
    while any(reached & each and not each <= reached for each in waiting):
        for each in waiting:
            reached |= each if reached & each else set()
    apart = sorted(set(arms["treatment"]) - reached)
    if apart:
        raise PasimetaError(f"counts: no trial connects {apart[0]} to {control}; drop its trials")


def _contrasts(
    network: _Network,
    x: Array,
    value: float,
    information: Array,
    trials: tuple[str, ...],
    treatments: tuple[str, ...],
    control: str,
    level: float,
) -> ThresholdContrasts:
    covariance = np.linalg.pinv(information, hermitian=True)
    first, end = network.studies, network.studies + network.treatments
    se = np.sqrt(np.maximum(np.diag(covariance)[first:end], 0.0))
    half = float(ndtri(0.5 + level / 2)) * se
    shift = x[first:end]
    arms = [int((network.treatment == i).sum()) for i in range(len(treatments))]
    c = network.form.thresholds
    jacobian = network.form.jacobian(x[None, end:], c)[0] if network.form.size else np.zeros((0, len(c)))
    z_se = np.sqrt(np.maximum(np.einsum("qt,qr,rt->t", jacobian, covariance[end:, end:], jacobian), 0.0))
    doubts = [
        doubt(f"{name}: the likelihood rises without end in its shift; all or none responded", stacklevel=4)
        for name, estimate in zip(treatments, shift, strict=True)
        if abs(estimate) > _RUNAWAY
    ]
    # every row of a count known exactly has one coefficient; of bounded ones there is none to leave out
    coefficient = network.data.log_coefficient[:, 0].sum()
    return ThresholdContrasts(
        studies=len(trials),
        arms=len(network.data),
        control=control,
        log_likelihood=float(value),
        log_likelihood_kernel=float(value - coefficient),
        form=network.form.form,
        link=network.link.name,
        level=level,
        warnings=tuple(doubts),
        treatments=pd.DataFrame(
            {
                "treatment": treatments,
                "estimate": shift,
                "se": se,
                "ci_lower": shift - half,
                "ci_upper": shift + half,
                "arms": arms,
            }
        ),
        cutpoints=pd.DataFrame({"threshold": c, "z": network.form.at(x[None, end:], c)[0], "se": z_se}),
        intercepts=pd.DataFrame({"study": trials, "estimate": x[:first]}),
    )
