"""Back-transformations undo the transformations, and the Freeman-Tukey one shows its known defect."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.effects import back_transform, escalc, freeman_tukey_inverse
from pasimeta.errors import PasimetaError

inner_counts = st.integers(2, 500).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))


@given(inner_counts)
def test_a_single_studys_effect_comes_back_as_its_own_rate(count: tuple[int, int]) -> None:
    events, n = count
    for measure in ("PR", "PLN", "PLO", "PAS", "PFT"):
        yi, _ = escalc(measure, events=[events], n=[n])
        assert back_transform(measure, yi, n=[n])[0] == pytest.approx(events / n, abs=1e-9)


@given(st.lists(st.floats(-1, 3), min_size=2, max_size=20), st.lists(st.integers(1, 500), min_size=1, max_size=6))
def test_freeman_tukeys_inverse_is_monotone_and_a_proportion(values: list[float], n: list[int]) -> None:
    rates = freeman_tukey_inverse(np.sort(values), n)
    assert ((rates >= 0) & (rates <= 1)).all()
    assert (np.diff(rates) >= -1e-12).all()


def test_freeman_tukeys_inverse_agrees_with_metafor() -> None:
    # R's metafor 3.8.1: transf.ipft.hm(c(.3, 1.4), list(ni=c(10, 20, 30))).
    expected = [0.0643972933287698, 0.9924581043159724]
    np.testing.assert_allclose(freeman_tukey_inverse([0.3, 1.4], [10, 20, 30]), expected, rtol=1e-12)


def test_freeman_tukeys_known_defect_one_mean_reads_as_different_rates() -> None:
    # The same pooled value means a rate of 0 with one small study among the sizes, and a positive rate without it.
    pooled = escalc("PFT", events=[10], n=[10_000]).yi[0]
    assert freeman_tukey_inverse(pooled, [10_000, 10_000]) > 0.0005
    assert freeman_tukey_inverse(pooled, [10, 10_000]) == 0.0


def test_ratios_come_back_from_the_log_scale_and_differences_stay() -> None:
    assert back_transform("OR", np.log(2.0)) == pytest.approx(2.0)
    assert back_transform("RR", np.log(0.5)) == pytest.approx(0.5)
    assert back_transform("RD", -0.1) == -0.1


def test_arcsine_limits_beyond_the_scale_stay_in_order() -> None:
    assert back_transform("PAS", [-0.2, 0.0, np.pi / 2, 1.8]).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_freeman_tukey_without_sizes_is_refused() -> None:
    with pytest.raises(PasimetaError, match="give n"):
        back_transform("PFT", 0.3)
    with pytest.raises(PasimetaError, match="n, row 2"):
        back_transform("PFT", 0.3, n=[10, 0])
