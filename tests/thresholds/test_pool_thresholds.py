"""The pooled model: known special cases, invariances, predictions, and the posterior against brute force."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln, log_ndtr, ndtr

from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.synthesis import pool_thresholds
from pasimeta.synthesis.thresholds.prediction import PREDICTION_COLUMNS

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

BINOMIAL = pd.DataFrame(
    {"study": list("ABCDE"), "threshold": 75, "events": [2, 9, 4, 1, 12], "n": [15, 20, 30, 11, 18]}
)


def probit_normal(mu: np.ndarray, tau: float) -> np.ndarray:
    """Log-likelihood of a probit binomial-normal model, by a fine rule of its own; ``mu`` of any shape."""
    u = np.linspace(-9, 9, 401)
    weight = np.exp(-0.5 * u**2)
    weight /= weight.sum()
    total = np.zeros(np.shape(mu))
    for x, n in BINOMIAL[["events", "n"]].itertuples(index=False):
        theta = np.asarray(mu)[..., None] + tau * u
        logs = x * log_ndtr(theta) + (n - x) * log_ndtr(-theta)
        total += np.log(np.exp(logs) @ weight) + gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    return total


def test_one_threshold_with_exact_counts_is_the_probit_binomial_normal_model() -> None:
    fit = pool_thresholds(BINOMIAL, form="free", reference=75)
    best = minimize(
        lambda p: -probit_normal(p[0], p[1]), [-0.5, 0.5], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}
    )
    assert fit.estimate == pytest.approx(best.x[0], abs=1e-6)
    assert fit.tau == pytest.approx(abs(best.x[1]), abs=1e-6)
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-8)


def test_profile_limits_lie_where_the_profile_likelihood_falls_by_its_quantile() -> None:
    fit = pool_thresholds(BINOMIAL, form="free", reference=75)
    for limit in (fit.ci_lower, fit.ci_upper):
        profile = max(probit_normal(np.array(limit), tau) for tau in np.linspace(0, 3, 301))
        assert 2 * (fit.log_likelihood - profile) == pytest.approx(3.841459, abs=2e-4)


def test_an_uninformative_bound_changes_nothing(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    more = pd.DataFrame(
        {"study": ["Yao", "Yao"], "threshold": [75, 25], "events_lower": [0, 0], "events_upper": [7, 7], "n": 7}
    )
    for method in ("ML", "bayes"):
        plain = pool_thresholds(review, comparators=arms, method=method)
        bounded = pool_thresholds(pd.concat([review, more]), comparators=arms, method=method)
        pd.testing.assert_frame_equal(plain.to_frame(), bounded.to_frame(), rtol=1e-10)
        pd.testing.assert_frame_equal(plain.curve, bounded.curve, rtol=1e-10)


def test_order_of_rows_and_names_of_studies_do_not_matter(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    plain = pool_thresholds(review, comparators=arms)
    shuffled = pool_thresholds(
        review.iloc[::-1].assign(study=lambda t: t["study"].str[::-1]), comparators=arms.iloc[::-1]
    )
    assert shuffled.estimate == pytest.approx(plain.estimate, abs=1e-7)
    assert shuffled.ci_upper == pytest.approx(plain.ci_upper, abs=1e-5)


def test_the_curve_falls_and_lies_within_its_bands(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    for method in ("ML", "bayes"):
        curve = pool_thresholds(review, comparators=arms, method=method).curve
        assert (curve["response"].diff().dropna() < 0).all()
        ordered = curve[["pi_lower", "ci_lower", "response", "ci_upper", "pi_upper"]].to_numpy()
        assert (np.diff(ordered, axis=1) >= 0).all()


def test_limits_of_the_curve_do_not_depend_on_which_thresholds_are_asked_for(
    review: pd.DataFrame, arms: pd.DataFrame
) -> None:
    whole = pool_thresholds(review, comparators=arms).curve.set_index("threshold")
    for c in (35.0, 65.0, 85.0):
        alone = pool_thresholds(review, comparators=arms, curve=[c]).curve.iloc[0]
        assert alone["ci_lower"] == pytest.approx(whole.loc[c, "ci_lower"], abs=5e-5)
        assert alone["ci_upper"] == pytest.approx(whole.loc[c, "ci_upper"], abs=5e-5)


def test_unreported_pasi50_lies_where_the_other_counts_put_it(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    fit = pool_thresholds(review, comparators=arms)
    row = fit.predictions.set_index(["study", "threshold"]).loc[("Cheng", 50.0)]
    assert not row["reported"]
    assert (row["events_lower"], row["events_upper"]) == (6, 8)
    # 6 who reached PASI75, and of the 2 between PASI40 and PASI75 each beyond 50 with the conditional probability
    z = fit.cutpoints.set_index("threshold")["z"]
    between = ndtr(fit.estimate - z[[40.0, 50.0, 75.0]].to_numpy())
    expected = 6 + 2 * (between[1] - between[2]) / (between[0] - between[2])
    assert fit.tau == 0
    assert row["predicted"] == pytest.approx(expected, abs=1e-6)


def test_posterior_equals_a_fine_grid() -> None:
    fit = pool_thresholds(BINOMIAL, form="free", reference=75, method="bayes", tau_prior=("half_normal", 0.5))
    mu, tau = np.linspace(-4, 3, 281), np.linspace(0, 3, 121)
    log_prior = -0.5 * (tau / 0.5) ** 2 + np.log(2 / (0.5 * np.sqrt(2 * np.pi)))
    weight = np.ones_like(tau)
    weight[0] = weight[-1] = 0.5
    mass = np.stack([np.exp(probit_normal(mu, t) + p) * w for t, p, w in zip(tau, log_prior, weight, strict=True)])
    evidence = np.log(mass.sum() * (mu[1] - mu[0]) * (tau[1] - tau[0]))
    assert fit.log_marginal_likelihood == pytest.approx(evidence, abs=1e-4)
    cdf = (np.cumsum(mass.sum(axis=0)) - 0.5 * mass.sum(axis=0)) / mass.sum()
    lower, upper = np.interp([0.025, 0.975], cdf, mu)
    assert (fit.ci_lower, fit.ci_upper) == pytest.approx((lower, upper), abs=0.01)
    at_tau = (np.cumsum(mass.sum(axis=1)) - 0.5 * mass.sum(axis=1)) / mass.sum()
    assert fit.tau_ci_upper == pytest.approx(np.interp(0.975, at_tau, tau), abs=0.01)


def test_case_and_density_of_a_told_patient_agree_on_the_direction(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    case = pd.DataFrame({"study": ["X"], "threshold": [75], "events_lower": [1], "events_upper": [1], "n": [1]})
    told = pd.DataFrame({"study": ["X"], "improvement": [87.0]})
    without = pool_thresholds(review, comparators=arms, method="bayes").estimate
    as_category = pool_thresholds(pd.concat([review, case]), comparators=arms, method="bayes").estimate
    as_density = pool_thresholds(review, comparators=arms, patients=told, method="bayes").estimate
    assert without < as_density < as_category + 0.2
    assert as_category > without


def test_best_of_several_bounds_the_others(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    three = pd.DataFrame({"study": ["X"], "threshold": [75], "events_lower": [1], "events_upper": [3], "n": [3]})
    told = pd.DataFrame({"study": ["X"], "improvement": [87.0]})
    both = pd.concat([review, three])
    best = pool_thresholds(both, comparators=arms, patients=told.assign(best=True), method="bayes").estimate
    anyone = pool_thresholds(both, comparators=arms, patients=told, method="bayes").estimate
    assert best < anyone


def test_reading_all_thresholds_is_worth_more_than_the_best_alone(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    gain = pool_thresholds(review, comparators=arms).information.set_index("study")
    assert gain.loc["Cheng", "best_single"] < gain.loc["Cheng", "patients_worth"] < 17
    assert gain.loc["Yao", "best_single"] == pytest.approx(gain.loc["Yao", "patients_worth"])
    # one dichotomy at its best, half of the patients each side, is worth 2/pi of them
    assert gain.loc["Yao", "patients_worth"] <= 7 * 2 / np.pi + 1e-3
    assert gain["weight"].sum() == pytest.approx(100)


def test_both_methods_tell_their_table(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    for method in ("ML", "bayes"):
        fit = pool_thresholds(review, comparators=arms, method=method)
        assert fit.to_frame().shape[0] == 1
        assert list(fit.predictions.columns) == PREDICTION_COLUMNS
        assert (fit.k, fit.n, fit.method) == (2, 24, method)


def test_nobody_responding_gives_a_one_sided_interval_or_a_refusal() -> None:
    nobody = pd.DataFrame({"study": ["A", "B"], "threshold": 50, "events": 0, "n": [10, 12]})
    fit = pool_thresholds(nobody, form="free", curve=[50])
    assert fit.response_estimate < 1e-6
    # the likelihood-ratio bound of 0/22 with one rate: exp(-3.841/2/22)
    assert fit.response_ci_upper == pytest.approx(1 - np.exp(-3.841459 / 44), abs=2e-3)
    assert any("no one responds" in text for text in fit.warnings)
    with pytest.raises(PasimetaError, match="mu_prior: everyone or no one responds"):
        pool_thresholds(nobody, form="free", method="bayes")
    assert pool_thresholds(nobody, form="free", method="bayes", mu_prior=(0, 1)).response_ci_upper < 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"form": "spline"}, "form: 'spline' is unknown; choose one of"),
        ({"link": "cloglog"}, "link: 'cloglog' is unknown"),
        ({"method": "mcmc"}, "method: 'mcmc' is unknown"),
        ({"form": "free", "reference": 60}, "reference: no study reports 60"),
        ({"curve": [0]}, "curve: 0 is no percentage above 0"),
        ({"method": "bayes", "tau_prior": ("half_cauchy", 1)}, "tau_prior: half_cauchy is too heavy-tailed"),
        ({"level": 95}, "level: 95 is not strictly between 0 and 1"),
    ],
)
def test_choices_that_cannot_be_are_refused(
    review: pd.DataFrame, arms: pd.DataFrame, arguments: dict, message: str
) -> None:
    with pytest.raises(PasimetaError, match=message):
        pool_thresholds(review, comparators=arms, **arguments)


def test_a_smooth_curve_without_enough_thresholds_is_refused() -> None:
    with pytest.raises(PasimetaError, match="has 2 parameters, but the counts hold only 0 threshold"):
        pool_thresholds(BINOMIAL)


def test_doubts_are_warned_of_and_kept(review: pd.DataFrame, arms: pd.DataFrame) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = pool_thresholds(review, comparators=arms)
    told = {str(w.message) for w in caught if issubclass(w.category, PasimetaWarning)}
    assert set(fit.warnings) <= told
    assert any("only 2 studies" in text for text in fit.warnings)
