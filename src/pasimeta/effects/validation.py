"""Input checks shared by effects and synthesis: each refusal names the row and the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pasimeta.errors import PasimetaError

Array = NDArray[np.float64]


def as_numbers(name: str, values: ArrayLike) -> Array:
    """Return ``values`` as a float array.

    Parameters
    ----------
    name : str
        What the caller calls them, for the message.
    values : array_like
        Scalars are taken as one study.

    Returns
    -------
    ndarray
        At least 1-D, one element a study along the first axis.

    Raises
    ------
    PasimetaError
        If a value isn't a finite number, or there is none at all.
    """
    try:
        numbers = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        raise PasimetaError(f"{name}: {_first_non_number(values)} is not a number; give numbers only") from None
    if numbers.shape[0] == 0:
        raise PasimetaError(f"{name}: no study at all; give at least one")
    _refuse_rows(name, numbers, ~np.isfinite(numbers), "is not finite; drop the study or supply the value")
    return numbers


def check_counts(events: ArrayLike, n: ArrayLike, names: Sequence[str] = ("events", "n")) -> tuple[Array, Array]:
    """Return event counts and group sizes as float arrays of one length, or say which row can't be.

    Raises
    ------
    PasimetaError
        For unequal lengths, fractional or negative counts, empty groups, or more events than patients.
    """
    events_name, n_name = names
    event_counts, sizes = as_numbers(events_name, events), as_numbers(n_name, n)
    same_shape(event_counts, sizes, names)
    for name, values in ((events_name, event_counts), (n_name, sizes)):
        _refuse_rows(name, values, values != np.floor(values), "is not a whole number; give counts, not percentages")
    _refuse_rows(events_name, event_counts, event_counts < 0, "is negative; a count starts at 0")
    _refuse_rows(n_name, sizes, sizes <= 0, "leaves the group empty; drop the study or give its size")
    _refuse_rows(events_name, event_counts, event_counts > sizes, f"exceeds {n_name}; check the two columns")
    return event_counts, sizes


def check_effects(yi: ArrayLike, vi: ArrayLike) -> tuple[Array, Array]:
    """Return effect sizes and sampling variances, shape (k,) or (k, d), or say which row can't be.

    Raises
    ------
    PasimetaError
        For unequal shapes, values that aren't finite, or a variance that isn't positive.
    """
    effects, variances = as_numbers("yi", yi), as_numbers("vi", vi)
    same_shape(effects, variances, ("yi", "vi"))
    remedy = "is not positive; a variance must be, so drop the study or recompute it"
    _refuse_rows("vi", variances, variances <= 0, remedy)
    return effects, variances


def check_level(level: float) -> float:
    """Return the confidence level, or refuse one outside (0, 1).

    Raises
    ------
    PasimetaError
        If ``level`` isn't a number strictly between 0 and 1.
    """
    if isinstance(level, bool) or not isinstance(level, (int, float, np.number)) or not 0 < level < 1:
        raise PasimetaError(f"level: {level!r} is not strictly between 0 and 1; 95 % is 0.95")
    return float(level)


def check_choice(name: str, value: Any, allowed: Sequence[str]) -> Any:
    """Return ``value`` if it is one of ``allowed``.

    Raises
    ------
    PasimetaError
        Naming the choices.
    """
    if value not in allowed:
        raise PasimetaError(f"{name}: {value!r} is unknown; choose one of {', '.join(allowed)}")
    return value


def same_shape(first: Array, second: Array, names: Sequence[str]) -> None:
    """Refuse arrays of different shapes.

    Raises
    ------
    PasimetaError
        Naming both shapes.
    """
    if first.shape != second.shape:
        lengths = f"{first.shape} and {second.shape}" if first.ndim > 1 else f"{len(first)} and {len(second)}"
        raise PasimetaError(f"{names[0]} and {names[1]} have unequal lengths ({lengths}); give one of each a study")


def _refuse_rows(name: str, values: Array, wrong: NDArray[np.bool_], remedy: str) -> None:
    if wrong.any():
        position = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        raise PasimetaError(f"{name}, row {position[0] + 1}: {values[position]:g} {remedy}")


def _first_non_number(values: ArrayLike) -> str:
    for row, value in enumerate(np.asarray(values, dtype=object).ravel(), start=1):
        try:
            float(value)
        except (TypeError, ValueError):
            return f"row {row}: {value!r}"
    return repr(values)
