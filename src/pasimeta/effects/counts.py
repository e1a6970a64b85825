"""``escalc``: from counts to effect sizes with their sampling variances."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from pasimeta.effects.proportions import PROPORTION_MEASURES, proportion_effects
from pasimeta.effects.two_arm import TWO_ARM_MEASURES, two_arm_effects
from pasimeta.effects.validation import Array, check_choice, check_counts, same_shape
from pasimeta.errors import PasimetaError


class EffectSizes(NamedTuple):
    """Effect sizes ``yi`` and their sampling variances ``vi``, one element a study."""

    yi: Array
    vi: Array


def escalc(
    measure: str,
    *,
    events: ArrayLike | None = None,
    n: ArrayLike | None = None,
    events1: ArrayLike | None = None,
    n1: ArrayLike | None = None,
    events2: ArrayLike | None = None,
    n2: ArrayLike | None = None,
) -> EffectSizes:
    """Return effect sizes and sampling variances from event counts.

    Parameters
    ----------
    measure : str
        One group: ``"PR"`` (raw proportion), ``"PLN"`` (log), ``"PLO"`` (logit), ``"PAS"`` (arcsine of the square
        root), ``"PFT"`` (Freeman-Tukey double arcsine). Two groups: ``"OR"`` (log odds ratio), ``"RR"`` (log risk
        ratio), ``"RD"`` (risk difference), group 1 against group 2.
    events, n : array_like
        Patients with the event and patients at all, for a one-group measure.
    events1, n1, events2, n2 : array_like
        The same for either group of a two-group measure.

    Returns
    -------
    EffectSizes
        Named tuple ``(yi, vi)``. For PR, PLN, PLO, OR, RR and RD, 1/2 is added to every cell of a study with an empty
        cell (and to no other study); never for PAS and PFT.

    Raises
    ------
    PasimetaError
        For an unknown measure, missing columns, or counts that can't be: the message names the row.

    Examples
    --------
    >>> yi, vi = escalc("PLO", events=[2, 5], n=[14, 40])
    >>> yi.round(4).tolist()
    [-1.7918, -1.9459]
    """
    check_choice("measure", measure, PROPORTION_MEASURES + TWO_ARM_MEASURES)
    if measure in PROPORTION_MEASURES:
        _require(measure, {"events": events, "n": n}, {"events1": events1, "n1": n1, "events2": events2, "n2": n2})
        return EffectSizes(*proportion_effects(measure, *check_counts(events, n)))  # type: ignore[arg-type]
    _require(measure, {"events1": events1, "n1": n1, "events2": events2, "n2": n2}, {"events": events, "n": n})
    first = check_counts(events1, n1, ("events1", "n1"))  # type: ignore[arg-type]
    second = check_counts(events2, n2, ("events2", "n2"))  # type: ignore[arg-type]
    same_shape(first[0], second[0], ("events1", "events2"))
    return EffectSizes(*two_arm_effects(measure, *first, *second))


def _require(measure: str, wanted: dict[str, ArrayLike | None], unwanted: dict[str, ArrayLike | None]) -> None:
    missing = [name for name, values in wanted.items() if values is None]
    surplus = [name for name, values in unwanted.items() if values is not None]
    if missing:
        raise PasimetaError(f"{measure} needs {' and '.join(wanted)}; {', '.join(missing)} missing")
    if surplus:
        raise PasimetaError(f"{measure} takes {' and '.join(wanted)} only; leave out {', '.join(surplus)}")
