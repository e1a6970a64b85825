"""Which product was given: its class, tissue, donor and route, by the words that name it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pasimeta.evidence.readers.result import ProductDraft
from pasimeta.evidence.readers.source import Text

_LONGEST = 20_000


def _patterns(**named: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in named.items())


# the first that is named wins, so the more particular comes first
_CLASSES = _patterns(
    exosome=r"\bexosom|\bextracellular vesicle",
    secretome=r"\bsecretome|\bconditioned medi",
    svf=r"\bstromal vascular fraction|\bsvf\b",
    expanded_msc=r"\bmesenchymal|\b[a-z]{0,4}-?[a-z]{0,2}mscs?\b|\bstem cells?\b|\bstromal cells?\b",
)
_TISSUES = _patterns(
    cord_blood=r"\bcord[- ]blood",
    umbilical_cord=r"\bumbilical|\bwharton|\bh?uc-?mscs?\b|\bumscs?\b",
    adipose=r"\badipos|\bfat tissue|\bad-?mscs?\b",
    gingiva=r"\bgingiv",
    tonsil=r"\btonsil",
    bone_marrow=r"\bbone[- ]marrow|\bbm-?mscs?\b",
)
_DONORS = _patterns(allogeneic=r"\ballogen", autologous=r"\bautolog")
_ROUTES = _patterns(
    intravenous=r"\bintravenous|\biv\b|\binfus",
    subcutaneous=r"\bsubcutan",
    intradermal=r"\bintraderm",
    local_injection=r"\bintralesion|\blocal(?:ly)? inject",
    topical=r"\btopical",
)


def product(title: str | None, lines: Iterable[Text]) -> ProductDraft | None:
    """Return what the title, else the first lines that tell, name; None when nothing names a product."""
    text = "\n".join([title or "", *(line.chars for line in lines)])[:_LONGEST]
    found = ProductDraft(
        _first_named(_CLASSES, title, text),
        _first_named(_TISSUES, title, text),
        _first_named(_DONORS, title, text),
        _first_named(_ROUTES, None, text),
    )
    return found if found.product_class else None


def _first_named(patterns: tuple[tuple[str, re.Pattern[str]], ...], title: str | None, text: str) -> str | None:
    for where in (title or "", text):
        for name, pattern in patterns:
            if pattern.search(where):
                return name
    return None
