"""Egger's, Peters' and Begg's tests agree with R."""

import numpy as np
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.robustness import begg, egger, peters

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

#: R's metafor 3.8.1, regtest of the BCG log risk ratios: t and p (model = "lm"), z (model = "rma", threshold 1e-14).
EGGER = {
    "sei": (-1.4012820023, 0.1887069951, -0.8033291931),
    "vi": (-0.8568139650, 0.4098258121, -0.4267811265),
    "ni": (4.4112216611, 0.0010435897, 2.0487545560),
    "ninv": (-1.4484695606, 0.1753843654, -1.2565628255),
    "sqrtni": (4.2787165248, 0.0013015172, 2.3572449587),
    "sqrtninv": (-2.6259760819, 0.0235759075, -1.8360624043),
}


@pytest.mark.parametrize("predictor", EGGER)
def test_egger_agrees_with_metafor(bcg: tuple, bcg_counts: dict, predictor: str) -> None:
    n = np.add(bcg_counts["n1"], bcg_counts["n2"])
    t, p_value, z = EGGER[predictor]
    linear, additive = egger(*bcg, predictor, n=n), egger(*bcg, predictor, n=n, model="rma")
    assert (linear.statistic, linear.p_value) == (pytest.approx(t, rel=1e-8), pytest.approx(p_value, rel=1e-7))
    assert linear.df == 11
    assert additive.statistic == pytest.approx(z, rel=1e-7)


def test_the_limit_estimate_agrees_with_metafor(bcg: tuple) -> None:
    # R's metafor 3.8.1, regtest(): limit estimate as sei -> 0.
    result = egger(*bcg, model="rma")
    got = (result.limit_estimate, result.limit_ci_lower, result.limit_ci_upper)
    np.testing.assert_allclose(got, (-0.5104, -1.1182, 0.0974), atol=5e-5)


def test_peters_agrees_with_r(bcg_counts: dict) -> None:
    # R 4.2.2, lm(yi ~ I(1/N), weights = E * (N - E) / N), log odds ratios of the BCG trials.
    result = peters(**bcg_counts)
    assert result.statistic == pytest.approx(-1.362476199397010, rel=1e-10)
    assert result.p_value == pytest.approx(0.20029179228413549, rel=1e-10)
    assert result.limit_estimate == pytest.approx(-0.4293084258019742, rel=1e-10)


def test_peters_of_one_group_agrees_with_r_and_leaves_studies_without_weight_out() -> None:
    # R 4.2.2, the same of the log odds of the vasospasm studies (Pritz 1997), two of them without non-events.
    events, n = (
        [16, 10, 4, 43, 10, 25, 13, 12, 22, 4, 5, 18, 58, 6],
        [17, 12, 8, 58, 10, 42, 14, 12, 41, 5, 6, 23, 68, 10],
    )
    result = peters(events=events, n=n)
    assert result.statistic == pytest.approx(0.07180316695880221, rel=1e-9)
    assert result.p_value == pytest.approx(0.94417433531999584, rel=1e-10)
    assert result.k == 12
    assert any("2 studies without events or without non-events" in text for text in result.warnings)


def test_begg_agrees_with_metafor(bcg: tuple) -> None:
    # R's metafor 3.8.1, ranktest: exact p value.
    result = begg(*bcg)
    assert result.statistic == pytest.approx(0.02564102564102564, rel=1e-12)
    assert result.p_value == pytest.approx(0.95236190796086628, rel=1e-9)


def test_few_studies_are_doubted() -> None:
    assert any("only 4 studies" in text for text in egger([1, 2, 3, 5], [0.1, 0.2, 0.3, 0.4]).warnings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: egger([1, 2], [0.1, 0.2]), "at least 3"),
        (lambda: egger([1, 2, 3], [0.1, 0.1, 0.1]), "sei: all studies have the same value"),
        (lambda: egger([1, 2, 3], [0.1, 0.2, 0.3], "ninv"), "give n"),
        (lambda: egger([1, 2, 3], [0.1, 0.2, 0.3], "ninv", n=[5, 0, 5]), "n, row 2"),
        (lambda: egger([1, 2, 3], [0.1, 0.2, 0.3], "age"), "predictor: 'age' is unknown"),
        (lambda: egger([1.0, 1.0, 1.0], [0.1, 0.2, 0.3]), "exactly on the regression line"),
        (lambda: begg([1, 2, 3], [0.1, 0.1, 0.1]), "all variances are equal"),
        (lambda: peters(events=[0, 0, 3], n=[5, 6, 9]), "1 studies carry weight"),
    ],
)
def test_what_cant_be_tested_is_refused(call: object, message: str) -> None:
    with pytest.raises(PasimetaError, match=message):
        call()
