"""What must hold for pooling whatever the data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasimeta.synthesis import pool
from pasimeta.synthesis.model import METHODS

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

RANDOM_EFFECTS = tuple(method for method in METHODS if method != "EE")
studies = st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 2)), min_size=2, max_size=9)
INVARIANT = ("estimate", "se", "tau2", "i2", "q", "ci_lower", "ci_upper", "pi_lower", "tau2_ci_lower", "tau2_ci_upper")


def values(result: object, names: tuple[str, ...] = INVARIANT) -> list[float]:
    return [np.nan if getattr(result, name) is None else getattr(result, name) for name in names]


@pytest.mark.parametrize("method", METHODS)
@given(data=studies, seed=st.integers(0, 1000))
@settings(max_examples=25)
def test_the_order_of_studies_is_immaterial(method: str, data: list, seed: int) -> None:
    yi, vi = np.array(data).T
    order = np.random.default_rng(seed).permutation(len(yi))
    here, there = pool(yi, vi, method), pool(yi[order], vi[order], method)
    np.testing.assert_allclose(values(here), values(there), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
@given(data=studies, shift=st.floats(-10, 10), factor=st.sampled_from([-1.0, -0.1, 0.5, 20.0]))
@settings(max_examples=25)
def test_shifting_and_scaling_the_effects_does_the_same_to_the_result(
    method: str, data: list, shift: float, factor: float
) -> None:
    yi, vi = np.array(data).T
    here, there = pool(yi, vi, method, "z"), pool(shift + factor * yi, factor**2 * vi, method, "z")
    assert there.estimate == pytest.approx(shift + factor * here.estimate, rel=1e-6, abs=1e-6)
    assert there.tau2 == pytest.approx(factor**2 * here.tau2, rel=1e-6, abs=1e-7 * factor**2)
    assert there.se == pytest.approx(abs(factor) * here.se, rel=1e-6)
    assert there.i2 == pytest.approx(here.i2, abs=1e-4)


@pytest.mark.parametrize("test", ["z", "t", "knha", "adhoc"])
@given(data=studies, levels=st.tuples(st.floats(0.05, 0.99), st.floats(0.05, 0.99)))
@settings(max_examples=25)
def test_a_higher_level_never_narrows_an_interval(test: str, data: list, levels: tuple[float, float]) -> None:
    yi, vi = np.array(data).T
    narrow, wide = pool(yi, vi, test=test, level=min(levels)), pool(yi, vi, test=test, level=max(levels))
    for interval in ("ci", "pi", "tau2_ci", "i2_ci"):
        assert getattr(wide, f"{interval}_lower") <= getattr(narrow, f"{interval}_lower") + 1e-9
        assert getattr(wide, f"{interval}_upper") >= getattr(narrow, f"{interval}_upper") - 1e-9


@given(data=studies)
@settings(max_examples=50)
def test_floored_knapp_hartung_never_narrows_the_interval(data: list) -> None:
    yi, vi = np.array(data).T
    plain, floored, unfloored = (pool(yi, vi, test=test) for test in ("t", "adhoc", "knha"))
    assert floored.ci_upper - floored.ci_lower >= (plain.ci_upper - plain.ci_lower) * (1 - 1e-12)
    assert floored.se >= unfloored.se * (1 - 1e-12) or unfloored.se == pytest.approx(plain.se)


@pytest.mark.parametrize("method", ["DL", "ML", "REML", "PM"])
@given(data=studies)
@settings(max_examples=25)
def test_where_tau2_is_zero_the_result_is_the_equal_effects_one(method: str, data: list) -> None:
    yi, vi = np.array(data).T
    result, equal = pool(yi * 0.05, vi, method, "z"), pool(yi * 0.05, vi, "EE", "z")
    if result.tau2 == 0:
        np.testing.assert_allclose(values(result, ("estimate", "se")), values(equal, ("estimate", "se")), rtol=1e-12)


@pytest.mark.parametrize("method", RANDOM_EFFECTS)
def test_equal_variances_leave_the_plain_mean_and_variance_components(method: str) -> None:
    # With one common sampling variance every estimator but ML and HS and SJ is the sample variance less it.
    yi, v = np.array([0.1, 0.7, 0.4, 1.5, 0.2]), 0.05
    result = pool(yi, np.full(5, v), method, "z")
    spread = {"ML": yi.var(ddof=0), "HS": yi.var(ddof=0)}.get(method, yi.var(ddof=1))
    if method == "SJ":
        crude = yi.var(ddof=0)
        expected = crude * yi.var(ddof=1) / (v + crude)
    else:
        expected = spread - v
    assert result.estimate == pytest.approx(yi.mean())
    assert result.tau2 == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("test", ["z", "adhoc"])
def test_many_data_sets_at_once_equal_each_alone(method: str, test: str) -> None:
    generator = np.random.default_rng(3)
    vi = generator.uniform(0.01, 1, (6, 40))
    yi = generator.normal(0, np.sqrt(vi + generator.choice([0, 0.1, 2], 40)))
    together = pool(yi, vi, method, test)
    alone = [pool(yi[:, i], vi[:, i], method, test) for i in range(40)]
    for name in INVARIANT:
        column = getattr(together, name)
        if column is None:
            assert alone[0].__getattribute__(name) is None
        else:
            np.testing.assert_allclose(column, [getattr(one, name) for one in alone], rtol=1e-9, atol=1e-12)


def test_blocks_of_data_sets_are_joined_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    import pasimeta.synthesis.inverse_variance as module

    generator = np.random.default_rng(4)
    vi = generator.uniform(0.01, 1, (5, 33))
    yi = generator.normal(0, 1, (5, 33))
    whole = pool(yi, vi)
    monkeypatch.setattr(module, "_BLOCK_ELEMENTS", 50)
    blocks = pool(yi, vi)
    np.testing.assert_allclose(blocks.estimate, whole.estimate, rtol=1e-12)
    np.testing.assert_allclose(blocks.tau2_ci_upper, whole.tau2_ci_upper, rtol=1e-12)
    assert blocks.warnings == whole.warnings
    assert len(blocks.to_frame()) == 33
