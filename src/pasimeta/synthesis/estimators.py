"""Between-study variance estimators, as subclasses of PyMARE's.

PyMARE's own classes serve where they are exact: ``WeightedLeastSquares`` (EE), ``DerSimonianLaird`` (DL), ``Hedges``
(HE). PyMARE has no Hunter-Schmidt, Sidik-Jonkman or Paule-Mandel (which is also the empirical Bayes estimator), so they
are added here; and its likelihood search stops at 1e-6 of a bracket that is assumed to hold one maximum, so
:class:`GlobalLikelihood` replaces the search and keeps the likelihoods.

All take ``y`` and ``v`` of shape (k, d), one data set a column, and a design ``X`` of shape (k, p) common to all.
Importing this module imports PyMARE, which is slow: import it inside functions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from pymare.estimators import DerSimonianLaird, Hedges, VarianceBasedLikelihoodEstimator, WeightedLeastSquares
from pymare.estimators.estimators import BaseEstimator
from pymare.stats import weighted_least_squares

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.likelihood import global_maximum
from pasimeta.synthesis.projection import generalized_q, solve_generalized_q


class Tau2Estimator(BaseEstimator):
    """A PyMARE estimator that is told apart by its tau2 alone: the coefficients follow by weighted least squares."""

    @abstractmethod
    def tau2(self, y: Array, v: Array, X: Array) -> Array:
        """Return the between-study variance of each column, shape (d,)."""

    def fit(self, y: Array, v: Array, X: Array, g: Any = None) -> Tau2Estimator:
        """Fit the estimator, leaving ``params_`` in PyMARE's shape.

        Raises
        ------
        PasimetaError
            If group labels are given: dependent effects are PyMARE's own estimators' business.
        """
        if g is not None:
            raise PasimetaError("g: groups of dependent effects aren't modelled here; leave g out")
        self.dataset_ = None
        tau2 = self.tau2(y, v, X)
        beta, cov = weighted_least_squares(y, v, X, tau2=tau2, return_cov=True)
        self.params_ = {"fe_params": beta, "tau2": tau2, "inv_cov": cov, "dof": None}
        return self


class HunterSchmidt(Tau2Estimator):
    """Hunter and Schmidt's estimator: ``(Q - k) / sum(w)`` at fixed-effect weights, truncated at 0.

    References
    ----------
    Viechtbauer W. J Educ Behav Stat 2005;30:261-293, eq. 5.
    """

    def tau2(self, y: Array, v: Array, X: Array) -> Array:
        """Return the between-study variance of each column."""
        q, _ = generalized_q(y, v, X, 0.0)
        return np.maximum(0.0, (q - y.shape[0]) / (1.0 / v).sum(axis=0))


class SidikJonkman(Tau2Estimator):
    """Sidik and Jonkman's model-error variance estimator, started at the effects' variance; positive unless all agree.

    References
    ----------
    Sidik K, Jonkman JN. Simple heterogeneity variance estimation for meta-analysis. Appl Stat 2005;54:367-384, eq. 6.
    """

    def tau2(self, y: Array, v: Array, X: Array) -> Array:
        """Return the between-study variance of each column."""
        k, p = X.shape
        if k == p:
            return np.zeros(y.shape[1])
        crude = y.var(axis=0)
        q, _ = generalized_q(y, v, X, crude)
        return crude * q / (k - p)


class PauleMandel(Tau2Estimator):
    """Paule and Mandel's estimator: the tau2 at which the generalized Q equals its expectation ``k - p``.

    Morris's empirical Bayes estimator solves the same equation.

    References
    ----------
    Paule RC, Mandel J. Consensus values and weighting factors. J Res Natl Bur Stand 1982;87:377-385.
    Morris CN. Parametric empirical Bayes inference. JASA 1983;78:47-55, eq. 5.1.
    """

    def tau2(self, y: Array, v: Array, X: Array) -> Array:
        """Return the between-study variance of each column."""
        k, p = X.shape
        return np.zeros(y.shape[1]) if k == p else solve_generalized_q(y, v, X, float(k - p))


class GlobalLikelihood(VarianceBasedLikelihoodEstimator):
    """PyMARE's ML or REML at the likelihood's certified global maximum; see :mod:`pasimeta.synthesis.likelihood`."""

    def fit(self, y: Array, v: Array, X: Array, g: Any = None) -> GlobalLikelihood:
        """Fit the estimator, leaving ``params_`` in PyMARE's shape.

        Raises
        ------
        PasimetaError
            If group labels are given.
        """
        if g is not None:
            raise PasimetaError("g: groups of dependent effects aren't modelled here; leave g out")
        self.dataset_ = None
        k, p = X.shape
        restricted = self.method.lower() == "reml"
        if k == p:
            tau2 = np.zeros(y.shape[1])
        else:
            tau2 = global_maximum(y, v, X, restricted=restricted, objective=self._nll_func)
        beta, cov = weighted_least_squares(y, v, X, tau2=tau2, return_cov=True)
        self.params_ = {"fe_params": beta, "tau2": tau2, "inv_cov": cov, "dof": None}
        return self


def fitted(method: str, y: Array, v: Array, X: Array) -> dict[str, Any]:
    """Return PyMARE's ``params_`` of the estimator called ``method``, fitted to every column.

    Parameters
    ----------
    method : str
        EE DL HE HS SJ ML REML EB PM.
    y, v : ndarray, shape (k, d)
        Effect sizes and sampling variances.
    X : ndarray, shape (k, p)
        Design matrix.

    Returns
    -------
    dict
        ``fe_params`` (p, d), ``tau2`` (d,) and ``inv_cov`` (p, p, d), which is the coefficients' covariance.
    """
    if method == "EE":
        return fitted_given(0.0, y, v, X)
    return dict(_ESTIMATORS[method]().fit(y, v, X).params_)


def fitted_given(tau2: Array | float, y: Array, v: Array, X: Array) -> dict[str, Any]:
    """Return PyMARE's ``params_``, as :func:`fitted`, at a between-study variance that is given."""
    params = WeightedLeastSquares(tau2=tau2, small_sample_correction=_WALD).fit(y, X, v).params_
    return {**params, "tau2": np.broadcast_to(tau2, y.shape[1:])}


#: The small-sample corrections are applied by :mod:`pasimeta.synthesis.small_sample`, for every estimator alike.
_WALD = "wald"
_ESTIMATORS: dict[str, Callable[[], BaseEstimator]] = {
    "DL": lambda: DerSimonianLaird(small_sample_correction=_WALD),
    "HE": lambda: Hedges(small_sample_correction=_WALD),
    "HS": HunterSchmidt,
    "SJ": SidikJonkman,
    "EB": PauleMandel,
    "PM": PauleMandel,
    "ML": lambda: GlobalLikelihood("ml", small_sample_correction=_WALD),
    "REML": lambda: GlobalLikelihood("reml", small_sample_correction=_WALD),
}
