"""Where names and counts of an answer lead: the site beside the dashboard, or else the document a figure stands in."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pasimeta.evidence.entries import entry_href
from pasimeta.evidence.store import Evidence
from pasimeta.evidence.study import Study

SITE = "site"  # where the dashboard's own server shows the site
_LINK = re.compile(
    r'<a (?P<kind>(?:xlink:)?href)="(?P<page>(?:study-|context\.html|#[\w-]+-rests-on)[^"]*)"'
    r'(?P<stop> tabindex="-1")?[^>]*>(?P<text>.*?)</a>',
    re.DOTALL,
)


@dataclass(frozen=True)
class Destinations:
    """What a link to the site's entries becomes where the site isn't the page itself.

    Attributes
    ----------
    evidence : Evidence
        Says in which document each figure stands.
    site : path or None
        Folder of a built site that the same server shows; None where there is none.
    """

    evidence: Evidence
    site: Path | None = None

    def led(self, markup: str) -> str:
        """Return HTML or SVG whose links to entries lead somewhere; one that could not is plain text.

        What a pooled row rests on stands right below its figure here, where nothing has ids to lead to.
        """
        return _LINK.sub(self._link, markup)

    def _link(self, match: re.Match[str]) -> str:
        address = self._address(match["page"])
        if address is None:
            return match["text"]
        attributes = f'{match["kind"]}="{html.escape(address)}" target="_blank" rel="noopener"{match["stop"] or ""}'
        return f"<a {attributes}>{match['text']}</a>"

    def _address(self, page: str) -> str | None:
        if self.site is not None and (self.site / page.partition("#")[0]).is_file():
            return f"{SITE}/{page}"
        return self._documents.get(page) or self._documents.get(page.partition("#")[0])

    @cached_property
    def _documents(self) -> dict[str, str]:
        """The document's own address by the entry's on the site, and by the study's that of its report.

        A study without a report that can be linked has its registration, or the first document its figures stand in.
        """
        from pasimeta.site.entries import every_entry

        sources = self.evidence.sources
        found: dict[str, str] = {}
        for study in self.evidence.studies.values():
            if url := _record_url(study):
                found[entry_href(study.id)] = url
        for entry in every_entry(self.evidence):
            if entry.cited.source in sources and (url := sources[entry.cited.source].url):
                found[entry_href(entry.id)] = url
                if not entry.in_context:
                    found.setdefault(entry_href(entry.record), url)
        return found


def built_site(folder: Path) -> Path | None:
    """Return the folder if a site has been built there."""
    return folder if (folder / "index.html").is_file() else None


def _record_url(study: Study) -> str | None:
    if study.citation and study.citation.doi:
        return f"https://doi.org/{study.citation.doi}"
    if study.citation and study.citation.pmid:
        return f"https://pubmed.ncbi.nlm.nih.gov/{study.citation.pmid}/"
    registered = next((name for name in study.registry_ids if name.startswith("NCT")), None)
    return registered and f"https://clinicaltrials.gov/study/{registered}"
