"""The log-likelihood of whole reviews: studies with random levels, comparator arms with free ones, shared cut-points.

Parameters of a problem stand in one row: mu, tau, then those of the cut-points. Many reviews are evaluated at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.arms import best_levels, first_levels, level_information
from pasimeta.synthesis.thresholds.categories import Categories, Indices
from pasimeta.synthesis.thresholds.cutpoints import Cutpoints
from pasimeta.synthesis.thresholds.likelihood import given_level, integrated
from pasimeta.synthesis.thresholds.links import Link

_NUDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Reviews:
    """Rows of one kind, and which of them belong to which review.

    Attributes
    ----------
    data : Categories
        One row a study (or comparator arm).
    members : ndarray of int, shape (reviews, most)
        Rows of each review; -1 for none.
    """

    data: Categories
    members: Indices


@dataclass(frozen=True, slots=True)
class ThresholdModel:
    """Everything but the parameters.

    Attributes
    ----------
    thresholds : ndarray, shape (T,)
        What limits of categories (and exact improvements) refer to, ascending, percent.
    cutpoints : Cutpoints
        z(c), and its parameters.
    link : Link
    studies : Reviews
    arms : Reviews
        Comparator arms; may have no rows.
    penalty_sd : float or None
        Standard deviation of normal priors of the cut-points' parameters about their start; None for none.
    """

    thresholds: Array
    cutpoints: Cutpoints
    link: Link
    studies: Reviews
    arms: Reviews
    penalty_sd: float | None = None
    _levels: dict[str, Array] = field(default_factory=dict, repr=False)

    @property
    def reviews(self) -> int:
        """Number of reviews."""
        return len(self.studies.members)

    @property
    def has_points(self) -> bool:
        """Whether an improvement enters by its density."""
        return bool(self.studies.data.points.shape[1])

    def __call__(self, x: Array, which: Indices, anchor: Array | None = None) -> tuple[Array, Array]:
        """Log-likelihood and score of each problem.

        Parameters
        ----------
        x : ndarray, shape (problems, 2 + size)
            mu, tau and the parameters of the cut-points.
        which : ndarray of int, shape (problems,)
            Review of each problem.
        anchor : ndarray, shape (problems,), optional
            Threshold at which ``mu`` is told: ``mu - z(anchor)`` stands in its place, the median study's level
            relative to that threshold.

        Returns
        -------
        value : ndarray, shape (problems,)
        score : ndarray, shape (problems, 2 + size)
        """
        shape, size = x[:, 2:], len(self.thresholds)
        anchors, own = np.unique([] if anchor is None else anchor, return_inverse=True)
        at, jacobian = self.cutpoints.with_jacobian(shape, np.append(self.thresholds, anchors))
        z, each = padded(at[:, :size]), np.arange(len(x))
        score = np.zeros_like(x)
        mu = x[:, 0].copy()
        if anchor is not None:
            mu += at[each, size + own]
        problem, row = _pairs(self.studies, which)
        found = integrated(self.studies.data, mu[problem], x[problem, 1], z[problem], self.link, row)
        value = _sum(found.value, problem, len(x))
        score[:, 0], score[:, 1] = _sum(found.mu, problem, len(x)), _sum(found.tau, problem, len(x))
        at_z = _sum(found.z, problem, len(x))
        if len(self.arms.data):
            arm_value, arm_z = self.arm_likelihood(shape, which, z)
            value, at_z = value + arm_value, at_z + arm_z
        if self.cutpoints.size:
            score[:, 2:] = np.einsum("pqt,pt->pq", jacobian[:, :, :size], at_z[:, 1:-1])
            if anchor is not None:
                score[:, 2:] += score[:, :1] * jacobian[each, :, size + own]
        if self.has_points:
            density, by_shape = self._point_density(shape, problem, row)
            value, score[:, 2:] = value + density, score[:, 2:] + by_shape
        if self.penalty_sd is not None:
            distance = (shape - self.cutpoints.start) / self.penalty_sd
            value, score[:, 2:] = value - 0.5 * (distance**2).sum(axis=1), score[:, 2:] - distance / self.penalty_sd
        return value, score

    def point_density(self, shape: Array, which: Indices) -> Array:
        """Logarithm of what turns densities of the latent scale into those of percent improvement."""
        return self._point_density(shape, *_pairs(self.studies, which))[0]

    def padded(self, shape: Array) -> Array:
        """Cut-points of each problem between minus and plus infinity, shape (problems, T + 2)."""
        return padded(self.cutpoints.at(shape, self.thresholds))

    def arm_likelihood(self, shape: Array, which: Indices, z: Array) -> tuple[Array, Array]:
        """Comparator arms at their best levels: value, and derivative by z (what lies at a maximum gains nothing)."""
        problem, data, level = self._levelled(shape, which, z)
        found = given_level(data, level, z[problem], self.link)
        return _sum(found.value, problem, len(shape)), _sum(found.z, problem, len(shape))

    def arm_marginal(self, shape: Array, which: Indices, z: Array) -> Array:
        """Comparator arms integrated over flat levels by Laplace's method, up to a constant."""
        problem, data, level = self._levelled(shape, which, z)
        found = given_level(data, level, z[problem], self.link)
        information = level_information(data, level, z[problem], self.link)
        return _sum(found.value - 0.5 * np.log(information), problem, len(shape))

    def _levelled(self, shape: Array, which: Indices, z: Array) -> tuple[Indices, Categories, Array]:
        """Problem of each arm, the arms, and their best levels."""
        problem, row = _pairs(self.arms, which)
        level, slope, z_start = self._arm_start()
        start = level[row] + (slope[row] * (z[problem, 1:-1] - z_start)).sum(axis=1)
        data = self.arms.data.rows(row)
        return problem, data, best_levels(data, z[problem], self.link, start)

    def _arm_start(self) -> tuple[Array, Array, Array]:
        """Best levels at typical cut-points, how they follow the cut-points (arms, T), and those cut-points."""
        if "level" not in self._levels:
            data, z = self.arms.data, self.padded(self.cutpoints.start[None])
            rows = np.repeat(z, len(data), axis=0)
            level = best_levels(data, rows, self.link, first_levels(data, rows, self.link))
            slope = np.empty((len(data), len(self.thresholds)))
            for t in range(len(self.thresholds)):
                moved = rows.copy()
                moved[:, t + 1] += _NUDGE
                slope[:, t] = (best_levels(data, moved, self.link, level) - level) / _NUDGE
            self._levels.update(level=level, slope=slope, z=z[0, 1:-1])
        return self._levels["level"], self._levels["slope"], self._levels["z"]

    def _point_density(self, shape: Array, problem: Indices, row: Indices) -> tuple[Array, Array]:
        """Logarithms of dz/dc at exact improvements, which turn densities of the latent scale into those of PASI."""
        points = self.studies.data.points[row]
        often = np.zeros((len(shape), len(self.thresholds) + 2))
        np.add.at(often, (np.broadcast_to(problem[:, None], points.shape), points), 1.0)
        at = np.flatnonzero(often[:, 1:-1].sum(axis=0))
        value = (often[:, 1:-1][:, at] * self.cutpoints.log_slope(shape, self.thresholds[at])).sum(axis=1)
        by_shape = self.cutpoints.slope_jacobian(shape, self.thresholds[at])
        return value, np.einsum("pqt,pt->pq", by_shape, often[:, 1:-1][:, at])


def one_review(data: Categories) -> Reviews:
    """All rows as one review."""
    return Reviews(data, np.arange(len(data))[None])


def padded(z: Array) -> Array:
    """Rows of cut-points between minus and plus infinity."""
    whole = np.empty((len(z), z.shape[1] + 2))
    whole[:, 0], whole[:, 1:-1], whole[:, -1] = -np.inf, z, np.inf
    return whole


def _pairs(reviews: Reviews, which: Indices) -> tuple[Indices, Indices]:
    members = reviews.members[which]
    problem, slot = np.nonzero(members >= 0)
    return problem, members[problem, slot]


def _sum(values: Array, problem: Indices, problems: int) -> Array:
    total = np.zeros((problems, *values.shape[1:]))
    np.add.at(total, problem, values)
    return total
