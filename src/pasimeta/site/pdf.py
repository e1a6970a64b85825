"""The report for print: the answer, its figures and tables, and what it was made from, as one PDF set by Typst."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from pasimeta.site.page import Context
from pasimeta.site.report import report_content
from pasimeta.site.shell import TEMPLATES

FILE = "report.pdf"


def write_report(context: Context, folder: Path) -> None:
    """Write ``report.pdf``; nothing if the summary hasn't been made.

    The same results give the same bytes: the date is that of the evidence, and the fonts are the figures' and Typst's
    own, never this machine's.
    """
    content = report_content(context)
    if content is not None:
        (folder / FILE).write_bytes(typeset(content, context.results, context.evidence.search.date))


def typeset(content: dict[str, Any], results: Path, date: datetime.date) -> bytes:
    """Return the report as an accessible PDF (PDF/UA-1).

    Parameters
    ----------
    content : dict
        What ``report.typ`` shows, JSON-able.
    results : path
        Folder under which the pictures' paths are looked up.
    date : date
        The document's.
    """
    import matplotlib
    import typst

    compiler = typst.Compiler(
        root=results,
        font_paths=[Path(matplotlib.get_data_path()) / "fonts" / "ttf"],
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(content, ensure_ascii=False)},
    )
    midnight = datetime.datetime.combine(date, datetime.time(), datetime.UTC)
    template = (TEMPLATES / "report.typ").read_bytes()
    made = compiler.compile(template, format="pdf", timestamp=midnight, pdf_standards="ua-1")
    assert isinstance(made, bytes)
    return made
