"""The sign-flip test: all patterns where they are few, a seeded sample where they are many."""

from itertools import product

import numpy as np
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.robustness import permutation
from pasimeta.synthesis import pool

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


@pytest.mark.parametrize("test", ["z", "knha", "adhoc"])
@pytest.mark.parametrize("method", ["DL", "REML"])
def test_the_p_value_counts_every_sign_pattern(bcg: tuple, method: str, test: str) -> None:
    yi, vi = bcg[0][6:12], bcg[1][6:12]
    result = permutation(yi, vi, method, test)
    observed = abs(pool(yi, vi, method, test).statistic)
    flipped = [abs(pool(yi * signs, vi, method, test).statistic) for signs in product([1, -1], repeat=6)]
    assert result.p_value == np.mean(np.array(flipped) >= observed * (1 - 1e-9))
    assert (result.permutations, result.exact) == (64, True)


@pytest.mark.parametrize("test", ["z", "knha"])
def test_eight_trials_agree_with_metafor(bcg: tuple, test: str) -> None:
    # R's metafor 3.8.1, permutest(exact = TRUE) of the first 8 trials: 4 of 256 patterns.
    assert permutation(bcg[0][:8], bcg[1][:8], test=test).p_value == 0.015625


def test_a_sample_repeats_with_its_seed_and_comes_near_the_exact_value(bcg: tuple) -> None:
    exact = permutation(*bcg)
    drawn = [permutation(*bcg, permutations=4000, seed=seed) for seed in (1, 1)]
    assert not drawn[0].exact
    assert drawn[0].p_value == drawn[1].p_value
    assert drawn[0].p_value == pytest.approx(exact.p_value, abs=0.003)
    assert drawn[0].p_value >= 1 / 4000


def test_few_studies_cant_reach_significance_and_say_so() -> None:
    result = permutation([1.0, 1.1, 0.9], [0.01, 0.01, 0.01])
    assert result.p_value == result.smallest_p_value == 0.25
    assert any("below 0.25" in text for text in result.warnings)


def test_too_little_is_refused() -> None:
    with pytest.raises(PasimetaError, match="at least 2"):
        permutation([1.0], [0.1])
    with pytest.raises(PasimetaError, match="permutations: 1 is too few"):
        permutation([1.0, 2.0], [0.1, 0.1], permutations=1)
