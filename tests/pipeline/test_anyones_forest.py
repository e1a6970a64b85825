"""``pasimeta pool --forest``: the studies of any table, drawn with the numbers that were printed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pasimeta.cli import app
from pasimeta.errors import PasimetaError
from pasimeta.pipeline.anyones_forest import study_forest
from pasimeta.pipeline.anyones_table import pool_table, read_study_table

RATES = "study,events,n\nCheng 2022,6,17\nYao 2021,2,7\n"
TWO_ARM = "study,events1,n1,events2,n2\nAronson 1948,4,123,11,139\nFerguson 1949,6,306,29,303\n"
EFFECTS = "yi,vi\n0.1,0.04\n-0.3,0.09\n0.2,0.01\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "options"),
    [(RATES, {}), (TWO_ARM, {"measure": "RR"}), (TWO_ARM, {"measure": "RD"}), (EFFECTS, {})],
)
def test_the_diamond_is_the_result(tmp_path: Path, text: str, options: dict[str, str]) -> None:
    table = read_study_table(written(tmp_path, text))
    result = pool_table(table, **options)
    data = study_forest(table, result, "house", 176, "figure").data
    pooled = data[data["kind"] == "pooled"].iloc[0]
    value = result.estimate if result.response_estimate is None else result.response_estimate
    assert pooled["low"] == pytest.approx(value, rel=1e-12)
    assert list(data[data["kind"] == "study"]["label"]) == table.studies


def test_a_study_keeps_its_own_interval(tmp_path: Path) -> None:
    table = read_study_table(written(tmp_path, TWO_ARM))
    data = study_forest(table, pool_table(table, measure="RR"), "bmj", 176, "figure").data
    # Colditz GA, et al. JAMA 1994;271:698-702: Aronson 0.41 (0.13 to 1.26)
    first = data.iloc[0]
    assert (round(first["low"], 2), round(first["ci_lower"], 2), round(first["ci_upper"], 2)) == (0.41, 0.13, 1.26)


def test_the_command_writes_both_files(tmp_path: Path) -> None:
    figure = tmp_path / "forest.svg"
    asked = ["pool", str(written(tmp_path, RATES)), "--forest", str(figure), "--preset", "lancet", "--width", "85"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert "Yao 2021" in figure.read_text()
    assert figure.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_an_estimate_without_end_is_refused(tmp_path: Path) -> None:
    table = read_study_table(written(tmp_path, "events,n\n0,7\n0,17\n"))
    result = pool_table(table)
    assert study_forest(table, result, "house", 176, "figure").data is not None  # as a rate it has an end
    effects = read_study_table(written(tmp_path, "yi,vi\n900,0.1\n901,0.1\n"))
    endless = replace(pool_table(effects), ci_upper=float("inf"))
    with pytest.raises(PasimetaError, match="no finite estimate"):
        study_forest(effects, endless, "house", 176, "figure")
