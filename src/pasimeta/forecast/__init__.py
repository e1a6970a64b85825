"""Forecast: what the next trial is likely to find, how sure it can become, and how large it would have to be."""

from pasimeta.forecast.assurance import AssuranceResult, assurance, exact_p_values, power
from pasimeta.forecast.beliefs import (
    RateBelief,
    belief_from_counts,
    belief_from_interval,
    belief_from_studies,
    beta_belief,
    mixed_belief,
    point_belief,
)
from pasimeta.forecast.precision import PrecisionResult, precision_after
from pasimeta.forecast.predictive import (
    Arm,
    Design,
    PredictedTrial,
    control_counts,
    predicted_trial,
    registered_design,
)
from pasimeta.forecast.sample_size import SampleSizeResult, sample_size, sizes_table
from pasimeta.forecast.two_stage import (
    SimonDesign,
    StagedDesign,
    bayesian_design,
    expected_success,
    operating_characteristics,
    simon,
    staged_table,
)

__all__ = [
    "Arm",
    "AssuranceResult",
    "Design",
    "PrecisionResult",
    "PredictedTrial",
    "RateBelief",
    "SampleSizeResult",
    "SimonDesign",
    "StagedDesign",
    "assurance",
    "bayesian_design",
    "belief_from_counts",
    "belief_from_interval",
    "belief_from_studies",
    "beta_belief",
    "control_counts",
    "exact_p_values",
    "expected_success",
    "mixed_belief",
    "operating_characteristics",
    "point_belief",
    "power",
    "precision_after",
    "predicted_trial",
    "registered_design",
    "sample_size",
    "simon",
    "sizes_table",
    "staged_table",
]
