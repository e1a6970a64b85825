"""What the printed report says: its parts, in order, from tables of results."""

from __future__ import annotations

from functools import cache
from typing import Any

import mistune
import pandas as pd

from pasimeta import __version__
from pasimeta.report.words import count_range, percent, percent_range
from pasimeta.site.formulas import DISPLAY
from pasimeta.site.gallery import Picture, pictures
from pasimeta.site.methods import method_texts
from pasimeta.site.page import Context
from pasimeta.site.reproducibility import made, parameters

TITLE = "Mesenchymal stromal cells for plaque psoriasis"
# the figures that stand with each statement of the summary
FIGURES = {
    "response": ("response_forest", "response_curve"),
    "certainty": ("risk_of_bias",),
    "missing": ("prisma_flow",),
    "missing_evidence": ("tipping_75",),
    "safety": ("safety_forest",),
    "sex": ("sex_subgroup_1",),
    "dose": ("dose_cumulative",),
    "robustness": ("specification_curve_75",),
    "change": ("assurance",),
}
TALLEST = 1.35  # heights of the text's width that a figure may take
IN_BRIEF = ("binomial-normal", "interval-counts", "prediction", "thresholds", "rare-events", "exact-tests", "grade")

Part = dict[str, Any]


def report_content(context: Context) -> dict[str, Any] | None:
    """Return everything the report shows, JSON-able; None if the summary hasn't been made."""
    summary = context.table("summary")
    if summary is None:
        return None
    date = context.evidence.search.date
    statements = [_statement(row, context) for row in summary.iloc[1:].itertuples()]
    return {
        "title": TITLE,
        "author": "The pasimeta maintainers",
        "keywords": ["meta-analysis", "psoriasis", "mesenchymal stromal cells", "PASI"],
        "subtitle": f"A living meta-analysis. Evidence as of {date:%d %B %Y}. Made by pasimeta {__version__}; "
        "research software, not medical advice.",
        "footer": f"pasimeta {__version__}, evidence as of {date.isoformat()}",
        "lead": parsed(str(summary.iloc[0]["text"])),
        "parts": [
            {"level": 1, "heading": "The numbers", "tables": [t for t in (_rates(context), _studies(context)) if t]},
            *statements,
            *_methods(),
            *_provenance(context),
        ],
    }


def parsed(text: str, *, formulas: bool = False) -> list[dict[str, Any]]:
    """Return Markdown as a tree of tokens; ``$`` is a dollar unless ``formulas`` are asked for."""
    if formulas:
        text = DISPLAY.sub(lambda found: f"\n\n$$\n{' '.join(found[1].split())}\n$$\n\n", text)
    tokens, _ = _parser(formulas).parse(text)
    assert isinstance(tokens, list)
    return tokens


@cache
def _parser(formulas: bool) -> mistune.Markdown:
    return mistune.create_markdown(renderer=None, plugins=["math"] if formulas else [])


def _statement(row: Any, context: Context) -> Part:
    drawn = {picture.name: picture for _, _, group in pictures(context) for picture in group}
    found = [_picture(drawn[name]) for name in FIGURES.get(row.key, ()) if name in drawn]
    return {"level": 1, "heading": row.heading, "text": parsed(str(row.text)), "pictures": found}


def _picture(picture: Picture) -> dict[str, Any]:
    share = min(1.0, TALLEST * picture.width / picture.height)
    return {"path": f"/figures/{picture.name}.svg", "words": picture.words, "caption": picture.title, "share": share}


def _rates(context: Context) -> dict[str, Any] | None:
    pooled, grades = context.table("pooled"), context.table("grade_findings")
    if pooled is None:
        return None
    certainty = {} if grades is None else {g.outcome: f"{g.symbol} {g.certainty}" for g in grades.itertuples()}
    level = context.record.parameters.get("common", {}).get("level", 0.95)
    rows = [
        [
            f"PASI{row.threshold}",
            str(row.k),
            f"{count_range(row.events_lower, row.events_upper)} of {row.n}",
            percent_range(row.estimate_lower, row.estimate_upper),
            percent_range(row.ci_lower, row.ci_upper),
            "–" if pd.isna(row.pi_lower) else percent_range(row.pi_lower, row.pi_upper),
            certainty.get(f"PASI{row.threshold}", "–"),
        ]
        for row in pooled.itertuples()
    ]
    columns = [
        "Improved by at least",
        "Studies",
        "Patients",
        "Rate",
        "Interval",
        "A new study's rate",
        "Certainty (GRADE)",
    ]
    caption = f"Response to culture-expanded cells, {percent(level)} intervals. One study is not a pool."
    return _table(caption, columns, rows, widths=[1.2, 0.7, 1, 1, 1, 1.2, 1.4], numeric=())


def _studies(context: Context) -> dict[str, Any] | None:
    table = context.table("characteristics")
    if table is None:
        return None
    reported = table[table["status"] == "reported"]
    rows = [
        [
            row.label,
            _words(row.country),
            _words(row.design),
            _words(row.product_class),
            "–" if pd.isna(row.enrolled) else f"{row.enrolled:.0f}",
            "yes" if row.included else f"no: {row.reason}",
        ]
        for row in reported.itertuples()
    ]
    columns = ["Study", "Country", "Design", "Product", "Patients", "Analysed"]
    return _table("Published reports", columns, rows, widths=[1.3, 1, 1, 1.2, 0.7, 2], numeric=(4,))


def _methods() -> list[Part]:
    texts = method_texts()
    parts = [
        {"level": 2, "heading": texts[key][0], "text": parsed(texts[key][1], formulas=True)}
        for key in IN_BRIEF
        if key in texts
    ]
    return [{"level": 1, "heading": "Methods in brief"}, *parts]


def _provenance(context: Context) -> list[Part]:
    rows = [
        [heading, row.name, row.value, "" if row.is_default else "changed"]
        for heading, section in parameters(context.record.parameters)
        for row in section
    ]
    changed = _table(
        "Parameters of this run",
        ["Section", "Parameter", "Value", "Default"],
        rows,
        widths=[2, 1.4, 1.6, 0.6],
        numeric=(),
    )
    hashes = [[path, digest] for part in made(context) for path, digest in part.files if path.startswith("tables/")]
    held = _table("SHA-256 of every table", ["File", "SHA-256"], hashes, widths=[1, 1.6], numeric=())
    how = parsed(
        "In a clone of the project `make report` makes all of this again, `pasimeta verify` holds the files against "
        "these hashes, and `pasimeta diff` compares two runs in words."
    )
    return [{"level": 1, "heading": "Parameters and hashes", "text": how, "tables": [t for t in (changed, held) if t]}]


def _table(
    caption: str, columns: list[str], rows: list[list[str]], *, widths: list[float], numeric: tuple[int, ...]
) -> dict[str, Any] | None:
    if not rows:
        return None
    flags = [column in numeric for column in range(len(columns))]
    return {"caption": caption, "columns": columns, "rows": rows, "widths": widths, "numeric": flags}


def _words(value: Any) -> str:
    return "–" if pd.isna(value) else str(value).replace("_", " ")
