"""Robustness: what the result owes to single studies, to the model, and to studies that never appeared."""

from pasimeta.robustness.gosh import gosh
from pasimeta.robustness.influence import influence
from pasimeta.robustness.leave_one_out import cumulative, leave_one_out
from pasimeta.robustness.permutation import PermutationResult, permutation
from pasimeta.robustness.small_study import SmallStudyResult, begg, egger, peters
from pasimeta.robustness.trim_and_fill import TrimAndFillResult, trim_and_fill

__all__ = [
    "PermutationResult",
    "SmallStudyResult",
    "TrimAndFillResult",
    "begg",
    "cumulative",
    "egger",
    "gosh",
    "influence",
    "leave_one_out",
    "permutation",
    "peters",
    "trim_and_fill",
]
