"""The page on type I error and power says what the committed table holds, and its promises are kept."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, fisher_exact

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def study(benchmark_study):
    return benchmark_study("moderators")


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(ROOT / "benchmarks" / "results" / "moderators.csv")


def test_page_is_made_from_the_committed_results(study, table):
    assert (ROOT / "docs" / "moderators.md").read_text(encoding="utf-8") == study.page(table)


def test_simulation_agrees_with_enumeration(study, table):
    both = table.dropna(subset=["simulated"])
    error = np.sqrt(both["exact"] * (1 - both["exact"]) / study.DRAWS)
    assert len(both) > 20
    assert ((both["simulated"] - both["exact"]).abs() < 4.5 * error).all()


def test_tests_called_exact_never_err_above_their_level(table):
    errors = table[table["quantity"] == "type I error"].groupby("what")["exact"].max()
    assert (errors[["sex, fisher", "trend, exact"]] <= 0.05).all()
    misses = table[table["quantity"] == "miss"].groupby("what")["exact"].max()
    guaranteed = [name for name in misses.index if name.endswith((" conditional", " barnard", " boschloo"))]
    assert len(guaranteed) == 5
    assert (misses[guaranteed] <= 0.05).all()


def test_fishers_power_is_a_sum_over_tables(table):
    powers = table[(table["what"] == "sex, fisher") & (table["scenario"] == "0.667 against 0.25")]
    by_hand = sum(
        binom.pmf(x, 9, 0.667) * binom.pmf(y, 8, 0.25)
        for x in range(10)
        for y in range(9)
        if fisher_exact([[x, 9 - x], [y, 8 - y]]).pvalue <= 0.05
    )
    assert powers["exact"].item() == pytest.approx(by_hand, abs=1e-5)


def test_one_intercept_for_all_errs_more_the_more_the_studies_differ(table):
    errors = table[table["what"].str.startswith("one-stage")].pivot(index="what", columns="scenario", values="exact")
    common, within = errors.loc["one-stage, common intercepts"], errors.loc["one-stage, study intercepts"]
    assert common["0.6 and 0.1"] > common["0.5 and 0.2"] > common["0.4 and 0.4"]
    assert within.max() < common.max()
