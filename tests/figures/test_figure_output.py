"""Files repeat byte for byte, carry their words, and can stand side by side in one page."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from figure_checks import rate
from matplotlib.figure import Figure
from PIL import Image

from pasimeta.errors import PasimetaError
from pasimeta.figures.forest import PooledRow, StudyRow, forest
from pasimeta.figures.output import Plot, png_bytes, save, show, svg_text

SVG = "{http://www.w3.org/2000/svg}"

FRESH_PROCESS = """
import hashlib
from pasimeta.figures.estimates import Rate
from pasimeta.figures.forest import PooledRow, StudyRow, forest
from pasimeta.figures.output import png_bytes, svg_text
cheng = Rate(events_lower=6, events_upper=8, n=17, ci_lower=0.142, ci_upper=0.722)
plot = forest([StudyRow("Cheng 2022 & co", cheng), PooledRow("Pooled", cheng)], name="fresh", axis_label="Response")
print(hashlib.sha256(svg_text(plot).encode() + png_bytes(plot)).hexdigest())
"""


def example(name: str = "example") -> Plot:
    rows = [StudyRow('Cheng "2022" <a> & $b$', rate(6, 8, 17)), PooledRow("Pooled", rate(8, 8, 24))]
    return forest(rows, name=name, axis_label="Response", title="PASI 50 response")


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What a notebook was asked to display."""
    calls: list[dict[str, object]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **keywords: calls.append({"data": data, **keywords}))
    return calls


def test_both_files_are_the_same_bytes_twice(tmp_path: Path) -> None:
    first, second = save(example(), tmp_path / "one"), save(example(), tmp_path / "two")
    assert [path.name for path in first] == ["example.svg", "example.png"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes()
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["example.png", "example.svg"]


def test_showing_leaves_the_figure_as_it_was(displayed: list[dict[str, object]]) -> None:
    plot = example()
    before = svg_text(plot)
    show(plot)
    assert displayed
    assert svg_text(plot) == before


def test_fresh_processes_with_different_hash_seeds_agree() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", FRESH_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_readers_own_settings_change_nothing() -> None:
    plain = svg_text(example())
    with mpl.rc_context({"font.size": 20, "axes.grid": True, "lines.linewidth": 9, "svg.fonttype": "path"}):
        assert svg_text(example()) == plain
        assert mpl.rcParams["font.size"] == 20


def test_svg_carries_its_words_and_no_date() -> None:
    plot = example()
    root = ET.fromstring(svg_text(plot))
    assert root.get("role") == "img"
    assert root.get("aria-label") == plot.alt
    assert root.findtext(f"{SVG}title") == "PASI 50 response"
    assert root.findtext(f"{SVG}desc") == plot.alt
    assert 'Cheng "2022" <a> & $b$' in {text.text for text in root.iter(f"{SVG}text")}
    assert "metadata" not in svg_text(plot)
    assert not re.search(r"20\d\d-\d\d-\d\d", svg_text(plot))


def test_ids_and_styles_of_two_figures_in_one_page_do_not_clash() -> None:
    first, second = svg_text(example("first")), svg_text(example("second"))
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (first, second)]
    assert ids[0].isdisjoint(ids[1])
    assert len(re.findall(r'\bid="', first)) == len(ids[0])
    targets = set(re.findall(r'(?:href="#|url\(#)([^")]+)', first))
    assert targets
    assert targets <= ids[0]
    assert not re.search(r"[>}\s]\*\s*\{", first.replace("#first *", ""))


def test_png_has_the_size_in_millimetres_at_300_dpi(tmp_path: Path) -> None:
    _, png = save(example(), tmp_path)
    with Image.open(png) as image:
        assert image.width / 300 * 25.4 == pytest.approx(176, abs=0.1)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.info["Description"] == example().alt
        assert "Software" not in image.info


def test_show_displays_svg_with_its_alternative_text_and_returns_nothing(displayed: list[dict[str, object]]) -> None:
    plot = example()
    assert show(plot) is None
    (call,) = displayed
    assert call["data"] == {"image/svg+xml": svg_text(plot), "text/plain": plot.alt}
    assert call["metadata"] == {"image/svg+xml": {"alt": plot.alt}}
    assert call["raw"] is True


def test_figures_leave_no_pyplot_state() -> None:
    code = "import sys; from pasimeta.figures import forest, dose, flow, subgroup, threshold, output; "
    code += "sys.exit(bool({'matplotlib.pyplot', 'seaborn', 'scipy.stats', 'IPython'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_write_that_fails_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    svg, png = save(example(), tmp_path)
    digest = hashlib.sha256(svg.read_bytes() + png.read_bytes()).hexdigest()

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        save(forest([StudyRow("Other", rate(1, 1, 3))], name="example", axis_label="Other"), tmp_path)
    assert hashlib.sha256(svg.read_bytes() + png.read_bytes()).hexdigest() == digest
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["", "1st", "a b", "a/b", "ä", "a.b"])
def test_names_that_cannot_be_ids_are_refused(name: str) -> None:
    with pytest.raises(PasimetaError, match="figure name"):
        Plot(figure=Figure(), name=name, alt="words", data=pd.DataFrame())


def test_a_figure_without_words_is_refused() -> None:
    with pytest.raises(PasimetaError, match="no alternative text"):
        Plot(figure=Figure(), name="mute", alt=" ", data=pd.DataFrame())


def test_png_is_the_same_bytes_twice() -> None:
    assert png_bytes(example()) == png_bytes(example())


@pytest.mark.parametrize("dpi", [72, 100])
def test_png_is_made_at_300_dots_an_inch_whatever_the_figure_was_made_for(dpi: int) -> None:
    figure = Figure(figsize=(2.0, 1.0), dpi=dpi)
    figure.subplots().plot([0, 1])
    with Image.open(BytesIO(png_bytes(Plot(figure=figure, name="small", alt="A line.", data=pd.DataFrame())))) as image:
        assert image.size == (600, 300)
    assert figure.dpi == dpi
