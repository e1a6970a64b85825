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
from pasimeta.forecast.imagined import imagined_trial
from pasimeta.forecast.power_grid import PowerGrid, power_grid, power_table
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
from pasimeta.forecast.sensitivity import SensitivityResult, belief_variants, evidence_variants, forecast_sensitivity
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
    "PowerGrid",
    "PrecisionResult",
    "PredictedTrial",
    "RateBelief",
    "SampleSizeResult",
    "SensitivityResult",
    "SimonDesign",
    "StagedDesign",
    "assurance",
    "bayesian_design",
    "belief_from_counts",
    "belief_from_interval",
    "belief_from_studies",
    "belief_variants",
    "beta_belief",
    "control_counts",
    "evidence_variants",
    "exact_p_values",
    "expected_success",
    "forecast_sensitivity",
    "imagined_trial",
    "mixed_belief",
    "operating_characteristics",
    "point_belief",
    "power",
    "power_grid",
    "power_table",
    "precision_after",
    "predicted_trial",
    "registered_design",
    "sample_size",
    "simon",
    "sizes_table",
    "staged_table",
]
