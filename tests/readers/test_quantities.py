"""The same amount in any spelling is the same number."""

from __future__ import annotations

import pytest

from pasimeta.evidence.readers.quantities import amounts
from pasimeta.evidence.readers.source import Source
from pasimeta.evidence.readers.tokens import tokens


def read(text: str) -> list[tuple[float, float, str | None]]:
    """Return (low, high, unit) of the amounts in a line."""
    return [(*amount.bounds, amount.unit) for amount in amounts(tokens(Source(text).lines()[0]))]


@pytest.mark.parametrize(
    "spelling",
    [
        r"1.5x10\^6 cells/kg",
        "1.5 × 10^6/kg",
        "1.5 x 10⁶ cells/kg",
        "1.5×10⁶ UC-MSCs per kilogram of body weight",
        "1.5 million cells/kg",
        "1,500,000 cells per kg",
        "1.5e6 cells/kg",
        "1.5 * 10 ^ 6 MSCs/kg",
        "1.5x106 cells/kg",
        "1.5 X 10E6 cells/kg",
        "1,5 x 10^6 cells/kg",
        "１．５×１０⁶／ｋｇ",
        "1.5×10(6) cells/kg",
        "1.5 × 10^6 cells kg^-1",
        "1.5 &times; 10^6 cells/kg",
        "1.5M cells/kg",
    ],
)
def test_one_amount_in_many_spellings(spelling: str) -> None:
    assert read(f"Patients get {spelling} of body weight") == [(1.5e6, 1.5e6, "cells_per_kg")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1–3 x 10^6 cells/kg", [(1e6, 3e6, "cells_per_kg")]),
        ("1x10^6 to 3x10^6 cells/kg", [(1e6, 3e6, "cells_per_kg")]),
        ("5x10^5 - 2x10^6 cells/kg", [(5e5, 2e6, "cells_per_kg")]),
        ("2 × 10^6 cells/cm2", [(2e6, 2e6, "cells_per_cm2")]),
        ("10^6 cells per square centimeter", [(1e6, 1e6, "cells_per_cm2")]),
        ("6×10^7 cells", [(6e7, 6e7, "total_cells")]),
        ("40 million MSCs per patient", [(4e7, 4e7, "total_cells")]),
        ("cell numbers as high as 1.1×10^8 were given", [(1.1e8, 1.1e8, "total_cells")]),
        ("7.5-20mg weekly", [(7.5, 20, "mg")]),
        ("10 to 25 mg/week", [(10, 25, "mg")]),
    ],
)
def test_ranges_and_units(text: str, expected: list[tuple[float, float, str]]) -> None:
    assert read(text) == expected


def test_members_of_a_list_share_power_and_unit() -> None:
    per_kg = [(dose, dose, "cells_per_kg") for dose in (1e6, 2e6, 3e6)]
    assert read("1, 2 and 3 × 10^6 cells/kg") == per_kg
    assert read("1×10^6, 2×10^6 or 3×10^6 cells/kg") == per_kg
    assert read("(1.0/2.0/3.0 × 10^6/kg)") == per_kg


def test_powers_of_ten_are_exact() -> None:
    # 2.4 * 10**8 in binary is 240000000.00000003 on some paths
    assert read("2.4×10^8 cells") == [(240000000.0, 240000000.0, "total_cells")]


@pytest.mark.parametrize("text", ["Platelets below 75.0*10^9/L", "0.5 mg/kg", "creatinine above 2 mg/dL"])
def test_laboratory_values_are_no_doses(text: str) -> None:
    assert [unit for _, _, unit in read(text)] == ["other"]


@pytest.mark.parametrize("text", ["from 18 to 65 years", "at weeks 4, 8 and 12", "PASI 75", "in 2021, 17 patients"])
def test_plain_numbers_are_no_amounts(text: str) -> None:
    assert read(text) == []
