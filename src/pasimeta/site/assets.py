"""Style, scripts and type: everything a page loads, from its own folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from pasimeta.pipeline.files import write_text

ASSETS = Path(__file__).parent / "assets"
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")


def write_assets(folder: Path) -> None:
    """Copy ``assets/`` and the figures' typeface, and write the colours of code."""
    import matplotlib

    shutil.copytree(ASSETS, folder)
    write_text(folder / "code.css", _code_colours())
    for font in FONTS:
        shutil.copyfile(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / font, folder / font)


def _code_colours() -> str:
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark")
    by_system = dark.get_style_defs(':root:not([data-theme="light"]) .highlight')
    by_choice = dark.get_style_defs(':root[data-theme="dark"] .highlight')
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{by_system}\n}}\n{by_choice}\n"
