"""How much harder a threshold is than the reference: cut-points z(c), free or on a smooth curve, z(reference) = 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pasimeta.effects.validation import Array, check_choice
from pasimeta.errors import PasimetaError

FORMS = ("free", "linear", "root", "power", "offset_log")
_STEP = 1e-6
_SHAPES = {"linear": (), "root": (), "power": (np.log(0.5),), "offset_log": (np.log(0.05),)}
_SCALED = np.array([50.0, 75.0])  # the first parameter of a smooth form is the logarithm of their distance
_TYPICAL = 0.75  # z(75) of biologics, where Newton starts
_LEAST_LOG, _MOST_LOG = -14.0, 6.0  # of a step between cut-points: none at all, and more than can be told


@dataclass(frozen=True, slots=True)
class Cutpoints:
    """The function z(c) of a few parameters.

    With r = 1 - c/100 the share of the disease that is left, the smooth forms are, up to a factor,

    * ``linear``: c;
    * ``root``: minus the square root of r;
    * ``power``: -r**a, a > 0 (Box and Cox's family in what is left; ``linear`` is a = 1, ``root`` a = 1/2);
    * ``offset_log``: -log(r + e), e > 0.

    All are finite at c = 100, where patients pile up. The factor makes ``exp`` of the first parameter z(75) - z(50);
    the second is log a or log e. ``free`` has one parameter a step between neighbouring thresholds, its logarithm.

    Attributes
    ----------
    form : str
        One of ``FORMS``.
    thresholds : ndarray, shape (T,)
        Thresholds in the data, ascending, percent.
    reference : float
        Where z is 0.
    """

    form: str
    thresholds: Array
    reference: float

    @property
    def is_smooth(self) -> bool:
        """Whether z is defined between the thresholds of the data."""
        return self.form != "free"

    @property
    def size(self) -> int:
        """Number of parameters."""
        return 1 + len(_SHAPES[self.form]) if self.is_smooth else len(self.thresholds) - 1

    @property
    def names(self) -> tuple[str, ...]:
        """What the parameters are called."""
        if self.is_smooth:
            second = {"power": ("log_power",), "offset_log": ("log_offset",)}
            return ("log_z75", *second.get(self.form, ()))
        steps = zip(self.thresholds[:-1], self.thresholds[1:], strict=True)
        return tuple(f"log_step_{low:g}_{high:g}" for low, high in steps)

    @property
    def start(self) -> Array:
        """Typical values to begin from, shape (size,)."""
        if self.is_smooth:
            return np.array([np.log(_TYPICAL), *_SHAPES[self.form]])
        typical = Cutpoints("root", self.thresholds, self.reference)
        steps = np.diff(typical.at(typical.start[None], self.thresholds)[0])
        return np.log(steps)

    def at(self, parameters: Array, c: Array) -> Array:
        """Cut-points at thresholds ``c`` (shape (m,)) under each row of ``parameters`` (shape (p, size)); shape (p, m).

        Raises
        ------
        PasimetaError
            For a threshold that a free form doesn't hold.
        """
        if self.is_smooth:
            curve = self._curve(parameters, np.concatenate([np.asarray(c, float), [self.reference], _SCALED]))
            return _scale(parameters, curve[:, -2:]) * (curve[:, :-3] - curve[:, -3:-2])
        position = np.searchsorted(self.thresholds, c)
        found = np.append(self.thresholds, np.nan)[position]
        if (found != c).any():
            missing = np.asarray(c)[found != c][0]
            raise PasimetaError(
                f"threshold {missing:g}: no study reports it, so a free cut-point doesn't exist; use form='power'"
            )
        steps = np.exp(np.clip(parameters, _LEAST_LOG, _MOST_LOG))
        levels = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
        origin = int(np.searchsorted(self.thresholds, self.reference))
        return (levels - levels[:, origin : origin + 1])[:, position]

    def log_slope(self, parameters: Array, c: Array) -> Array:
        """Logarithm of dz/dc, per percentage point, for exact improvements below 100; smooth forms only."""
        left = 1 - np.asarray(c, float) / 100
        if self.form == "linear":
            slope = np.ones((len(parameters), len(left)))
        elif self.form == "root":
            slope = np.broadcast_to(0.5 / np.sqrt(left), (len(parameters), len(left)))
        else:
            second = self._second(parameters)
            slope = left ** (second - 1) if self.form == "power" else 1 / (left + second)
        return np.log(_scale(parameters, self._curve(parameters, _SCALED)) * slope / 100)

    def jacobian(self, parameters: Array, c: Array) -> Array:
        """Derivatives of :meth:`at` by each parameter, shape (p, size, m); central differences."""
        return self.with_jacobian(parameters, c)[1]

    def with_jacobian(self, parameters: Array, c: Array) -> tuple[Array, Array]:
        """:meth:`at` and :meth:`jacobian`, in the time of one."""
        return _with_differences(self.at, parameters, c)

    def slope_jacobian(self, parameters: Array, c: Array) -> Array:
        """Derivatives of :meth:`log_slope` by each parameter, shape (p, size, m)."""
        return _with_differences(self.log_slope, parameters, c)[1]

    def _curve(self, parameters: Array, c: Array) -> Array:
        left = 1 - c / 100
        if self.form in ("linear", "root"):
            curve = -left if self.form == "linear" else -np.sqrt(left)
            return np.repeat(curve[None], len(parameters), axis=0)
        second = self._second(parameters)
        if self.form == "power":
            return -(np.maximum(left, 0.0) ** second) / second
        return -np.log(left + second)

    @staticmethod
    def _second(parameters: Array) -> Array:
        return np.exp(np.clip(parameters[:, 1:2], -12, 4))


def cutpoints(form: str, thresholds: Array, reference: float) -> Cutpoints:
    """Return the form of that name on these thresholds.

    Raises
    ------
    PasimetaError
        For an unknown form, or a free one whose reference no study reports.
    """
    check_choice("form", form, FORMS)
    if form == "free" and reference not in thresholds:
        raise PasimetaError(
            f"reference: no study reports {reference:g}; with form='free' choose one of "
            f"{', '.join(f'{t:g}' for t in thresholds)}, or a smooth form"
        )
    return Cutpoints(form, thresholds, float(reference))


def _scale(parameters: Array, curve: Array) -> Array:
    """What makes ``exp`` of the first parameter the distance of ``_SCALED``, whose curve this is."""
    return np.exp(np.clip(parameters[:, :1], _LEAST_LOG, _MOST_LOG)) / (curve[:, 1:] - curve[:, :1])


def _with_differences(function: Callable[[Array, Array], Array], parameters: Array, c: Array) -> tuple[Array, Array]:
    """Values (p, m), and central differences by each parameter, (p, size, m)."""
    count, size = parameters.shape
    shifts = _STEP * np.eye(size)
    shifted = parameters[:, None] + np.concatenate([np.zeros((1, size)), shifts, -shifts])
    values = function(shifted.reshape(count * (1 + 2 * size), size), c).reshape(count, 1 + 2 * size, len(c))
    return values[:, 0], (values[:, 1 : 1 + size] - values[:, 1 + size :]) / (2 * _STEP)
