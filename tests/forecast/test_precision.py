"""The interval after the trial is the pool of what there is with every result it may have."""

import numpy as np
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.forecast import beta_belief, precision_after
from pasimeta.synthesis import pool_binomial

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


def test_every_outcome_is_pooled_as_if_it_were_data():
    belief = beta_belief(7, 12)
    result = precision_after([6, 2], [17, 7], 12, belief)
    for x in (0, 5, 12):
        alone = pool_binomial([6, 2, x], [17, 7, 12])
        assert result.lower[x] == pytest.approx(alone.response_ci_lower, abs=1e-7)
        assert result.upper[x] == pytest.approx(alone.response_ci_upper, abs=1e-7)
    before = pool_binomial([6, 2], [17, 7])
    assert result.width_before == pytest.approx(before.response_ci_upper - before.response_ci_lower, abs=1e-9)
    widths = result.upper - result.lower
    assert result.width_expected == pytest.approx(belief.counts(12) @ widths, abs=1e-12)
    assert result.width_lower <= result.width_expected <= result.width_upper


def test_under_one_rate_for_all_more_patients_narrow_it():
    belief = beta_belief(7, 12)
    widths = [precision_after([6], [17], n, belief, model="common").width_expected for n in (5, 20, 80)]
    assert np.all(np.diff(widths) < 0)


def test_without_earlier_studies_there_is_no_width_before():
    result = precision_after([], [], 10, beta_belief(1, 1))
    assert result.width_before is None
    assert len(result.outcomes()) == 11


def test_no_new_patients_are_refused():
    with pytest.raises(PasimetaError, match="new_n: 0"):
        precision_after([6], [17], 0, beta_belief(1, 1))
