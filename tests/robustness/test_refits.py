"""Leave-one-out, cumulative and influence: each row is the refit it claims to be."""

import numpy as np
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.robustness import cumulative, influence, leave_one_out
from pasimeta.synthesis import pool

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

#: R's metafor 3.8.1, influence(rma(...)) of the BCG trials 1, 4 and 8, threshold 1e-14.
INFLUENCE = {
    "rstudent": (-0.2181424857, -1.4512006643, 1.4500805246),
    "dffits": (-0.0407075475, -0.5200509885, 0.4774600074),
    "cook_distance": (0.0017165413, 0.2294816391, 0.1991775917),
    "covariance_ratio": (1.1164489861, 0.9651264851, 1.0010701389),
    "tau2_deleted": (0.3361567018, 0.2627581481, 0.2731829294),
    "q_deleted": (151.5825727471, 96.5625949714, 67.9858114991),
    "hat": (0.0505948273, 0.0969874702, 0.1018943904),
    "weight": (5.0594827344, 9.6987470189, 10.1894390371),
    "dfbetas": (-0.0402658892, -0.5138133873, 0.4713738837),
}
#: The same with test = "knha", trials 1 to 3.
INFLUENCE_KNHA = {
    "rstudent": (-0.21359785, -1.28682964, -0.74276412),
    "dffits": (-0.039859474, -0.342268313, -0.157821190),
    "cook_distance": (0.0016974116, 0.1119876043, 0.0256907965),
    "covariance_ratio": (1.1514857, 1.0066507, 1.0893444),
    "dfbetas": (-0.039427016, -0.344534179, -0.157126150),
}


@pytest.mark.parametrize("method", ["EE", "DL", "REML", "PM"])
@pytest.mark.parametrize("test", ["z", "adhoc"])
def test_each_study_left_out_is_a_pooling_of_the_rest(bcg: tuple, method: str, test: str) -> None:
    yi, vi = bcg
    table = leave_one_out(yi, vi, method, test)
    for i in range(13):
        alone = pool(np.delete(yi, i), np.delete(vi, i), method, test)
        for name in ("estimate", "se", "ci_lower", "p_value", "tau2", "i2", "h2", "q"):
            assert table.loc[i, name] == pytest.approx(getattr(alone, name), rel=1e-10), name


def test_rows_carry_the_studies_names(bcg: tuple) -> None:
    names = [f"trial {i}" for i in range(13)]
    assert leave_one_out(*bcg, labels=names)["omitted"].tolist() == names
    assert cumulative(*bcg, labels=names)["added"].tolist() == names
    with pytest.raises(PasimetaError, match="labels and yi have unequal lengths"):
        leave_one_out(*bcg, labels=names[1:])


def test_the_last_cumulative_step_is_the_whole_analysis_and_the_first_one_study(bcg: tuple) -> None:
    yi, vi = bcg
    year = np.array([1948, 1949, 1960, 1977, 1973, 1953, 1973, 1980, 1968, 1961, 1974, 1969, 1976])
    table = cumulative(yi, vi, order=year)
    assert table["added"].tolist()[:3] == [1, 2, 6]
    assert table["k"].tolist() == list(range(1, 14))
    assert table.loc[0, "estimate"] == pytest.approx(yi[0])
    assert np.isnan(table.loc[0, "tau2"])
    assert table.loc[12, "estimate"] == pytest.approx(pool(yi, vi).estimate, rel=1e-10)
    # R's metafor 3.8.1, cumul(order = year), step 7.
    assert table.loc[6, "estimate"] == pytest.approx(-0.9013, abs=5e-5)
    assert table.loc[6, "tau2"] == pytest.approx(0.1205, abs=5e-5)


@pytest.mark.parametrize("name", INFLUENCE)
def test_influence_agrees_with_metafor(bcg: tuple, name: str) -> None:
    np.testing.assert_allclose(influence(*bcg, test="z")[name][[0, 3, 7]], INFLUENCE[name], rtol=1e-7)


@pytest.mark.parametrize("name", INFLUENCE_KNHA)
def test_influence_under_knapp_hartung_agrees_with_metafor(bcg: tuple, name: str) -> None:
    np.testing.assert_allclose(influence(*bcg, test="knha")[name][:3], INFLUENCE_KNHA[name], rtol=1e-6)


def test_an_outlier_is_flagged_and_its_neighbours_are_not() -> None:
    yi, vi = [0.1, 0.2, 0.0, 0.15, 0.05, 0.1, 0.12, 1.0], [0.04] * 8
    assert influence(yi, vi, "EE", "z")["influential"].tolist() == [False] * 7 + [True]


@pytest.mark.parametrize(("function", "least"), [(leave_one_out, 2), (influence, 3)])
def test_too_few_studies_are_refused(function: object, least: int) -> None:
    with pytest.raises(PasimetaError, match=f"at least {least}"):
        function([0.1] * (least - 1), [0.1] * (least - 1))


def test_two_data_sets_at_once_are_refused(bcg: tuple) -> None:
    with pytest.raises(PasimetaError, match="isn't one data set"):
        leave_one_out(np.ones((3, 2)), np.ones((3, 2)))
