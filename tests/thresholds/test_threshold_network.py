"""Ordered probit networks: NICE TSD 2, and the same from the committed comparator data."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.evidence.store import load_evidence
from pasimeta.evidence.tables import comparators
from pasimeta.synthesis.thresholds.pairwise import ThresholdContrasts, compare_thresholds

# maximum likelihood on the data of NICE DSU TSD 2, fixed effect, exclusive categories
SHIFTS = {"Etanercept 25 mg": 1.509, "Etanercept 50 mg": 1.917, "Efalizumab": 1.187, "Infliximab": 2.299}
CUTPOINTS, KERNEL = {75: 0.756, 90: 1.562}, -3391.954


def check(fit: ThresholdContrasts, shifts: dict[str, float]) -> None:
    found = fit.treatments.set_index("treatment")["estimate"]
    for treatment, shift in shifts.items():
        assert found[treatment] == pytest.approx(shift, abs=6e-4)
    z = fit.cutpoints.set_index("threshold")["z"]
    for threshold, value in CUTPOINTS.items():
        assert z[threshold] == pytest.approx(value, abs=6e-4)
    assert fit.log_likelihood_kernel == pytest.approx(KERNEL, abs=6e-4)


def test_psoriasis_network_of_nice_tsd2_is_reproduced(network: pd.DataFrame) -> None:
    check(compare_thresholds(network, control="Supportive care"), SHIFTS)


def test_committed_comparator_data_hold_the_same_network() -> None:
    table = comparators(load_evidence(Path(__file__).parents[2] / "data"), [])
    table = table[table["endpoint"] == "pasi_response"]
    trials = table.loc[table["source"] == "multinma-hta-psoriasis", "trial"].unique()
    rows = table[table["trial"].isin(trials)].copy()
    rows["study"] = rows["trial"] + ":" + rows["arm"]
    treatment = rows["treatment"].replace({"placebo": "supportive_care"})
    rows["treatment"] = treatment.mask(treatment == "etanercept", rows["arm"])
    fit = compare_thresholds(rows, control="supportive_care")
    assert (fit.studies, fit.arms) == (16, 36)
    names = {"etanercept-25": 1.509, "etanercept-50": 1.917, "efalizumab": 1.187, "infliximab": 2.299}
    check(fit, names)


def test_networks_that_cannot_be_are_refused(network: pd.DataFrame) -> None:
    with pytest.raises(PasimetaError, match="control: no arm has 'Placebo'"):
        compare_thresholds(network, control="Placebo")
    with pytest.raises(PasimetaError, match="trial Elewski: has one arm"):
        compare_thresholds(
            network[(network["trial"] != "Elewski") | (network["study"] == "arm 0")], control="Supportive care"
        )
    apart = network[network["trial"].isin(["Elewski", "Heydendael"])]
    with pytest.raises(PasimetaError, match="no trial connects Ciclosporin to Supportive care"):
        compare_thresholds(apart, control="Supportive care")


def test_shifts_do_not_depend_on_the_reference_threshold(network: pd.DataFrame) -> None:
    at50 = compare_thresholds(network, control="Supportive care").treatments["estimate"]
    at75 = compare_thresholds(network, control="Supportive care", reference=75).treatments["estimate"]
    pd.testing.assert_series_equal(at50, at75, atol=1e-5)
