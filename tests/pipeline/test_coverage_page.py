"""The coverage page says what the committed simulation found, and the default follows from it."""

from pathlib import Path

import pandas as pd
import pytest

from pasimeta.pipeline.sections import Parameters

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def coverage(benchmark_study):
    return benchmark_study("coverage")


@pytest.fixture(scope="module")
def table():
    return pd.read_csv(ROOT / "benchmarks" / "results" / "coverage.csv")


def test_page_is_made_from_the_committed_results(coverage, table):
    assert (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8") == coverage.page(table)


def test_default_model_is_the_recommended_one(coverage, table):
    recommended = coverage.recommendation(coverage.summary(table))
    assert recommended == "binomial-normal, profile"
    assert Parameters().pooling.model == "binomial_normal"


def test_the_rule_prefers_the_narrowest_of_those_that_cover(coverage):
    overview = pd.DataFrame(
        {"mean": [0.95, 0.96, 0.99, 0.5], "at least 90 %": [0.95, 1.0, 1.0, 0.1], "width": [0.3, 0.25, 0.2, 0.01]},
        index=["wide", "narrow", "narrowest, Bayes", "wrong"],
    )
    assert coverage.recommendation(overview) == "narrow"
    assert coverage.recommendation(overview.loc[["wrong"]]) == "wrong"
