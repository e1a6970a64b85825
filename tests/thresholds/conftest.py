"""Thresholds tests warn on purpose: few studies, boundaries."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from threshold_data import psoriasis_network, small_review, spaced_arms


@pytest.fixture
def network() -> pd.DataFrame:
    return psoriasis_network()


@pytest.fixture
def review() -> pd.DataFrame:
    return small_review()


@pytest.fixture
def arms() -> pd.DataFrame:
    return spaced_arms()
