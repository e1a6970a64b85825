"""Formulas as MathML: written in Typst's notation between dollar signs, translated by Typst, shown by the browser."""

from __future__ import annotations

import re
from functools import cache

from markupsafe import Markup

from pasimeta.site.shell import markdown

DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_INLINE = re.compile(r"\$([^$\n]+?)\$")
_FORMULA = re.compile(r"<math.*?</math>", re.DOTALL)
# Typst accents with combining signs, which browsers without a mathematical font set beside the letter
_SPACING = str.maketrans({"\u0302": "\u02c6", "\u0303": "\u02dc", "\u0304": "\u00af"})
_MARK = "\u2045{}\u2046"  # brackets that no text uses; Markdown leaves them alone


def markdown_with_formulas(text: str) -> Markup:
    """Return Markdown as HTML, ``$inline$`` and ``$$displayed$$`` formulas as MathML.

    A formula is in Typst's notation. A displayed one is a block that scrolls by itself where it is too wide.
    """
    formulas: list[str] = []

    def marked(formula: str) -> str:
        formulas.append(formula)
        return _MARK.format(len(formulas) - 1)

    text = DISPLAY.sub(lambda found: marked(f"$ {found[1].strip()} $"), text)
    text = _INLINE.sub(lambda found: marked(f"${found[1].strip()}$"), text)
    html = str(markdown(text))
    for number, formula in enumerate(mathml(tuple(formulas))):
        html = html.replace(_MARK.format(number), formula)
    return Markup(re.sub(r"<p>((?:\s*<math display=\"block\">.*?</math>)+)\s*</p>", _block, html, flags=re.DOTALL))


@cache
def mathml(formulas: tuple[str, ...]) -> tuple[str, ...]:
    """Return each of Typst's equations (``$...$``) as a ``<math>`` element."""
    if not formulas:
        return ()
    import typst

    page = typst.compile("\n\n".join(formulas).encode(), format="html").decode()
    found = tuple(formula.translate(_SPACING) for formula in _FORMULA.findall(page))
    if len(found) != len(formulas):
        raise AssertionError(f"{len(formulas)} formulas became {len(found)}")
    return found


def _block(found: re.Match[str]) -> str:
    return f'<div class="formula" tabindex="0" role="group" aria-label="Formula">{found[1]}</div>'
