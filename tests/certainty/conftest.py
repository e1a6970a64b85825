"""An outcome to change one thing of at a time."""

from dataclasses import replace

import pytest

from pasimeta.certainty import OutcomeEvidence

CLEAN = dict.fromkeys(
    ("confounding", "selection", "classification", "deviations", "missing_data", "measurement", "reported_result"),
    "low",
)


@pytest.fixture
def outcome():
    """Two large, clean, controlled studies; change fields by keyword."""

    def changed(**fields):
        large = OutcomeEvidence(
            outcome="PASI75",
            studies=("a", "b"),
            patients=(200, 200),
            events_lower=160,
            events_upper=160,
            rate_lower=0.4,
            rate_upper=0.4,
            ci_lower=0.35,
            ci_upper=0.45,
            randomized=True,
            domain_risks=(CLEAN, CLEAN),
            pi_lower=0.33,
            pi_upper=0.47,
        )
        return replace(large, **fields)

    return changed
