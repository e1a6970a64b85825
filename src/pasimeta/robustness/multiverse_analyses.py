"""The analysis side of a multiverse: every model, scale, tau2 estimator, interval and prior that could be defended."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from pasimeta.effects import PROPORTION_MEASURES
from pasimeta.effects.validation import check_choice
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.model import METHODS
from pasimeta.synthesis.prediction import PREDICTIONS
from pasimeta.synthesis.small_sample import TESTS

ANALYSIS_CHOICES = ("model", "measure", "method", "test", "prediction", "tau_prior", "mu_prior")
MODELS = ("inverse_variance", "binomial_normal", "beta_binomial", "common", "bayes")
#: Scales of half-normal priors of tau, log-odds: 0.5 is the usual weakly informative one, 1 lets rates differ wildly.
TAU_PRIORS = (0.5, 1.0)
#: Priors of the median study's log-odds: flat, and normal ones as (mean, sd), nearly uniform in the rate and vaguer.
MU_PRIORS: tuple[tuple[float, float] | None, ...] = (None, (0.0, 1.7), (0.0, 2.5))
NOT_APPLICABLE = "–"


@dataclass(frozen=True, slots=True)
class Analysis:
    """One way to pool counts. What a model doesn't use is None, and so is a flat prior.

    Attributes
    ----------
    model : str
        One of ``MODELS``.
    measure, method, test, prediction : str or None
        Of ``inverse_variance``, as in :func:`pasimeta.synthesis.pool_counts`; a ``prediction`` of None is the default.
    tau_prior : float or None
        Scale of the half-normal prior, of ``bayes``.
    mu_prior : (float, float) or None
        Mean and sd of the normal prior, of ``bayes``; None is the flat one.
    """

    model: str
    measure: str | None = None
    method: str | None = None
    test: str | None = None
    prediction: str | None = None
    tau_prior: float | None = None
    mu_prior: tuple[float, float] | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """One value for each of ``ANALYSIS_CHOICES``; an en dash where the choice doesn't arise."""
        prediction = "default" if self.prediction is None and self.model == "inverse_variance" else self.prediction
        tau = None if self.tau_prior is None else f"half-normal({self.tau_prior:g})"
        flat = "flat" if self.is_flat else None
        mu = flat if self.mu_prior is None else f"normal({self.mu_prior[0]:g}, {self.mu_prior[1]:g})"
        values = (self.model, self.measure, self.method, self.test, prediction, tau, mu)
        return tuple(NOT_APPLICABLE if value is None else value for value in values)

    @property
    def is_flat(self) -> bool:
        """Whether it leaves the median study's log-odds to the counts alone, which must then hold both outcomes."""
        return self.model == "bayes" and self.mu_prior is None


def analyses(
    models: Sequence[str] = MODELS,
    *,
    measures: Sequence[str] = ("PLO", "PAS", "PFT", "PLN", "PR"),
    methods: Sequence[str] = METHODS,
    tests: Sequence[str] = ("z", "t", "knha", "adhoc"),
    predictions: Sequence[str | None] = (None,),
    tau_priors: Sequence[float] = TAU_PRIORS,
    mu_priors: Sequence[tuple[float, float] | None] = MU_PRIORS,
) -> tuple[Analysis, ...]:
    """Return every combination of the options given.

    Parameters
    ----------
    models : sequence of str
        Of ``MODELS``; ``bayes`` is the binomial-normal model under a half-normal prior of tau and one of mu.
    measures, methods, tests, predictions : sequence of str
        Of the inverse-variance model.
    tau_priors, mu_priors : sequence
        Of the Bayesian model; a prior of mu of None is flat, and is left out where it leaves no posterior.

    Raises
    ------
    PasimetaError
        For an unknown option, or a prior that can't be.

    Examples
    --------
    >>> len(analyses())
    189
    """
    for name, allowed, given in (
        ("models", MODELS, models),
        ("measures", PROPORTION_MEASURES, measures),
        ("methods", METHODS, methods),
        ("tests", TESTS, tests),
        ("predictions", (None, *(p for p in PREDICTIONS if p != "bootstrap")), predictions),
    ):
        for value in given:
            check_choice(name, value, allowed)  # type: ignore[arg-type]
    check_tau_scales(tau_priors)
    check_mu_priors(mu_priors)
    found: list[Analysis] = []
    for model in models:
        if model == "inverse_variance":
            options = itertools.product(measures, methods, tests, predictions)
            found += [Analysis(model, *each) for each in options]
        elif model == "bayes":
            priors = itertools.product(tau_priors, mu_priors)
            found += [Analysis(model, tau_prior=float(tau), mu_prior=_floats(mu)) for tau, mu in priors]
        else:
            found.append(Analysis(model))
    if not found or len(set(found)) < len(found):
        raise PasimetaError("analyses: none, or one twice; give each option once")
    return tuple(found)


def check_tau_scales(scales: Sequence[float]) -> tuple[float, ...]:
    """Return scales of half-normal priors of tau.

    Raises
    ------
    PasimetaError
        For one outside (0, 10).
    """
    for scale in scales:
        if not 0 < scale < 10:
            raise PasimetaError(f"tau prior: {scale!r} is no scale of tau in log-odds; give one between 0 and 10")
    return tuple(float(scale) for scale in scales)


def check_mu_priors(priors: Sequence[tuple[float, float] | None]) -> None:
    """Refuse normal priors of mu that are far from anything a rate could be; None is the flat one.

    Raises
    ------
    PasimetaError
        Naming the prior.
    """
    for mean, sd in (prior for prior in priors if prior is not None):
        if not (abs(mean) < 10 and 0 < sd < 10):
            raise PasimetaError(f"mu prior: ({mean!r}, {sd!r}) is too far out for log-odds; give |mean|, sd below 10")


def _floats(prior: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if prior is None else (float(prior[0]), float(prior[1]))
