"""Pooling agrees with metafor at its true optimum, and refuses or doubts what it must."""

import warnings

import numpy as np
import pytest

from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.synthesis import pool

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

#: R's metafor 3.8.1 on the BCG log risk ratios, threshold 1e-14: estimate, se, tau2, I2, H2.
ESTIMATORS = {
    "EE": (-0.430285163654, 0.040498751711, 0.000000000000, 92.117346855, 12.6860840069),
    "DL": (-0.714117222073, 0.178742089535, 0.308760262862, 92.117346855, 12.6860840069),
    "HE": (-0.715878588759, 0.183279985989, 0.328563857996, 92.557097407, 13.4356185299),
    "HS": (-0.704535373916, 0.158652093057, 0.228362863677, 89.629966664, 9.6431705435),
    "SJ": (-0.717248592558, 0.187059458416, 0.345515701599, 92.896324096, 14.0772188012),
    "ML": (-0.711199135474, 0.171896808777, 0.280028137269, 91.378283789, 11.5986188315),
    "REML": (-0.714532342158, 0.179781516105, 0.313243258136, 92.221384521, 12.8557582353),
    "EB": (-0.714968153493, 0.180892191538, 0.318068452205, 92.330337954, 13.0383841429),
    "PM": (-0.714968153493, 0.180892191538, 0.318068452205, 92.330337954, 13.0383841429),
}
#: The same, REML: se, statistic, p value, confidence limits; and prediction limits.
KNAPP_HARTUNG = (0.180791744093, -3.952239886525, 0.00192001509606, -1.108443713686, -0.320620970631)
TESTS = {
    "z": (0.179781516105, -3.974448306132, 7.054258102e-05, -1.066897638810, -0.362167045506),
    "t": (0.179781516105, -3.974448306132, 0.00184464721014, -1.106242615985, -0.322822068331),
    "knha": KNAPP_HARTUNG,
    "adhoc": KNAPP_HARTUNG,
}
PREDICTIONS = {
    "z": (-1.866692217903, 0.437627533587),
    "t": (-1.995341958509, 0.566277274193),
    "knha": (-1.996016834196, 0.566952149880),
    "adhoc": (-1.996016834196, 0.566952149880),
}


@pytest.mark.parametrize("method", ESTIMATORS)
def test_every_estimator_agrees_with_metafor(bcg: tuple, method: str) -> None:
    result = pool(*bcg, method, test="z")
    got = (result.estimate, result.se, result.tau2, result.i2, result.h2)
    np.testing.assert_allclose(got, ESTIMATORS[method], rtol=1e-9, atol=1e-12)
    assert (result.q, result.q_df) == (pytest.approx(152.2330080823, rel=1e-11), 12)


@pytest.mark.parametrize("test", TESTS)
def test_every_test_agrees_with_metafor(bcg: tuple, test: str) -> None:
    result = pool(*bcg, "REML", test)
    got = (result.se, result.statistic, result.p_value, result.ci_lower, result.ci_upper)
    np.testing.assert_allclose(got, TESTS[test], rtol=2e-9)
    np.testing.assert_allclose((result.pi_lower, result.pi_upper), PREDICTIONS[test], rtol=1e-10)


def test_q_profile_intervals_agree_with_metafor(bcg: tuple) -> None:
    # R's metafor 3.8.1, confint(level = 95 and 80).
    names = ("tau2_ci_lower", "tau2_ci_upper", "i2_ci_lower", "i2_ci_upper")
    for level, expected in {
        0.95: (0.11971836114126, 1.1114790840609, 81.92057455859654, 97.6780749578874),
        0.80: (0.17069617508111, 0.72671076033764, 86.59621325296440, 96.49182438898968),
    }.items():
        result = pool(*bcg, level=level)
        np.testing.assert_allclose([getattr(result, name) for name in names], expected, rtol=1e-10)


def test_log_likelihoods_agree_with_metafor(bcg: tuple) -> None:
    assert pool(*bcg, "REML").log_likelihood == pytest.approx(-12.20237141549357, rel=1e-12)
    assert pool(*bcg, "ML").log_likelihood == pytest.approx(-12.66507634827681, rel=1e-12)
    assert pool(*bcg, "DL").log_likelihood is None


def test_weights_are_each_studys_share_in_percent(bcg: tuple) -> None:
    yi, _ = bcg
    result = pool(*bcg)
    assert sum(result.weights) == pytest.approx(100.0)
    assert np.dot(result.weights, yi) / 100.0 == pytest.approx(result.estimate)


def test_prediction_intervals_differ_by_their_degrees_of_freedom_alone(bcg: tuple) -> None:
    # Quantiles of t with 11 and 12 degrees of freedom and of the normal distribution.
    for prediction, quantile in {"HTS": 2.2009851600916, "V": 2.1788128296672, None: 1.9599639845401}.items():
        result = pool(*bcg, "REML", "z", prediction=prediction)
        half_width = quantile * np.sqrt(result.tau2 + result.se**2)
        assert result.pi_upper - result.estimate == pytest.approx(half_width, rel=1e-10)


def test_one_study_is_its_own_estimate_with_a_normal_interval() -> None:
    with pytest.warns(PasimetaWarning, match="a single study"):
        result = pool([0.4], [0.09])
    assert (result.estimate, result.se) == (pytest.approx(0.4, rel=1e-15), pytest.approx(0.3, rel=1e-15))
    assert result.ci_upper == pytest.approx(0.4 + 1.959963984540054 * 0.3, rel=1e-12)
    assert result.tau2 is result.i2 is result.h2 is result.pi_lower is result.pi_upper is result.tau2_ci_upper is None
    assert (result.q, result.q_df, result.weights) == (0.0, 0, (100.0,))
    assert len(result.warnings) == 1


def test_equal_effects_have_no_prediction_interval_and_no_interval_of_tau2(bcg: tuple) -> None:
    result = pool(*bcg, "EE")
    assert result.tau2 == 0.0
    assert result.pi_lower is result.tau2_ci_lower is result.i2_ci_upper is None


def test_hts_prediction_needs_three_studies() -> None:
    result = pool([0.1, 0.5], [0.1, 0.1], prediction="HTS")
    assert result.pi_lower is None
    assert any("HTS prediction interval needs 3 studies" in text for text in result.warnings)


def test_doubts_are_warned_of_and_kept() -> None:
    with pytest.warns(PasimetaWarning) as caught:
        result = pool([0.10, 0.11, 0.10], [0.2, 0.3, 0.2], test="knha")
    kept = " | ".join(result.warnings)
    for doubt in ("only 3 studies", "boundary 0", "Knapp-Hartung narrowed", "Q-profile interval of tau2 is empty"):
        assert doubt in kept
    assert [str(w.message) for w in caught] == list(result.warnings)
    assert (result.tau2_ci_lower, result.tau2_ci_upper) == (0.0, 0.0)


def test_plain_data_raise_no_doubt(bcg: tuple) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pool(*bcg).warnings == ()


@pytest.mark.parametrize("method", ESTIMATORS)
@pytest.mark.parametrize("test", TESTS)
def test_identical_effects_give_a_finite_result(method: str, test: str) -> None:
    result = pool([0.3, 0.3, 0.3], [0.1, 0.2, 0.3], method, test)
    assert result.estimate == pytest.approx(0.3)
    assert result.tau2 == pytest.approx(0.0, abs=1e-20)
    assert result.ci_lower < 0.3 < result.ci_upper


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "no study at all"),
        (([1, 2], [1]), "unequal lengths"),
        (([1, 2], [1, 0]), "vi, row 2: 0 is not positive"),
        (([1, 2], [-1, 1]), "vi, row 1: -1 is not positive"),
        (([1, np.nan], [1, 1]), "yi, row 2: nan is not finite"),
        (([1, 2], [1, np.inf]), "vi, row 2: inf is not finite"),
        ((["a", 2], [1, 1]), "row 1: 'a' is not a number"),
        (([1, 2], [1, 1], "FE"), "method: 'FE' is unknown"),
        (([1, 2], [1, 1], "REML", "wald"), "test: 'wald' is unknown"),
        (([1, 2], [1, 1], "REML", "z", 95), "95 % is 0.95"),
        (([1, 2], [1, 1], "REML", "z", 0.95, "t"), "prediction: 't' is unknown"),
        ((np.ones((2, 2, 2)), np.ones((2, 2, 2))), r"give \(k,\) or \(k, d\)"),
        (([1e200, -1e200], [1, 1]), "rescale"),
    ],
)
def test_bad_input_is_refused_with_row_and_remedy(arguments: tuple, message: str) -> None:
    with pytest.raises(PasimetaError, match=message):
        pool(*arguments)


def test_a_result_tabulates_itself(bcg: tuple) -> None:
    frame = pool(*bcg).to_frame()
    assert len(frame) == 1
    assert frame.loc[0, "estimate"] == pytest.approx(-0.714532342158)
