"""Pool every PASI threshold of single-arm studies in one response model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, as_numbers, check_choice, check_level
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.thresholds.arms import arm_categories
from pasimeta.synthesis.thresholds.categories import Bounds, Categories, categories
from pasimeta.synthesis.thresholds.cutpoints import cutpoints
from pasimeta.synthesis.thresholds.estimate import (
    CurvePosterior,
    by_bayes,
    by_likelihood,
    curve_by_bayes,
    own_counts_by_bayes,
    own_counts_by_likelihood,
)
from pasimeta.synthesis.thresholds.links import check_link
from pasimeta.synthesis.thresholds.model import ThresholdModel, one_review
from pasimeta.synthesis.thresholds.reading import Counts, joined_thresholds, read_counts, restricted
from pasimeta.synthesis.thresholds.result import ThresholdResult

METHODS = ("ML", "bayes")
PREDICTED = (50, 75, 90, 100)
CURVE = tuple(range(25, 101, 5))


@dataclass(frozen=True, slots=True)
class Problem:
    """One review, read and checked.

    Attributes
    ----------
    counts : Counts
        Of the studies, over the thresholds that say something.
    arms : Counts or None
        Of the comparators, likewise.
    model : ThresholdModel
    """

    counts: Counts
    arms: Counts | None
    model: ThresholdModel


def pool_thresholds(
    counts: pd.DataFrame,
    *,
    comparators: pd.DataFrame | None = None,
    patients: pd.DataFrame | None = None,
    form: str = "offset_log",
    link: str = "probit",
    method: str = "ML",
    tau_prior: Sequence[Any] = ("half_normal", 0.5),
    mu_prior: Sequence[float] | None = None,
    reference: float = 50,
    curve: ArrayLike = CURVE,
    predict: ArrayLike = PREDICTED,
    level: float = 0.95,
) -> ThresholdResult:
    """Pool ordered, possibly censored counts of patients reaching PASI thresholds.

    Parameters
    ----------
    counts : DataFrame
        One row a study and threshold: study, threshold (percent improvement), n, and ``events`` or an interval
        ``events_lower``, ``events_upper``; ``label`` is optional. Studies may report different thresholds.
    comparators : DataFrame, optional
        The same columns for arms of other treatments (``study`` names the arm). Each keeps a level of its own, so only
        the spacing of its thresholds is learned from it; an arm with one threshold tells nothing.
    patients : DataFrame, optional
        Columns study, improvement (exact, below 100 percent), and best (nobody else of the study improved more):
        single patients who enter by their density instead of their category. Smooth forms only.
    form : {"offset_log", "power", "root", "linear", "free"}
        Of the cut-points z(c), see :class:`.cutpoints.Cutpoints`. The default predicts held-out thresholds of
        comparator arms best (:func:`.held_out.form_scores`).
    link : {"probit", "logit"}
        Latent distribution of improvement.
    method : {"ML", "bayes"}
        Maximum likelihood with profile-likelihood intervals, or the posterior by deterministic quadrature.
    tau_prior : tuple
        ``("half_normal", scale)`` or ``("uniform", upper)`` on the latent scale. 0.5 on the probit scale is about 0.8
        log-odds.
    mu_prior : (mean, sd), optional
        Normal prior of mu; None is flat. ``(0, 1)`` with the probit link is uniform in the share reaching PASI50.
    reference : float
        Threshold where z is 0.
    curve : array_like
        Thresholds of the response curve, percent; a free form is told at those in the data.
    predict : array_like
        Thresholds at which each study's count is predicted; empty for none.
    level : float
        Level of every interval.

    Returns
    -------
    ThresholdResult

    Raises
    ------
    PasimetaError
        For a table, prior or choice that can't be (naming row and remedy), thresholds of a study that contradict each
        other, data that can't tell the cut-points, or no posterior.

    Warns
    -----
    PasimetaWarning
        Few studies, tau at its boundary, everyone or no one responding, cut-points that coincide.

    Notes
    -----
    Likelihood: multinomial over the categories a study reports, summed over every allocation of patients its bounds
    allow; levels integrated by the trapezoidal rule (:mod:`.likelihood`). Bounds that follow from the study's other
    thresholds are dropped, since they say nothing. Limits of mu and tau invert the likelihood-ratio test; the
    prediction interval by maximum likelihood is ``mu +- t(k - 1) sqrt(tau2 + se2)``. Few studies make the
    likelihood-ratio interval too short (``docs/thresholds_coverage.md``); the Bayesian one is the reference then.

    References
    ----------
    Dias S, Welton NJ, Sutton AJ, Ades AE. NICE DSU Technical Support Document 2, 2011, section 3.6 (ordered probit).
    Box GEP, Cox DR. J R Stat Soc B 1964;26:211-252 (the power family). Venzon DJ, Moolgavkar SH. Appl Stat
    1988;37:87-94 (profile limits).

    Examples
    --------
    >>> events = {"study": ["A", "A", "B"], "threshold": [50, 75, 50], "events": [9, 5, 4], "n": [20, 20, 12]}
    >>> table = pd.DataFrame(events)
    >>> result = pool_thresholds(table, form="root", curve=[50, 75])
    >>> round(result.response_estimate, 3)
    0.421
    """
    check_choice("method", method, METHODS)
    level = check_level(level)
    told, wanted = _percentages("curve", curve), _percentages("predict", predict)
    problem = posed(
        counts, comparators=comparators, patients=patients, form=form, link=link, reference=reference,
        with_prior=method == "bayes",
    )  # fmt: skip
    if not problem.model.cutpoints.is_smooth:
        known = problem.model.cutpoints.thresholds
        told, wanted = known, np.intersect1d(wanted, known)
    if method == "ML":
        return by_likelihood(problem.counts, problem.arms, problem.model, told, wanted, level)
    return by_bayes(problem.counts, problem.arms, problem.model, tau_prior, mu_prior, told, wanted, level)


def study_predictions(
    counts: pd.DataFrame,
    predict: ArrayLike,
    *,
    comparators: pd.DataFrame | None = None,
    patients: pd.DataFrame | None = None,
    form: str = "offset_log",
    link: str = "probit",
    method: str = "ML",
    tau_prior: Sequence[Any] = ("half_normal", 0.5),
    mu_prior: Sequence[float] | None = None,
    reference: float = 50,
    level: float = 0.95,
) -> pd.DataFrame:
    """The ``predictions`` of :func:`pool_thresholds` and nothing else, in less time: parameters have no intervals."""
    check_choice("method", method, METHODS)
    level, wanted = check_level(level), _percentages("predict", predict)
    problem = posed(
        counts, comparators=comparators, patients=patients, form=form, link=link, reference=reference,
        with_prior=method == "bayes",
    )  # fmt: skip
    if not problem.model.cutpoints.is_smooth:
        wanted = np.intersect1d(wanted, problem.model.cutpoints.thresholds)
    if method == "ML":
        return own_counts_by_likelihood(problem.counts, problem.model, wanted, level)
    return own_counts_by_bayes(problem.counts, problem.model, tau_prior, mu_prior, wanted, level)


def curve_posterior(
    counts: pd.DataFrame,
    *,
    comparators: pd.DataFrame | None = None,
    form: str = "offset_log",
    link: str = "probit",
    tau_prior: Sequence[Any] = ("half_normal", 0.5),
) -> CurvePosterior:
    """What :func:`pool_thresholds` with ``method="bayes"`` tells of the response curve, and nothing else, in less time.

    Parameters and refusals are those of :func:`pool_thresholds`; the curve at a level is ``.at_level(level)``.
    """
    problem = posed(counts, comparators=comparators, patients=None, form=form, link=link, reference=50, with_prior=True)
    known = problem.model.cutpoints
    told = np.array(CURVE, dtype=float) if known.is_smooth else known.thresholds
    return curve_by_bayes(problem.counts, problem.model, tau_prior, told)


def posed(
    counts: pd.DataFrame,
    *,
    comparators: pd.DataFrame | None,
    patients: pd.DataFrame | None,
    form: str,
    link: str,
    reference: float,
    with_prior: bool,
) -> Problem:
    """Read a review and set up its model; arguments as in :func:`pool_thresholds`."""
    studies = read_counts(counts, patients)
    if patients is not None and len(patients) and form == "free":
        raise PasimetaError("form: exact improvements need a smooth form; use form='power', or leave patients out")
    arms = None if comparators is None or comparators.empty else read_counts(comparators, name="comparators")
    thresholds = joined_thresholds([studies] if arms is None else [studies, arms])
    if not len(thresholds):
        raise PasimetaError("counts: no study's bounds exclude anything; give counts that say something")
    studies = restricted(studies, thresholds)
    arms = None if arms is None else restricted(arms, thresholds)
    arm_data = _no_rows(thresholds) if arms is None else arm_categories(arms.bounds())
    form_of = cutpoints(form, thresholds, reference)
    model = ThresholdModel(
        thresholds,
        form_of,
        check_link(link),
        one_review(studies.categories()),
        one_review(arm_data),
        penalty_sd=1.0 if with_prior else None,
    )
    if not with_prior:
        _refuse_untold_spacing(model, studies, arm_data, form)
    return Problem(studies, arms, model)


def _no_rows(thresholds: Array) -> Categories:
    size = len(thresholds)
    nothing = np.zeros((0, size))
    return categories(Bounds(nothing, nothing, nothing.astype(bool), np.zeros(0)))


def _percentages(name: str, values: ArrayLike) -> Array:
    if np.size(values) == 0:
        return np.zeros(0)
    numbers = np.unique(as_numbers(name, values))
    beyond = (numbers <= 0) | (numbers > 100)
    if beyond.any():
        raise PasimetaError(f"{name}: {numbers[beyond][0]:g} is no percentage above 0, at most 100; PASI75 is 75")
    return numbers


def _refuse_untold_spacing(model: ThresholdModel, studies: Counts, arms: Categories, form: str) -> None:
    """A smooth curve needs as many spaced thresholds as it has parameters, or it would be made up."""
    if not model.cutpoints.is_smooth or len(arms):
        return
    informative = studies.bounds().informative
    spaced = sum(column.any() for column in informative[informative.sum(axis=1) >= 2].T) - 1
    several = max(spaced, informative.any(axis=0).sum() - 1, 0) + (2 if model.has_points else 0)
    if several < model.cutpoints.size:
        raise PasimetaError(
            f"form: {form!r} has {model.cutpoints.size} parameters, but the counts hold only "
            f"{several} threshold(s) beyond the first; give comparators, or use form='free' or method='bayes'"
        )
