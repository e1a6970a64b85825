"""Quadratic and spline trends in two stages against dosresmeta, metafor, and least squares by hand."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from test_dose_comparative import STUDIES

from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.moderators.comparative_curves import curve_columns, pooled_curve, quantile_knots, study_curve
from pasimeta.moderators.dose_comparative import covariance
from pasimeta.moderators.vector_pooling import pool_vectors

KNOTS = (0.955, 9.06, 27.0)


@pytest.fixture(scope="module")
def quadratic():
    return pooled_curve(STUDIES, "quadratic", convention="dosresmeta")


def test_quadratic_trend_agrees_with_dosresmeta(quadratic):
    # dosresmeta 2.1.1, reference pages of dosresmeta and coef.dosresmeta: logrr ~ dose + I(dose^2), "gl", REML
    assert quadratic.coefficients == pytest.approx([-0.0302338854, 0.0007514854], rel=1e-6)
    published = [[1.736570e-04, -5.693365e-06], [-5.693365e-06, 2.386379e-07]]
    assert quadratic.covariance == pytest.approx(np.array(published), rel=1e-5)
    spread = np.sqrt(np.diag(quadratic.between))
    assert spread == pytest.approx([0.0209, 0.0008], abs=5e-5)
    assert quadratic.between[0, 1] / spread.prod() == pytest.approx(-0.9063, abs=5e-5)
    assert (quadratic.q, quadratic.q_df) == (pytest.approx(35.1177, abs=5e-5), 10)
    assert quadratic.log_likelihood == pytest.approx(34.6967, abs=5e-5)
    assert (quadratic.wald, quadratic.wald_p_value) == pytest.approx((6.3694, 0.0414), abs=5e-5)
    assert quadratic.nonlinearity_p_value == pytest.approx(0.1240, abs=5e-5)


@pytest.mark.parametrize(
    ("dose", "published"),
    [
        (9.06, (0.8087751, 0.6833344, 0.9572431)),
        (27.0, (0.7645392, 0.5466573, 1.0692625)),
        (45.0, (1.1749589, 0.4069893, 3.3920508)),
        (77.16, (8.5100405, 0.1488335, 486.5891754)),
    ],
)
def test_predicted_relative_risks_agree_with_dosresmeta(quadratic, dose, published):
    # the same version, reference page of predict.dosresmeta
    row = quadratic.contrast([dose], 0.0).iloc[0]
    assert np.exp([row["estimate"], row["ci_lower"], row["ci_upper"]]) == pytest.approx(published, rel=2e-5)


@pytest.mark.parametrize(
    ("method", "coefficients", "errors", "log_likelihood"),
    [
        # metafor 3.8-1, rma.mv(y, V, mods = ~ t - 1, random = ~ t | id, struct = "UN"), the optimizer BFGS; it stops
        # 0.0002 below the maximum found here, which is on the edge for ML
        ("REML", (-0.03557211466, 0.05224246928), (0.01229652, 0.02582715), 16.6877427405),
        ("ML", (-0.03582842375, 0.05279903748), (0.01072838, 0.02110793), 22.1523386204),
    ],
)
@pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")
def test_spline_trend_agrees_with_metafor(method, coefficients, errors, log_likelihood):
    curve = pooled_curve(STUDIES, "spline", knots=KNOTS, method=method, convention="dosresmeta")
    assert curve.coefficients == pytest.approx(coefficients, abs=1.5e-4)
    assert np.sqrt(np.diag(curve.covariance)) == pytest.approx(errors, rel=0.01)
    assert log_likelihood <= curve.log_likelihood < log_likelihood + 5e-4
    assert curve.q == pytest.approx(30.25481181, abs=1e-7)


@pytest.mark.parametrize(("form", "knots"), [("quadratic", ()), ("spline", KNOTS)])
def test_first_stage_is_least_squares_of_whitened_ratios(form, knots):
    for study in STUDIES:
        whiten = np.linalg.inv(np.linalg.cholesky(covariance(study)))
        design = curve_columns(form, study.doses, knots)
        by_hand, *_ = np.linalg.lstsq(whiten @ (design[1:] - design[0]), whiten @ study.log_ratios, rcond=None)
        assert study_curve(study, form, knots)[0] == pytest.approx(by_hand, rel=1e-7)


def test_pooled_vectors_maximise_the_likelihood_of_a_multivariate_normal():
    rng = np.random.default_rng(4)
    within = np.stack([np.diag(rng.uniform(0.5, 2, 2)) for _ in range(9)])
    y = np.stack([rng.multivariate_normal([1, -1], w + np.array([[2, 1], [1, 1]])) for w in within])

    def loss(at):
        factor = np.array([[at[2], 0], [at[3], at[4]]])
        return -sum(
            multivariate_normal.logpdf(v, at[:2], w + factor @ factor.T) for v, w in zip(y, within, strict=True)
        )

    found = minimize(
        loss, [0, 0, 1, 0, 1], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 9000}
    )
    pooled = pool_vectors(y, within, "ML")
    assert pooled.log_likelihood == pytest.approx(-found.fun, abs=1e-7)
    assert pooled.estimate == pytest.approx(found.x[:2], abs=1e-4)


def test_equal_curves_pool_to_themselves_whatever_the_method():
    y, within = np.tile([0.5, -0.1], (6, 1)), np.stack([np.diag([0.1 * k, 0.2]) for k in range(1, 7)])
    for method in ("REML", "ML", "EE"):
        assert pool_vectors(y, within, method).estimate == pytest.approx([0.5, -0.1], abs=1e-6)


def test_units_of_dose_dont_change_the_relative_risks(quadratic):
    grams = [replace(study, doses=study.doses / 12) for study in STUDIES]
    drinks = pooled_curve(grams, "quadratic", convention="dosresmeta")
    assert drinks.contrast([30 / 12], 0)["estimate"].item() == pytest.approx(
        quadratic.contrast([30], 0)["estimate"].item(), abs=1e-5
    )


def test_few_studies_and_edges_are_doubted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasimetaWarning)
        few = pooled_curve(STUDIES[:4], "quadratic")
        edge = pooled_curve(STUDIES, "spline", knots=KNOTS, method="ML")
        alone = pooled_curve(STUDIES[:1], "quadratic", method="EE")
    assert "4 studies hardly tell" in few.warnings[0]
    assert any("edge" in text for text in edge.warnings)
    assert alone.coefficients == pytest.approx(study_curve(STUDIES[0])[0])
    assert np.isnan(alone.q_p_value)
    assert quantile_knots(STUDIES, (0.0, 0.5, 1.0)) == (0.0, 9.06, 77.16)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pooled_curve([]), "no study"),
        (lambda: pooled_curve(STUDIES[:2]), "choose method EE"),
        (lambda: pooled_curve(STUDIES, "cubic"), "choose one of quadratic, spline"),
        (lambda: pooled_curve(STUDIES, "spline", knots=(1, 2)), "3 or more"),
        (lambda: pooled_curve(STUDIES, "quadratic", knots=KNOTS), "has none"),
        (lambda: pooled_curve(STUDIES, method="DL"), "choose one of REML"),
        (lambda: pooled_curve(STUDIES, "spline", knots=(40, 50, 60)), "can't carry the 2 coefficients"),
    ],
)
def test_what_cant_be_fitted_is_refused(call, words):
    with pytest.raises(PasimetaError, match=words):
        call()
