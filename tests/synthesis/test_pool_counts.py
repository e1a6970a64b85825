"""Counts pooled and read back as rates: metafor's values, relabelled events, and the doubts owed to rare events."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasimeta.effects import escalc
from pasimeta.errors import PasimetaError
from pasimeta.synthesis import pool, pool_counts

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

#: R's metafor 3.8.1, predict(rma(...), transf) of the vasospasm studies, REML, z: rate and confidence limits.
RATES = {
    "PLO": (0.757479295089, 0.660521965105, 0.833716201424),
    "PAS": (0.813018351022, 0.704020408689, 0.901589817807),
    "PFT": (0.802899888786, 0.702205641735, 0.889346782691),
    "PLN": (0.808072387795, 0.732444268719, 0.891509445571),
    "PR": (0.796752059580, 0.713772606994, 0.879731512165),
}
RARE = {"events": [0, 0, 1, 0, 2, 0], "n": [12, 20, 35, 8, 60, 15]}
group = st.lists(st.integers(2, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=7)


@pytest.mark.parametrize("measure", RATES)
def test_rates_agree_with_metafor(vasospasm: dict, measure: str) -> None:
    result = pool_counts(measure, **vasospasm, test="z")
    got = (result.response_estimate, result.response_ci_lower, result.response_ci_upper)
    np.testing.assert_allclose(got, RATES[measure], rtol=1e-9)
    assert result.measure == measure


def test_the_analysis_scale_is_that_of_pool(vasospasm: dict) -> None:
    result, plain = pool_counts("PLO", **vasospasm), pool(*escalc("PLO", **vasospasm))
    for name in ("estimate", "se", "tau2", "i2_ci_upper", "pi_lower", "p_value", "weights"):
        assert getattr(result, name) == getattr(plain, name)
    assert plain.response_estimate is None


def test_an_odds_ratio_is_read_back_as_a_ratio() -> None:
    arms = {"events1": [4, 6, 3], "n1": [123, 306, 231], "events2": [11, 29, 11], "n2": [139, 303, 220]}
    result = pool_counts("OR", **arms)
    assert result.response_estimate == pytest.approx(np.exp(result.estimate))
    assert result.response_pi_upper == pytest.approx(np.exp(result.pi_upper))


@pytest.mark.parametrize("measure", ["PR", "PLO", "PAS", "PFT"])
@given(counts=group)
@settings(max_examples=25)
def test_swapping_event_and_non_event_mirrors_the_pooled_rate(measure: str, counts: list) -> None:
    events, n = np.array(counts).T
    here, there = (pool_counts(measure, events=x, n=n) for x in (events, n - events))
    assert here.response_estimate + there.response_estimate == pytest.approx(1.0, abs=1e-6)
    assert here.response_ci_lower + there.response_ci_upper == pytest.approx(1.0, abs=1e-6)
    assert here.tau2 == pytest.approx(there.tau2, rel=1e-6, abs=1e-9)


def test_the_method_is_the_result_where_events_are_rare() -> None:
    # Three events in 150 patients (the issue that started the engine): the pooled rate runs from 0.9 % to 3.3 %.
    rates = {m: pool_counts(m, **RARE, method="DL").response_estimate for m in ("PFT", "PAS", "PR", "PLO")}
    assert rates["PFT"] < rates["PAS"] < rates["PR"] < rates["PLO"]
    assert rates["PLO"] > 2.5 * rates["PAS"]


def test_added_halves_are_doubted() -> None:
    result = pool_counts("PLO", **RARE)
    assert any("1/2 was added to the cells of 4 of 6 studies" in text for text in result.warnings)
    assert not any("1/2" in text for text in pool_counts("PAS", **RARE).warnings)


def test_a_limit_outside_zero_and_one_is_doubted_not_hidden() -> None:
    result = pool_counts("PR", events=[1, 0, 1], n=[10, 12, 9], test="t")
    assert result.response_ci_lower < 0
    assert any("outside [0, 1]" in text for text in result.warnings)


def test_a_freeman_tukey_rate_outside_the_studies_own_is_doubted() -> None:
    result = pool_counts("PFT", events=[1, 10, 12], n=[10, 10_000, 10_000], method="EE")
    assert result.response_estimate == 0.0
    assert any("outside the range of the studies' own" in text for text in result.warnings)


def test_many_tables_at_once_equal_each_alone() -> None:
    generator = np.random.default_rng(2)
    n = generator.integers(5, 50, (5, 8))
    events = generator.binomial(n, 0.4)
    for measure in RATES:
        together = pool_counts(measure, events=events, n=n)
        alone = [pool_counts(measure, events=events[:, i], n=n[:, i]).response_pi_upper for i in range(8)]
        np.testing.assert_allclose(together.response_pi_upper, alone, rtol=1e-9)


def test_one_study_is_its_own_rate() -> None:
    result = pool_counts("PLO", events=[3], n=[12])
    assert result.response_estimate == pytest.approx(0.25)
    assert result.response_pi_lower is None


def test_bad_counts_are_refused_by_row() -> None:
    with pytest.raises(PasimetaError, match="events, row 2: 13 exceeds n"):
        pool_counts("PLO", events=[1, 13], n=[12, 12])
