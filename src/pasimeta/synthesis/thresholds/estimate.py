"""From a model to its result: by maximum likelihood, or from the posterior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from pasimeta.effects.validation import Array, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.densities import PanelDensity, gauss_legendre
from pasimeta.synthesis.quadrature import gauss_hermite
from pasimeta.synthesis.thresholds.bayes import Posterior, check_priors, mu_marginal, posterior
from pasimeta.synthesis.thresholds.grid import mixture_quantiles
from pasimeta.synthesis.thresholds.information import study_information
from pasimeta.synthesis.thresholds.links import Link
from pasimeta.synthesis.thresholds.model import ThresholdModel
from pasimeta.synthesis.thresholds.prediction import (
    Levels,
    NewStudy,
    estimated_levels,
    new_study,
    posterior_levels,
    predicted_counts,
)
from pasimeta.synthesis.thresholds.profile import Fit, fitted, mu_limits, standard_error, tau_limits
from pasimeta.synthesis.thresholds.reading import Counts
from pasimeta.synthesis.thresholds.result import ThresholdCurve, ThresholdResult

_FEW_STUDIES = 5
_AVERAGING = 61
_CARRIERS = 5
_COINCIDE = 1e-4


def by_likelihood(
    counts: Counts, arms: Counts | None, model: ThresholdModel, told: Array, wanted: Array, level: float
) -> ThresholdResult:
    """Maximum likelihood with profile-likelihood limits."""
    k = len(counts.n)
    at_end = _at_an_end(counts)
    fit = _most_likely(counts, model)
    mu, tau = float(fit.x[0, 0]), float(fit.x[0, 1])
    z = model.padded(fit.x[:, 2:])
    se = float(standard_error(fit)[0])
    places, at_told = _places(model, fit, told)
    lower, upper = mu_limits(model, fit, level, places)
    own = int(np.argmax(places == model.cutpoints.reference))
    limits = None if k == 1 else (np.zeros(1), np.full(1, np.inf)) if at_end else tau_limits(model, fit, level)
    levels = estimated_levels(model.cutpoints, model.studies.data, fit, z, model.link)
    half = None if k == 1 else np.inf if at_end else float(stdtrit(k - 1, 0.5 + level / 2) * np.hypot(tau, se))
    curve = _estimated_curve(model, fit, told, at_told(lower[0]), at_told(upper[0]), half)
    return ThresholdResult(
        **_common(counts, arms, model, level, "ML"),
        **_told(
            "",
            mu,
            (float(lower[0, own]), float(upper[0, own])),
            None if half is None else (mu - half, mu + half),
            model.link,
        ),
        se=se,
        tau=tau if k > 1 else None,
        tau_ci_lower=None if limits is None else float(limits[0][0]),
        tau_ci_upper=None if limits is None else float(limits[1][0]),
        response_population=_average(model.link, mu, tau),
        log_likelihood=float(fit.value[0]),
        log_marginal_likelihood=None,
        tau_prior="",
        warnings=tuple(doubt(text, stacklevel=4) for text in _doubts(k, at_end, tau if k > 1 else None, model, z)),
        cutpoints=_cutpoint_table(counts, arms, model, fit, level),
        curve=curve,
        predictions=predicted_counts(counts, model.cutpoints, levels, model.link, wanted, level),
        information=_information(counts, model, levels, mu, tau, z),
    )


def by_bayes(
    counts: Counts,
    arms: Counts | None,
    model: ThresholdModel,
    tau_prior: Sequence[Any],
    mu_prior: Sequence[float] | None,
    told: Array,
    wanted: Array,
    level: float,
) -> ThresholdResult:
    """Posterior by quadrature."""
    mode, found = _mode_and_posterior(counts, model, tau_prior, mu_prior)
    levels = posterior_levels(found)
    tail = _tail(level)
    mass = found.weight[0].sum(axis=0)
    grid, mu_mass = mu_marginal(found)
    step = float(grid[1] - grid[0])
    mu, lower, upper = mixture_quantiles(grid[None, :1], step, mu_mass.sum(axis=0)[None], tail)[0]
    anew = levels.new.sum(axis=0)[None]
    pi_lower, pi_upper = mixture_quantiles(levels.grid.theta[None, :1], levels.grid.step, anew, tail[1:])[0]
    tau, tau_lower, tau_upper = _tau_quantiles(found, mass, tail)
    mean = float(mass @ found.mu)
    z = model.padded(mode.x[:, 2:])
    return ThresholdResult(
        **_common(counts, arms, model, level, "bayes"),
        **_told("", float(mu), (float(lower), float(upper)), (float(pi_lower), float(pi_upper)), model.link),
        se=float(np.sqrt(mass @ (found.mu - mean) ** 2)),
        tau=tau,
        tau_ci_lower=tau_lower,
        tau_ci_upper=tau_upper,
        response_population=float(anew[0] @ model.link.cdf(levels.grid.theta)),
        log_likelihood=None,
        log_marginal_likelihood=float(found.log_marginal[0]),
        tau_prior=" ".join(str(part) for part in tau_prior),
        warnings=tuple(
            doubt(text, stacklevel=4) for text in _doubts(len(counts.n), _at_an_end(counts), None, model, z)
        ),
        cutpoints=_posterior_cutpoints(counts, arms, model, found, level),
        curve=_posterior_curve(model, found, levels, told, tail),
        predictions=predicted_counts(counts, model.cutpoints, levels, model.link, wanted, level),
        information=_information(counts, model, levels, float(mu), tau, z),
    )


def own_counts_by_likelihood(counts: Counts, model: ThresholdModel, wanted: Array, level: float) -> pd.DataFrame:
    """The predictions of :func:`by_likelihood`; limits of the parameters aren't sought."""
    fit = _most_likely(counts, model)
    z = model.padded(fit.x[:, 2:])
    levels = estimated_levels(model.cutpoints, model.studies.data, fit, z, model.link)
    return predicted_counts(counts, model.cutpoints, levels, model.link, wanted, level)


def own_counts_by_bayes(
    counts: Counts,
    model: ThresholdModel,
    tau_prior: Sequence[Any],
    mu_prior: Sequence[float] | None,
    wanted: Array,
    level: float,
) -> pd.DataFrame:
    """The predictions of :func:`by_bayes`."""
    levels = posterior_levels(_mode_and_posterior(counts, model, tau_prior, mu_prior)[1])
    return predicted_counts(counts, model.cutpoints, levels, model.link, wanted, level)


@dataclass(frozen=True, slots=True)
class CurvePosterior:
    """Posterior of the response curve, from which it can be told at any level.

    Attributes
    ----------
    k : int
        Studies.
    model : ThresholdModel
    found : Posterior
    levels : NewStudy
    told : ndarray
        Thresholds, percent.
    """

    k: int
    model: ThresholdModel
    found: Posterior
    levels: NewStudy
    told: Array

    def at_level(self, level: float) -> ThresholdCurve:
        """The curve with intervals of this level, in (0, 1)."""
        tail = _tail(check_level(level))
        return ThresholdCurve(self.k, _posterior_curve(self.model, self.found, self.levels, self.told, tail), level)


def curve_by_bayes(counts: Counts, model: ThresholdModel, tau_prior: Sequence[Any], told: Array) -> CurvePosterior:
    """The posterior of :func:`by_bayes` under a flat prior of mu; what single studies add isn't worked out."""
    _, found = _mode_and_posterior(counts, model, tau_prior, None)
    return CurvePosterior(len(counts.n), model, found, new_study(found), told)


def _most_likely(counts: Counts, model: ThresholdModel) -> Fit:
    # where everyone or no one responds the data say nothing of tau, and with a large one mu could be anything
    fit = fitted(model, random=len(counts.n) > 1 and not _at_an_end(counts))
    if not fit.converged[0]:
        raise PasimetaError("counts: the likelihood has no maximum that could be found; use method='bayes'")
    return fit


def _mode_and_posterior(
    counts: Counts, model: ThresholdModel, tau_prior: Sequence[Any], mu_prior: Sequence[float] | None
) -> tuple[Fit, Posterior]:
    priors = check_priors(tau_prior, mu_prior)
    mode = fitted(model, random=len(counts.n) > 1)
    if priors.mu is None and _at_an_end(counts):
        raise PasimetaError(
            "mu_prior: everyone or no one responds, so a flat prior of mu leaves no posterior; "
            "give a normal one, such as (0, 1)"
        )
    return mode, posterior(model, mode, priors)


def _tail(level: float) -> Array:
    """Probabilities of the middle and of the two limits."""
    return np.array([0.5, (1 - level) / 2, 0.5 + level / 2])


def _common(counts: Counts, arms: Counts | None, model: ThresholdModel, level: float, method: str) -> dict[str, Any]:
    return {
        "k": len(counts.n),
        "n": int(counts.n.sum() + counts.told.sum()),
        "arms": len(model.arms.data),
        "thresholds": tuple(model.thresholds.tolist()),
        "reference": model.cutpoints.reference,
        "form": model.cutpoints.form,
        "link": model.link.name,
        "method": method,
        "level": level,
    }


def _told(
    _: str, mu: float, interval: tuple[float, float], prediction: tuple[float, float] | None, link: Link
) -> dict[str, Any]:
    """mu, its interval and the prediction interval, on the latent scale and as shares of patients."""
    values = {"estimate": mu, "ci_lower": interval[0], "ci_upper": interval[1]}
    lower, upper = (None, None) if prediction is None else prediction
    new = {"pi_lower": lower, "pi_upper": upper}
    shares = {f"response_{name}": float(link.cdf(np.array(value))) for name, value in values.items()}
    for name, end in new.items():
        shares[f"response_{name}"] = None if end is None else float(link.cdf(np.array(end)))  # type: ignore[assignment]
    return values | new | shares


def _places(model: ThresholdModel, fit: Fit, told: Array) -> tuple[Array, Callable[[Array], Array]]:
    """Thresholds at which to seek limits, the reference among them, and how to come from there to those of the curve.

    Limits of ``mu - z(c)`` are smooth in ``z(c)``: five of them carry a curve of any number.
    """
    reference = model.cutpoints.reference
    if not model.cutpoints.is_smooth or len(told) <= _CARRIERS:
        return np.append(reference, told), lambda limits: limits[1:]
    ends = np.linspace(told[0], told[-1], _CARRIERS)
    ends[np.argmin(np.abs(ends - reference))] = reference
    z = model.cutpoints.at(fit.x[:, 2:], ends)[0]
    wanted = model.cutpoints.at(fit.x[:, 2:], told)[0]

    def carried(limits: Array) -> Array:
        ordered = limits
        known = np.isfinite(ordered)
        if not known.all():
            return np.interp(wanted, z, ordered)
        return np.asarray(
            np.polynomial.polynomial.polyval(wanted, np.polynomial.polynomial.polyfit(z, ordered, len(z) - 1))
        )

    return ends, carried


def _average(link: Link, mu: float, tau: float) -> float:
    nodes, weights = gauss_hermite(_AVERAGING)
    return float(weights @ link.cdf(mu + tau * nodes))


def _estimated_curve(
    model: ThresholdModel, fit: Fit, told: Array, lower: Array, upper: Array, half: float | None
) -> pd.DataFrame:
    centre = fit.x[0, 0] - model.cutpoints.at(fit.x[:, 2:], told)[0]
    cdf = model.link.cdf
    nothing = np.full(len(told), np.nan)
    return pd.DataFrame(
        {
            "threshold": told,
            "response": cdf(centre),
            "ci_lower": cdf(lower),
            "ci_upper": cdf(upper),
            "pi_lower": nothing if half is None else cdf(centre - half),
            "pi_upper": nothing if half is None else cdf(centre + half),
        }
    )


def _posterior_curve(
    model: ThresholdModel, found: Posterior, levels: NewStudy, told: Array, tail: Array
) -> pd.DataFrame:
    z, z_new = model.cutpoints.at(found.shape[0], told), model.cutpoints.at(levels.shape, told)
    mu, mass = mu_marginal(found)
    middle = mixture_quantiles(mu[0] - z.T, float(mu[1] - mu[0]), mass, tail)
    new = mixture_quantiles(levels.grid.theta[0] - z_new.T, levels.grid.step, levels.new, tail[1:])
    names = ("response", "ci_lower", "ci_upper", "pi_lower", "pi_upper")
    table = pd.DataFrame(model.link.cdf(np.concatenate([middle, new], axis=1)), columns=list(names))
    table.insert(0, "threshold", told)
    return table


def _cutpoint_table(counts: Counts, arms: Counts | None, model: ThresholdModel, fit: Fit, level: float) -> pd.DataFrame:
    """Cut-points with Wald limits; the many patients of the arms make the likelihood straight enough for them."""
    c = model.cutpoints.thresholds
    z = model.cutpoints.at(fit.x[:, 2:], c)[0]
    keep = [i for i in range(fit.x.shape[1]) if i != 1 or (fit.random and fit.x[0, 1] > 0)]
    covariance = np.linalg.pinv(fit.information[0][np.ix_(keep, keep)], hermitian=True)
    first = len(keep) - model.cutpoints.size
    by_shape = model.cutpoints.jacobian(fit.x[:, 2:], c)[0]
    se = np.sqrt(np.maximum(np.einsum("qt,qr,rt->t", by_shape, covariance[first:, first:], by_shape), 0.0))
    half = float(ndtri(0.5 + level / 2))
    return _with_reports(
        counts, arms, pd.DataFrame({"threshold": c, "z": z, "ci_lower": z - half * se, "ci_upper": z + half * se})
    )


def _posterior_cutpoints(
    counts: Counts, arms: Counts | None, model: ThresholdModel, found: Posterior, level: float
) -> pd.DataFrame:
    c = model.cutpoints.thresholds
    z = model.cutpoints.at(found.shape[0], c)
    mass = found.weight[0].sum(axis=1)
    mean = mass @ z
    sd = np.sqrt(np.maximum(mass @ (z - mean) ** 2, 0.0))
    half = float(ndtri(0.5 + level / 2))
    return _with_reports(
        counts,
        arms,
        pd.DataFrame({"threshold": c, "z": mean, "ci_lower": mean - half * sd, "ci_upper": mean + half * sd}),
    )


def _with_reports(counts: Counts, arms: Counts | None, table: pd.DataFrame) -> pd.DataFrame:
    nobody = np.zeros(len(table), dtype=int)
    return table.assign(
        studies=counts.bounds().informative.sum(axis=0),
        arms=nobody if arms is None else arms.bounds().informative.sum(axis=0),
    )


def _tau_quantiles(found: Posterior, mass: Array, tail: Array) -> tuple[float, float, float]:
    """Quantiles of the polynomial through the density at the Legendre nodes."""
    tau = np.unique(found.tau)
    at = mass.reshape(-1, len(tau)).sum(axis=0)
    _, rule = gauss_legendre(len(tau))
    widest = float(tau[0] + tau[-1])  # the nodes lie symmetrically between 0 and the widest tau
    density = PanelDensity(np.array([0.0, widest]), (at / (rule * widest / 2))[None])
    middle, lower, upper = density.quantile(tail)
    return float(middle), float(lower), float(upper)


def _at_an_end(counts: Counts) -> bool:
    """Whether no study has anyone who surely responds, or none has anyone who surely doesn't."""
    if counts.told.any():
        return False
    bounds = counts.bounds()
    rows = np.arange(len(counts.n))
    first = np.argmax(bounds.informative, axis=1)
    last = bounds.informative.shape[1] - 1 - np.argmax(bounds.informative[:, ::-1], axis=1)
    nobody, everyone = bounds.lower[rows, first] == 0, bounds.upper[rows, last] == counts.n
    return bool(nobody.all() or everyone.all())


def _information(
    counts: Counts, model: ThresholdModel, levels: Levels, mu: float, tau: float, z: Array
) -> pd.DataFrame:
    own = np.einsum("zkg,g->k", levels.study, levels.grid.theta)
    return study_information(counts, model.studies.data, own, mu, tau, z[0], model.link)


def _doubts(k: int, at_end: bool, tau: float | None, model: ThresholdModel, z: Array) -> list[str]:
    doubts = []
    if k == 1:
        doubts.append("a single study: what differs between studies can't be told")
    elif k < _FEW_STUDIES:
        doubts.append(f"only {k} studies: tau and every interval that uses it are poorly determined")
    if tau == 0 and not at_end:
        doubts.append("tau is estimated at its boundary 0: no heterogeneity seen is not none present")
    if at_end:
        doubts.append("everyone or no one responds: the estimate is the end of the scale, its interval one-sided")
    close = np.flatnonzero(np.diff(z[0, 1:-1]) < _COINCIDE)
    if close.size:
        low, high = model.thresholds[close[0] : close[0] + 2]
        doubts.append(f"the cut-points of PASI{low:g} and PASI{high:g} coincide: no one is estimated to fall between")
    return doubts
