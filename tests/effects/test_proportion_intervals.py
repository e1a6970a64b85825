"""Intervals of one study's proportion: published limits, defining equations, and their order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from pasimeta.effects import proportion_ci
from pasimeta.errors import PasimetaError

METHODS = ("clopper_pearson", "mid_p", "wilson", "agresti_coull", "jeffreys")
counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("method", "limits"),
    [
        # Newcombe RG. Stat Med 1998;17:857-872, table I: 81 of 263, methods 5 (exact), 6 (mid-P), 3 (Wilson).
        ("clopper_pearson", (0.2527, 0.3676)),
        ("mid_p", (0.2544, 0.3658)),
        ("wilson", (0.2553, 0.3662)),
    ],
)
def test_limits_agree_with_newcombes_table(method: str, limits: tuple[float, float]) -> None:
    lower, upper = proportion_ci([81], [263], method)
    assert (round(lower[0], 4), round(upper[0], 4)) == limits


@given(counts, st.floats(0.5, 0.999))
def test_clopper_pearson_limits_have_half_alpha_in_each_tail(count: tuple[int, int], level: float) -> None:
    events, n = count
    lower, upper = proportion_ci([events], [n], "clopper_pearson", level)
    if events > 0:
        assert binom.sf(events - 1, n, lower[0]) == pytest.approx((1 - level) / 2, rel=1e-6)
    if events < n:
        assert binom.cdf(events, n, upper[0]) == pytest.approx((1 - level) / 2, rel=1e-6)


@given(counts, st.floats(0.5, 0.999))
def test_mid_p_limits_halve_the_observed_count(count: tuple[int, int], level: float) -> None:
    events, n = count
    lower, upper = proportion_ci([events], [n], "mid_p", level)
    if events > 0:
        tail = binom.sf(events, n, lower[0]) + 0.5 * binom.pmf(events, n, lower[0])
        assert tail == pytest.approx((1 - level) / 2, rel=1e-6)
    if events < n:
        tail = binom.cdf(events - 1, n, upper[0]) + 0.5 * binom.pmf(events, n, upper[0])
        assert tail == pytest.approx((1 - level) / 2, rel=1e-6)


def test_jeffreys_limits_are_beta_quantiles_inside_and_the_ends_outside() -> None:
    lower, upper = proportion_ci([0, 3, 20], [20, 20, 20], "jeffreys")
    np.testing.assert_allclose([lower[1], upper[1]], beta.ppf([0.025, 0.975], 3.5, 17.5), rtol=1e-10)
    assert lower[0] == 0
    assert upper[2] == 1


@pytest.mark.parametrize("method", METHODS)
@given(count=counts)
def test_limits_hold_the_observed_rate_and_mirror_under_relabelling(method: str, count: tuple[int, int]) -> None:
    events, n = count
    lower, upper = proportion_ci([events], [n], method)
    assert 0 <= lower[0] <= events / n <= upper[0] <= 1
    mirrored = proportion_ci([n - events], [n], method)
    assert lower[0] == pytest.approx(1 - mirrored.upper[0], abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@given(count=counts, levels=st.tuples(st.floats(0.5, 0.99), st.floats(0.5, 0.99)))
def test_a_higher_level_never_narrows_the_interval(method: str, count: tuple[int, int], levels: tuple) -> None:
    events, n = count
    narrow = proportion_ci([events], [n], method, min(levels))
    wide = proportion_ci([events], [n], method, max(levels))
    assert wide.lower[0] <= narrow.lower[0] + 1e-12
    assert wide.upper[0] >= narrow.upper[0] - 1e-12


def test_no_event_in_thirty_leaves_one_in_nine_possible() -> None:
    assert proportion_ci([0], [30]).upper[0] == pytest.approx(1 - 0.025 ** (1 / 30), rel=1e-12)


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, "0.95", None, True])
def test_a_level_outside_zero_and_one_is_refused(level: object) -> None:
    with pytest.raises(PasimetaError, match=r"95 % is 0\.95"):
        proportion_ci([1], [2], level=level)


def test_an_unknown_method_names_the_choices() -> None:
    with pytest.raises(PasimetaError, match="clopper_pearson"):
        proportion_ci([1], [2], "wald")
