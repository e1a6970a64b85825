"""Held-out thresholds: the form of the cut-points is chosen by prediction, and predictions calibrate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.synthesis.thresholds.cutpoints import Cutpoints
from pasimeta.synthesis.thresholds.held_out import form_scores, held_out_predictions
from pasimeta.synthesis.thresholds.sensitivity import compare_choices, study_checks

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


def test_the_default_form_predicts_hidden_thresholds_best(arms: pd.DataFrame) -> None:
    scores = form_scores(arms, hows=("threshold",))
    assert scores["form"].iloc[0] == "offset_log"
    assert scores.set_index("form")["threshold_log_score"]["linear"] < scores["threshold_log_score"].iloc[0] - 1


def test_pasi75_is_predicted_from_50_and_90_of_trials_not_seen(network: pd.DataFrame) -> None:
    three = network[network.groupby("study")["threshold"].transform("size") == 3]
    held = held_out_predictions(three.drop(columns="treatment"), form="free")
    at75 = held[held["threshold"] == 75]
    assert len(at75) >= 9
    assert at75["covered"].mean() >= 0.6  # of 80 % intervals; 10 arms
    assert 100 * ((at75["observed"] - at75["predicted"]).abs() / at75["n"]).mean() < 5
    assert 0.3 < at75["pit"].mean() < 0.7


def test_hiding_a_threshold_everywhere_needs_a_smooth_form(arms: pd.DataFrame) -> None:
    with pytest.raises(PasimetaError, match="a free cut-point can't be predicted where nobody reports it"):
        held_out_predictions(arms, form="free", how="threshold")


@pytest.mark.parametrize("form", ["linear", "root", "power", "offset_log"])
def test_smooth_cutpoints_rise_from_zero_at_the_reference(form: str) -> None:
    curve = Cutpoints(form, np.array([50.0, 75.0]), 50.0)
    c = np.arange(10.0, 101.0, 5.0)
    z = curve.at(curve.start[None], c)[0]
    assert (np.diff(z) > 0).all()
    assert z[c == 50] == pytest.approx(0)
    assert z[c == 75] == pytest.approx(np.exp(curve.start[0]))
    slope = np.exp(curve.log_slope(curve.start[None], np.array([60.0])))[0, 0]
    near = curve.at(curve.start[None], np.array([59.5, 60.5]))[0]
    assert slope == pytest.approx(near[1] - near[0], rel=1e-3)


def test_study_checks_predict_each_count_from_the_others(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    checks = study_checks(review, comparators=arms)
    assert checks["threshold"].tolist() == [40, 75, 90]
    assert (checks["predicted_lower"] <= checks["predicted_upper"]).all()
    # PASI75 of a study with 8 at PASI40 and 3 at PASI90 lies between
    at75 = checks[checks["threshold"] == 75].iloc[0]
    assert 3 <= at75["predicted_lower"] <= at75["predicted_upper"] <= 8


def test_choices_are_told_side_by_side(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    base = {"counts": review, "comparators": arms}
    table = compare_choices({"a": base, "b": base | {"link": "logit"}})
    assert table["choice"].tolist() == ["a"] * 3 + ["b"] * 3
    a, b = (table[table["choice"] == name]["response"].to_numpy() for name in "ab")
    assert np.abs(a - b).max() < 0.1
