"""The page on the threshold model's intervals says what the committed simulation found, and covers what it must."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def study(benchmark_study: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark_study("thresholds")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(ROOT / "benchmarks" / "results" / "thresholds.csv")


def test_page_is_made_from_the_committed_results(study: ModuleType, table: pd.DataFrame) -> None:
    assert (ROOT / "docs" / "thresholds_coverage.md").read_text(encoding="utf-8") == study.page(table)


def test_every_number_of_studies_and_size_of_study_was_simulated(table: pd.DataFrame) -> None:
    assert set(table["k"]) == {2, 3, 4, 5, 6}
    assert (table["n_least"].min(), table["n_most"].max()) == (3, 30)
    assert set(table["tau"]) == {0.0, 0.3, 0.6}
    assert table.groupby("method").size().nunique() == 1


def test_the_truth_is_recovered(table: pd.DataFrame) -> None:
    likely = table[table["method"] == "ML, profile"]
    assert (likely["converged"] == 1).all()
    assert likely["z75_error"].abs().max() < 0.02
    assert table["bias_points"].abs().max() < 5


def test_the_default_interval_is_nominal_on_average_and_a_few_points_short_at_worst(table: pd.DataFrame) -> None:
    bayes = table[table["method"].str.contains("Bayes")]
    error = np.sqrt(0.95 * 0.05 / bayes["reviews"])
    assert (bayes["coverage_50"] > 0.95 - 3 * error - 0.02).all()
    assert bayes["coverage_50"].mean() > 0.95 - 0.01


def test_a_scenario_repeats_whatever_the_number_of_processes(study: ModuleType) -> None:
    task = (6, 3, 2, (3, 10), 0.3, 0)
    first, second = study.scenario_rows(task), study.scenario_rows(task)
    assert first == second
    assert {row["method"] for row in first} == {study.ML, study.BAYES}
