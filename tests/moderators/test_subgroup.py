"""Subgroups agree with separate fits by metafor, and the test between them with its definition."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pasimeta.errors import PasimetaError
from pasimeta.moderators import meta_regression, subgroup
from pasimeta.synthesis import pool

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


def test_separate_tau2_agrees_with_metafor(bcg: tuple, bcg_trials: pd.DataFrame) -> None:
    # R's metafor 3.8.1: rma in each group; the groups then pooled with weights 1/se^2.
    result = subgroup(*bcg, bcg_trials["alloc"])
    assert result.groups == ("random", "alternate", "systematic")
    assert result.k.tolist() == [7, 2, 4]
    np.testing.assert_allclose(result.estimate, [-0.970964704263, -0.540792961849, -0.424207391511], rtol=1e-9)
    np.testing.assert_allclose(result.se, [0.275956102973, 0.281601613104, 0.359745232433], rtol=1e-9)
    np.testing.assert_allclose(result.tau2, [0.392528006901, 0.132577039878, 0.400345880175], rtol=1e-9)
    np.testing.assert_allclose(result.i2, [89.934315701, 82.022515567, 86.422119590], rtol=1e-9)
    assert result.q_between == pytest.approx(1.861444946155, rel=1e-9)
    assert result.q_between_p_value == pytest.approx(0.394268758886, rel=1e-9)
    assert result.tau2_common is None


def test_common_tau2_agrees_with_metafor(bcg: tuple, bcg_trials: pd.DataFrame) -> None:
    # R's metafor 3.8.1: rma(mods = ~ alloc), its omnibus test and coefficients.
    result = subgroup(*bcg, bcg_trials["alloc"], tau2="common")
    assert result.tau2_common == pytest.approx(0.361503664324, rel=1e-9)
    np.testing.assert_allclose(result.estimate, [-0.965774178546, -0.517955777155, -0.428917560924], rtol=1e-9)
    np.testing.assert_allclose(result.se, [0.267244094065, 0.441194460387, 0.344945367625], rtol=1e-9)
    assert result.q_between == pytest.approx(1.767511401932, rel=1e-9)
    assert result.q_between_p_value == pytest.approx(0.413228032757, rel=1e-9)


@pytest.mark.parametrize("method", ["EE", "DL", "REML"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20)
def test_a_common_tau2_is_a_regression_on_group_indicators(method: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    by = np.array([0, 0, 0, 1, 1, 1, 1])
    vi = generator.uniform(0.05, 1, 7)
    yi = generator.normal(by * 0.5, np.sqrt(vi + 0.2))
    groups, regression = subgroup(yi, vi, by, method, tau2="common"), meta_regression(yi, vi, {"g": by}, method, "z")
    assert groups.q_between == pytest.approx(regression.qm, rel=1e-7, abs=1e-9)
    assert groups.tau2_common == pytest.approx(regression.tau2, rel=1e-8, abs=1e-10)
    assert groups.estimate[1] - groups.estimate[0] == pytest.approx(regression.estimate[1], rel=1e-8, abs=1e-9)


def test_each_group_is_pooled_as_it_would_be_alone(bcg: tuple, bcg_trials: pd.DataFrame) -> None:
    yi, vi = bcg
    result = subgroup(yi, vi, bcg_trials["alloc"], "DL", "adhoc")
    for i, group in enumerate(result.groups):
        mine = (bcg_trials["alloc"] == group).to_numpy()
        alone = pool(yi[mine], vi[mine], "DL", "adhoc")
        assert result.ci_lower[i] == pytest.approx(alone.ci_lower, rel=1e-12)
        assert result.q[i] == pytest.approx(alone.q, rel=1e-12)


def test_equal_effects_q_splits_into_within_and_between(bcg: tuple, bcg_trials: pd.DataFrame) -> None:
    result = subgroup(*bcg, bcg_trials["alloc"], "EE")
    assert result.q.sum() + result.q_between == pytest.approx(pool(*bcg, "EE").q, rel=1e-10)


def test_a_group_of_one_study_has_no_tau2_of_its_own_and_says_so() -> None:
    result = subgroup([0.1, 0.3, 0.9], [0.1, 0.1, 0.2], ["a", "a", "b"])
    assert np.isnan(result.tau2[1])
    assert np.isfinite(result.tau2[0])
    assert any("one study only in b" in text for text in result.warnings)
    assert result.se[1] == pytest.approx(np.sqrt(0.2))


@pytest.mark.parametrize(
    ("by", "message"),
    [
        (["a", "a", "a"], "every study is 'a'"),
        (["a", "b"], "unequal lengths"),
        (["a", None, "b"], "by, row 2: no group"),
    ],
)
def test_bad_groups_are_refused(by: list, message: str) -> None:
    with pytest.raises(PasimetaError, match=message):
        subgroup([0.1, 0.3, 0.9], [0.1, 0.1, 0.2], by)


def test_a_common_tau2_needs_a_group_with_two_studies() -> None:
    with pytest.raises(PasimetaError, match="every group has one study"):
        subgroup([0.1, 0.3], [0.1, 0.1], ["a", "b"], tau2="common")
