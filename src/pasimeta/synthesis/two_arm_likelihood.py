"""Likelihood of two binomial arms with a fixed effect of each study and a normal log odds ratio between them.

``logit p1 = alpha_i + delta_i/2``, ``logit p2 = alpha_i - delta_i/2``, ``delta_i ~ Normal(theta, tau2)``: the
unconditional model with fixed study effects of Simmonds & Higgins (2016, Stat Methods Med Res 25:2858, model 4 in its
symmetric coding), metafor's ``rma.glmm(model = "UM.FS")``. Each alpha is maximized out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pasimeta.effects.validation import Array
from pasimeta.synthesis.common_rate import log_choose
from pasimeta.synthesis.profile_model import Terms
from pasimeta.synthesis.quadrature import gauss_hermite
from pasimeta.synthesis.roots import Columns
from pasimeta.synthesis.two_arm_tables import Tables

LARGEST_TAU = 6.0  # of log odds ratios; the adaptive rule is good to 1e-5 there, to 1e-9 up to 2
_GRID_POINTS = 12
_HERMITE_NODES = 61
_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class _Partials:
    """Log-likelihood of each study and its partial derivatives in alpha (a), theta (t) and tau2 (v); shape (k, P)."""

    value: Array
    a: Array
    t: Array
    v: Array
    aa: Array
    at: Array
    av: Array
    tt: Array
    tv: Array
    vv: Array


class TwoArmBinomialNormal:
    """Likelihood in (theta, tau2) for :mod:`profile_likelihood`, study effects maximized out.

    Parameters
    ----------
    tables : Tables
        Arrays of shape (k, 1), each table with an event and a non-event.
    """

    runs_away = True

    def __init__(self, tables: Tables) -> None:
        self._x = np.stack([tables.a, tables.c])
        self._n = np.stack([tables.n1, tables.n2])
        self._coefficient = log_choose(self._n, self._x).sum(axis=0)
        logits = np.log((self._x + 0.5) / (self._n - self._x + 0.5))
        self._alpha, self._effect = logits.mean(axis=0), logits[0] - logits[1]
        self._within = (1 / (self._x + 0.5) + 1 / (self._n - self._x + 0.5)).sum(axis=0)

    def terms(self, mu: Array, h: Array, columns: Columns) -> Terms:
        """Log-likelihood and derivatives with each alpha at its maximum (implicit differentiation)."""
        alpha = self._alpha[:, columns].copy()
        for _ in range(_ROUNDS):
            part = self._partials(alpha, mu, h, columns)
            step = np.clip(-part.a / part.aa, -2, 2)
            alpha += step
            if np.abs(part.a * step).max() < 1e-12:
                break
        step = -part.a / part.aa
        return Terms(
            value=(part.value + 0.5 * part.a * step).sum(axis=0),
            m=(part.t + part.at * step).sum(axis=0),
            h=(part.v + part.av * step).sum(axis=0),
            mm=(part.tt - part.at**2 / part.aa).sum(axis=0),
            mh=(part.tv - part.at * part.av / part.aa).sum(axis=0),
            hh=(part.vv - part.av**2 / part.aa).sum(axis=0),
        )

    def grid(self) -> Array:
        """tau2 from 0 over a quarter of the typical within-study standard deviation to the largest considered."""
        smallest = min(float(np.sqrt(1 / (1 / self._within).mean())) / 4, 1.0)
        tau = smallest * (LARGEST_TAU / smallest) ** np.linspace(0, 1, _GRID_POINTS - 1)
        return np.append(0.0, tau**2)[:, None]

    def start(self, h: Array, columns: Columns) -> Array:
        """Inverse-variance mean of the empirical log odds ratios."""
        weights = 1 / (self._within[:, columns] + h)
        return (weights * self._effect[:, columns]).sum(axis=0) / weights.sum(axis=0)

    def _partials(self, alpha: Array, mu: Array, h: Array, columns: Columns) -> _Partials:
        x, n = self._x[:, :, columns], self._n[:, :, columns]
        centre, scale = _integrand_mode(x, n, alpha, mu, h)
        nodes, weights = gauss_hermite(_HERMITE_NODES)
        z = centre[..., None] + scale[..., None] * nodes
        delta = mu[:, None] + np.sqrt(h)[:, None] * z
        eta = np.stack([alpha[..., None] + delta / 2, alpha[..., None] - delta / 2])
        log_f = (x[..., None] * eta - n[..., None] * np.logaddexp(0, eta)).sum(axis=0)
        log_f += np.log(weights) + 0.5 * nodes**2 - 0.5 * z**2
        peak = log_f.max(axis=-1)
        f = np.exp(log_f - peak[..., None])
        total = f.sum(axis=-1)
        f /= total[..., None]
        value = peak + np.log(total * scale) + self._coefficient[:, columns]
        return _partials_of(value, f, x, n, eta)


def _integrand_mode(x: Array, n: Array, alpha: Array, mu: Array, h: Array) -> tuple[Array, Array]:
    """Mode and curvature scale of the integrand in standard deviations of delta."""
    tau = np.sqrt(h)
    z = np.zeros(alpha.shape)
    sign = np.array([0.5, -0.5])[:, None, None]
    for _ in range(8):
        rate = expit(alpha + sign * (mu + tau * z))
        slope = (sign * (x - n * rate)).sum(axis=0)
        curvature = (n * rate * (1 - rate)).sum(axis=0) / 4
        step = (tau * slope - z) / (1 + h * curvature)
        z += np.clip(step, -3, 3)
    rate = expit(alpha + sign * (mu + tau * z))
    return z, 1 / np.sqrt(1 + h * (n * rate * (1 - rate)).sum(axis=0) / 4)


def _partials_of(value: Array, f: Array, x: Array, n: Array, eta: Array) -> _Partials:
    """Partial derivatives from posterior means of the derivatives of the two binomials' likelihood.

    With s, d the scores in alpha and delta: theta shifts delta, and tau2 acts by the heat equation, half the second
    derivative in theta.
    """
    rate = expit(eta)
    r = x[..., None] - n[..., None] * rate
    w = n[..., None] * rate * (1 - rate)
    w1, w2 = w * (1 - 2 * rate), w * (1 - 6 * rate * (1 - rate))
    s, d = r[0] + r[1], (r[0] - r[1]) / 2
    aa, ad, dd = -(w[0] + w[1]), -(w[0] - w[1]) / 2, -(w[0] + w[1]) / 4
    add, ddd, dddd = -(w1[0] + w1[1]) / 4, -(w1[0] - w1[1]) / 8, -(w2[0] + w2[1]) / 16
    second = d * d + dd

    def mean(values: Array) -> Array:
        return np.einsum("kpq,kpq->kp", f, values)

    a, t, v = mean(s), mean(d), 0.5 * mean(second)
    return _Partials(
        value=value,
        a=a,
        t=t,
        v=v,
        aa=mean(s * s + aa) - a * a,
        at=mean(s * d + ad) - a * t,
        av=0.5 * mean(s * second + 2 * d * ad + add) - a * v,
        tt=2 * v - t * t,
        tv=0.5 * mean(d * (second + 2 * dd) + ddd) - t * v,
        vv=0.25 * mean(d**4 + 6 * d * d * dd + 4 * d * ddd + 3 * dd * dd + dddd) - v * v,
    )
