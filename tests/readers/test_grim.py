"""Which counts a rounded percentage admits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.errors import PasimetaError
from pasimeta.evidence.grim import compatible_counts, rounded_percent


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(0, 3))
def test_the_count_itself_always_fits_its_percentage(pair: tuple[int, int], decimals: int) -> None:
    events, n = pair
    assert events in compatible_counts(rounded_percent(events, n, decimals), n)


@given(st.decimals(0, 100, places=1), st.integers(1, 300))
def test_counts_are_those_within_half_a_digit(percent: object, n: int) -> None:
    # brute force over all counts, in integers: |1000 events - 10 percent n| <= n / 2
    tenths = int(float(str(percent)) * 10 + 0.5)
    expected = tuple(k for k in range(n + 1) if abs(2000 * k - 2 * tenths * n) <= n)
    assert compatible_counts(f"{tenths // 10}.{tenths % 10}", n) == expected


def test_known_percentages() -> None:
    assert compatible_counts("47.1", 17) == (8,)
    assert compatible_counts("35.3 %", 17) == (6,)
    assert compatible_counts("7.1", 17) == ()
    assert compatible_counts("50", 200) == (99, 100, 101)


@pytest.mark.parametrize(("percent", "n"), [("about half", 17), ("47.1", 0), ("9" * 5000, 17)])
def test_nonsense_is_refused(percent: str, n: int) -> None:
    with pytest.raises(PasimetaError):
        compatible_counts(percent, n)
