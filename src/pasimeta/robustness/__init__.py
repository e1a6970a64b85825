"""Robustness: what the result owes to single studies, to the model, and to studies that never appeared."""

from pasimeta.robustness.baujat import baujat
from pasimeta.robustness.exact_refits import cumulative_counts, leave_one_out_counts, subsets_of_counts
from pasimeta.robustness.gosh import gosh
from pasimeta.robustness.influence import influence
from pasimeta.robustness.leave_one_out import cumulative, leave_one_out
from pasimeta.robustness.missing_evidence import TippingResult, extreme_cases, tipping_points
from pasimeta.robustness.missing_evidence_limits import comparator_rate
from pasimeta.robustness.missing_evidence_selection import SelectionResult, selection_model
from pasimeta.robustness.missing_evidence_small_study import small_study_test
from pasimeta.robustness.missing_evidence_trials import RobMe, UnreportedTrial, rob_me, unreported_trials
from pasimeta.robustness.multiverse import MultiverseResult, multiverse
from pasimeta.robustness.multiverse_analyses import Analysis, analyses
from pasimeta.robustness.multiverse_choices import Limit
from pasimeta.robustness.multiverse_data import studies_by_rule
from pasimeta.robustness.permutation import PermutationResult, permutation
from pasimeta.robustness.prior_grid import prior_grid
from pasimeta.robustness.small_study import SmallStudyResult, begg, egger, peters
from pasimeta.robustness.trim_and_fill import TrimAndFillResult, trim_and_fill

__all__ = [
    "Analysis",
    "Limit",
    "MultiverseResult",
    "PermutationResult",
    "RobMe",
    "SelectionResult",
    "SmallStudyResult",
    "TippingResult",
    "TrimAndFillResult",
    "UnreportedTrial",
    "analyses",
    "baujat",
    "begg",
    "comparator_rate",
    "cumulative",
    "cumulative_counts",
    "egger",
    "extreme_cases",
    "gosh",
    "influence",
    "leave_one_out",
    "leave_one_out_counts",
    "multiverse",
    "permutation",
    "peters",
    "prior_grid",
    "rob_me",
    "selection_model",
    "small_study_test",
    "studies_by_rule",
    "subsets_of_counts",
    "tipping_points",
    "trim_and_fill",
    "unreported_trials",
]
