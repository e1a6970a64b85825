"""GOSH: every subset once, each the pooling of its own studies."""

from itertools import combinations

import numpy as np
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.robustness import gosh
from pasimeta.synthesis import pool

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


@pytest.mark.parametrize("method", ["EE", "DL", "REML", "PM"])
def test_every_subset_is_the_pooling_of_its_studies(bcg: tuple, method: str) -> None:
    yi, vi = bcg[0][:5], bcg[1][:5]
    table = gosh(yi, vi, method).set_index("subset")
    assert len(table) == 31
    for size in range(2, 6):
        for members in combinations(range(5), size):
            chosen = list(members)
            row, alone = table.loc[sum(1 << i for i in chosen)], pool(yi[chosen], vi[chosen], method)
            assert row["k"] == size
            assert row["estimate"] == pytest.approx(alone.estimate, rel=1e-10)
            assert row["tau2"] == pytest.approx(alone.tau2, rel=1e-10)
            assert row["i2"] == pytest.approx(alone.i2, rel=1e-10)


def test_six_trials_agree_with_metafor(bcg: tuple) -> None:
    # R's metafor 3.8.1, gosh of the first 6 trials, threshold 1e-14: quartiles and mean of the estimates.
    table = gosh(bcg[0][:6], bcg[1][:6])
    assert len(table) == 63
    quantiles = table["estimate"].quantile([0, 0.25, 0.5, 0.75, 1]).tolist()
    expected = [-1.5853886572, -1.1582141423, -0.9720799318, -0.8334848399, -0.2175473222]
    np.testing.assert_allclose(quantiles, expected, rtol=1e-9)
    assert table["estimate"].mean() == pytest.approx(-1.0030628288, rel=1e-9)
    assert table["i2"].mean() == pytest.approx(51.5841, abs=5e-5)


def test_single_studies_are_included_without_heterogeneity(bcg: tuple) -> None:
    table = gosh(*bcg)
    single = table[table["k"] == 1]
    np.testing.assert_allclose(np.sort(single["estimate"]), np.sort(bcg[0]))
    assert (single[["tau2", "i2"]] == 0).all(axis=None)


def test_chunks_of_subsets_are_joined_in_order(bcg: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    whole = gosh(bcg[0][:7], bcg[1][:7])
    monkeypatch.setattr(sys.modules["pasimeta.robustness.gosh"], "_CHUNK", 10)
    chunked = gosh(bcg[0][:7], bcg[1][:7])
    np.testing.assert_allclose(chunked, whole, rtol=1e-12)


def test_a_sample_repeats_with_its_seed_and_holds_valid_subsets(bcg: tuple) -> None:
    first, again, other = (gosh(*bcg, subsets=500, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first["subset"].equals(other["subset"])
    everything = gosh(*bcg).set_index("subset")
    np.testing.assert_allclose(first["estimate"], everything.loc[first["subset"], "estimate"], rtol=1e-10)
    assert len(gosh(*bcg, subsets=10**6)) == 2**13 - 1


@pytest.mark.parametrize(
    ("k", "options", "message"),
    [
        (25, {}, "give subsets=1_000_000"),
        (64, {"subsets": 10}, "at most 63"),
        (3, {"subsets": 0}, "subsets: 0 is none"),
    ],
)
def test_what_cant_be_enumerated_is_refused(k: int, options: dict, message: str) -> None:
    with pytest.raises(PasimetaError, match=message):
        gosh(np.zeros(k), np.ones(k), **options)


def test_many_studies_can_be_sampled() -> None:
    generator = np.random.default_rng(0)
    table = gosh(generator.normal(size=40), generator.uniform(0.1, 1, 40), "DL", subsets=200)
    assert len(table) == 200
    assert table["k"].between(1, 40).all()
