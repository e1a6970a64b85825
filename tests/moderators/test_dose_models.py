"""Dose groups from the study files, curves on the logit, and the analysis they allow."""

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import kendalltau

from pasimeta.errors import PasimetaError
from pasimeta.evidence import tables
from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.evidence.selection import response_counts
from pasimeta.evidence.store import load_evidence
from pasimeta.moderators.dose import dose_evidence
from pasimeta.moderators.dose_analysis import analyse_doses, even_sizes
from pasimeta.moderators.dose_groups import known_arms, schedule_confounding, study_doses
from pasimeta.moderators.dose_models import (
    FORMS,
    akaike_weights,
    averaged_contrast,
    averaged_response,
    basis,
    fit_dose_model,
    two_stage_slope,
)
from pasimeta.moderators.trend import trend_test
from pasimeta.report.plots import dose_response as plots
from pasimeta.report.prose import dose_response as prose

ARMS = pd.DataFrame(
    {
        "study": ["A"] * 5 + ["B"] * 3,
        "dose": [0.5, 1, 1.5, 2, 3, 1, 2, 4],
        "events": [2, 4, 5, 8, 9, 3, 6, 9],
        "n": [20] * 5 + [15] * 3,
    }
)
GROUPS = {
    "Phase 1": (3, 5),
    "Phase 2a, group A": (1, 3),
    "Phase 2a, group B": (1, 3),
    "Phase 2a, group C": (2, 3),
    "Phase 2a, group D": (1, 3),
}


@pytest.fixture(scope="module")
def published(evidence):
    decisions = decide_all(evidence, InclusionRule())
    return tables.responses(evidence, decisions), tables.doses(evidence, decisions)


def with_groups(responses, groups):
    """The same responses as if a user had added the counts by dose group to the study file."""
    template = responses[(responses["study"] == "cheng2022") & (responses["threshold"] == 40)].iloc[0]
    rows = [
        {
            **template,
            "subgroup_by": "dose_group",
            "subgroup_level": arm,
            "events_lower": x,
            "events_upper": x,
            "n_analysed": n,
        }
        for arm, (x, n) in groups.items()
    ]
    return pd.concat([responses, pd.DataFrame(rows)], ignore_index=True)


def test_published_arms_have_the_totals_of_the_dossier(published):
    cheng, _ = study_doses(response_counts(published[0], 40, unreported="bound"), *published)
    assert cheng.arms["cumulative"].tolist() == [6, 6, 8, 5, 6]
    assert not cheng.complete
    margins = cheng.margins()
    assert (margins.doses, margins.size_lower, margins.size_upper) == ((1.5, 2, 2.5, 3), (6, 1, 1, 1), (14, 9, 9, 9))
    assert even_sizes(margins) == (9, 3, 3, 2) or sum(even_sizes(margins)) == 17


def test_dose_and_schedule_cant_be_told_apart_in_cheng(published):
    cheng = study_doses(response_counts(published[0], 40), *published)[0]
    table = schedule_confounding(cheng).set_index(["first", "second"])
    assert table.loc[("per_infusion", "infusions"), "verdict"] == "inseparable"
    assert table.loc[("per_infusion", "cumulative"), "verdict"] == "separable"
    expected = kendalltau(cheng.arms["per_infusion"], cheng.arms["infusions"]).statistic
    assert table.loc[("per_infusion", "infusions"), "kendall"] == pytest.approx(expected, abs=1e-12)


def test_without_group_counts_the_slope_is_bounded(published):
    studies = study_doses(response_counts(published[0], 40), *published)
    analysis = analyse_doses(studies)
    assert list(analysis.bounds) == ["Cheng 2022"]
    assert not analysis.trends
    assert not analysis.fits
    assert len(analysis.to_frame()) == 7


def test_with_group_counts_the_same_call_gives_the_ordinary_analysis(published):
    responses = with_groups(published[0], GROUPS)
    studies = study_doses(response_counts(published[0], 40), responses, published[1])
    analysis = analyse_doses(studies)
    assert not analysis.bounds
    expected = trend_test([4, 1, 2, 1], [8, 3, 3, 3], [1.5, 2, 2.5, 3])
    assert analysis.trends["Cheng 2022"] == expected
    assert [fit.form for fit in analysis.fits] == list(FORMS)
    assert known_arms(studies)["events"].tolist() == [4, 1, 2, 1]


@pytest.mark.parametrize(
    ("groups", "words"),
    [({"Group Z": (1, 3)}, "no arm's label"), ({"Phase 1": (1, 4)}, "4 patients counted in 'Phase 1', but 5")],
)
def test_group_counts_that_fit_no_arm_are_refused(published, groups, words):
    responses = with_groups(published[0], groups)
    with pytest.raises(PasimetaError, match=words):
        study_doses(response_counts(published[0], 40), responses, published[1])


@pytest.mark.parametrize("form", ["linear", "log_linear", "spline"])
def test_curves_maximise_the_binomial_likelihood(form):
    fit = fit_dose_model(ARMS, form)
    x, n, d = (ARMS[name].to_numpy(float) for name in ("events", "n", "dose"))
    design = np.hstack([(ARMS["study"].to_numpy()[:, None] == ["A", "B"]).astype(float), basis(form, d, fit.shape)])

    def loss(beta):
        p = expit(design @ beta)
        return -(x * np.log(p) + (n - x) * np.log1p(-p)).sum()

    found = minimize(loss, np.zeros(design.shape[1]), method="BFGS", options={"gtol": 1e-9})
    assert fit.coefficients == pytest.approx(found.x, abs=1e-4)
    # the information by central differences of the same likelihood
    h, unit = 1e-4, np.eye(len(found.x))
    second = [
        [
            (loss(b + h * (u + v)) - loss(b + h * (u - v)) - loss(b - h * (u - v)) + loss(b - h * (u + v)))
            / (4 * h * h)
            for v in unit
        ]
        for b in [fit.coefficients]
        for u in unit
    ]
    assert fit.covariance == pytest.approx(np.linalg.inv(second), rel=1e-3, abs=1e-5)


def test_emax_finds_the_curve_that_made_the_counts():
    doses = np.array([0.25, 0.5, 1, 2, 4, 8])
    rates = expit(-2 + 4 * doses / (1.0 + doses))
    arms = pd.DataFrame({"study": "A", "dose": doses, "n": 1_000_000, "events": np.round(1_000_000 * rates)})
    fit = fit_dose_model(arms, "emax")
    assert fit.shape[0] == pytest.approx(1.0, rel=0.08)  # the grid of ED50 is that fine
    assert fit.response([1.0])["estimate"].item() == pytest.approx(0.5, abs=0.003)


def test_averaging_lies_between_the_curves_and_widens_them():
    fits = [fit_dose_model(ARMS, form) for form in FORMS]
    shares = akaike_weights(fits)
    assert shares.sum() == pytest.approx(1)
    assert np.log(shares[0] / shares[1]) == pytest.approx((fits[1].aicc - fits[0].aicc) / 2)
    estimates = [fit.contrast([3.0], 0.5)["estimate"].item() for fit in fits]
    mean = averaged_contrast(fits, [3.0], 0.5)
    assert min(estimates) < mean["estimate"].item() < max(estimates)
    assert mean["se"].item() >= min(fit.contrast([3.0], 0.5)["se"].item() for fit in fits)
    assert averaged_contrast(fits, [0.5], 0.5)["se"].item() == pytest.approx(0, abs=1e-9)


def test_two_stages_pool_the_studies_own_slopes():
    slopes = [fit_dose_model(ARMS[ARMS["study"] == s]) for s in "AB"]
    w = np.array([1 / fit.covariance[-1, -1] for fit in slopes])
    expected = w @ np.array([fit.coefficients[-1] for fit in slopes]) / w.sum()
    assert two_stage_slope(ARMS, "EE", "z").estimate == pytest.approx(expected, rel=1e-9)


def test_a_spline_is_straight_beyond_its_knots():
    d = np.array([0.1, 0.4, 0.7, 4.0, 5.0, 6.0])
    columns = basis("spline", d, (1.0, 2.0, 3.5))
    assert columns[:3, 1] == pytest.approx(0)
    assert np.diff(columns[3:, 1], 2) == pytest.approx(0, abs=1e-9)


def test_study_effects_keep_differences_between_studies_out():
    # two studies that differ in level and in dose, without a slope within either
    arms = pd.DataFrame({"study": list("AABB"), "dose": [1, 2, 3, 4], "events": [4, 4, 16, 16], "n": 20})
    assert fit_dose_model(arms).coefficients[-1] == pytest.approx(0, abs=1e-8)
    assert fit_dose_model(arms, study_effects=False).coefficients[-1] > 0.8


@pytest.mark.parametrize(
    ("arms", "form", "words"),
    [
        (ARMS[ARMS["dose"] <= 1], "emax", "needs 3"),
        (ARMS.assign(dose=ARMS["dose"] - 0.5), "log_linear", "no logarithm"),
        (ARMS.drop_duplicates("study"), "linear", "within studies isn't identified"),
        (pd.DataFrame({"study": "A", "dose": [1, 2], "events": [0, 9], "n": 9}), "linear", "runs to infinity"),
        (ARMS, "cubic", "choose one of"),
    ],
)
def test_curves_that_cant_be_fitted_are_refused(arms, form, words):
    with pytest.raises(PasimetaError, match=words):
        fit_dose_model(arms, form)


@pytest.fixture
def with_groups_in_the_file(copied_project):
    """The study file with responders by dose group, as a user would add them."""
    path = copied_project.data / "studies" / "cheng2022.yaml"
    study = yaml.safe_load(path.read_text(encoding="utf-8"))
    total = next(o for o in study["outcomes"] if o["threshold"] == 40 and "subgroup" not in o)
    shared = {key: total[key] for key in ("endpoint", "threshold", "week", "source", "confidence")}
    reason = {"week_reason": "Not in anything seen"} if total["week"] is None else {}
    study["outcomes"] += [
        {
            **shared,
            **reason,
            "locator": "table of responders by group",
            "events": x,
            "n_enrolled": n,
            "n_analysed": n,
            "subgroup": {"by": "dose_group", "level": arm},
        }
        for arm, (x, n) in GROUPS.items()
    ]
    path.write_text(yaml.safe_dump(study, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load_evidence(copied_project.data)


def test_group_counts_in_the_study_file_give_the_ordinary_analysis(with_groups_in_the_file):
    decisions = decide_all(with_groups_in_the_file, InclusionRule())
    responses, doses = (build(with_groups_in_the_file, decisions) for build in (tables.responses, tables.doses))
    studies = study_doses(response_counts(responses, 40), responses, doses)
    analysis = analyse_doses(studies)
    assert not analysis.bounds
    assert analysis.trends["Cheng 2022"] == trend_test([4, 1, 2, 1], [8, 3, 3, 3], [1.5, 2, 2.5, 3])
    sentences = prose.state_sentences(analysis, "unit", ["cheng2022"], 0.8)
    assert "counts responders by dose" in sentences[0]
    assert "compatible with no difference" in sentences[0]
    assert not any("not identified" in sentence for sentence in sentences)
    assert "nothing is left to bound" in prose.nothing_to_bound(analysis)
    evidence = dose_evidence(response_counts(responses, 50), doses[doses["included"]])
    drawn = plots.curve_plot(evidence, analysis, "per_infusion", 50, 40, 0.95)
    assert drawn.data["label"].tolist() == ["Cheng 2022"] * 4 + ["Yao 2021"]
    assert "Average of the 4 curves" in drawn.alt
    # the same file without them: bounds, and nothing fitted
    without = responses[responses["subgroup_by"] != "dose_group"]
    assert list(analyse_doses(study_doses(response_counts(without, 40), without, doses)).bounds) == ["Cheng 2022"]


def test_averaged_curve_lies_among_its_curves_and_its_band_holds_the_doubt_between_them():
    fits = [fit_dose_model(ARMS, form) for form in FORMS]
    doses = np.linspace(0.5, 4, 15)
    mean, curves = averaged_response(fits, doses), [fit.response(doses) for fit in fits]
    every = np.stack([curve["estimate"] for curve in curves])
    assert (mean["estimate"] >= every.min(axis=0) - 1e-12).all()
    assert (mean["estimate"] <= every.max(axis=0) + 1e-12).all()
    # by hand, on the logit
    weights, logits = akaike_weights(fits), np.stack([fit.log_odds(doses)["estimate"] for fit in fits])
    errors = np.stack([fit.log_odds(doses)["se"] for fit in fits])
    centre = weights @ logits
    half = 1.959964 * (weights @ np.hypot(errors, logits - centre))
    assert mean["ci_upper"].to_numpy() == pytest.approx(expit(centre + half), abs=1e-6)
    alone = averaged_response(fits[:1], doses)
    assert alone["ci_lower"].to_numpy() == pytest.approx(curves[0]["ci_lower"].to_numpy())
