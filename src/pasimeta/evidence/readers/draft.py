"""A study file to review: what the document tells, the rest null with the reason, the problems as comments."""

from __future__ import annotations

import json
import re
from pathlib import PurePath
from typing import Any

from pasimeta.evidence.readers.result import ArmDraft, Claim, Extraction, Span

_NOT_SAID = "The document doesn't say"
_TO_FILL = "# not in the document; fill in"


def study_id(extraction: Extraction) -> str:
    """Return the id of the study file: the first registry number, or the document's name."""
    ids = extraction.study.registry_ids
    name = ids[0] if ids else PurePath(extraction.document.name).stem
    return re.sub(r"[^a-z0-9_-]+", "-", name.casefold()).strip("-_") or "study"


def study_yaml(extraction: Extraction) -> str:
    """Return the draft as YAML in the shape of :class:`pasimeta.evidence.study.Study`.

    What only a person can judge (source ids, arm labels, whether a study is reported) is marked; every figure has its
    line. ``pasimeta check`` tells what is still missing once the file stands in ``data/studies``.
    """
    writer = _Draft(extraction)
    return "\n".join([*writer.head(), *writer.study()]) + "\n"


def _scalar(value: Any) -> str:
    # JSON scalars and flow lists are YAML
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    return f"{value:.12g}" if abs(value) < 1e5 else re.sub(r"e\+?0*", "e+", f"{value:.6e}").replace("000000e", "0e")


class _Draft:
    def __init__(self, extraction: Extraction) -> None:
        self.extraction = extraction
        self.drawn = extraction.study
        self.id = study_id(extraction)
        self.source = f"{self.id}-stored"

    def head(self) -> list[str]:
        document = self.extraction.document
        lines = [
            f"# Draft from {_scalar(document.name)}, to be reviewed; sha256 {document.sha256}",
            f"# Enter the document in sources.yaml as '{self.source}' (or mend the source ids here).",
        ]
        for problem in self.extraction.problems:
            where = f" (line {problem.span.line})" if problem.span else ""
            lines.append(f"# PROBLEM {problem.code}{where}: {' '.join(problem.message.split())}")
        return lines

    def cite(self, span: Span | None) -> str:
        line = f"line {span.line}" if span else "document"
        return f"source: {self.source}, locator: {line}, confidence: seen"

    def fact(self, value: Any, span: Span | None) -> str:
        if value is None:
            return f"{{value: null, reason: {_scalar(_NOT_SAID)}}}"
        return f"{{value: {_scalar(value)}, {self.cite(span)}}}"

    def span(self, name: str) -> Span | None:
        return (self.drawn.spans or {}).get(name)

    def study(self) -> list[str]:
        drawn = self.drawn
        label = drawn.registry_ids[0] if drawn.registry_ids else self.id
        return [
            f"id: {self.id}",
            f"label: {_scalar(label)}",
            f"title: {_scalar(drawn.title)}",
            f"registry_ids: {_scalar(list(drawn.registry_ids))}",
            "citation: null",
            "country: null",
            f"design: {self.design()}",
            f"phase: {_scalar(list(drawn.phase or ()))}",
            f"allocation: {drawn.allocation or f'null  {_TO_FILL}'}",
            "status: unknown  # reported (then add the citation), unreported, ongoing or unknown",
            "status_reason: Drafted from one document; whether results exist was not looked up",
            *self.product(),
            *self.population(),
            f"follow_up: {self.fact(None, None)}",
            *self.arms(),
            *self.outcomes(),
            *self.safety(),
            "patients: []",
            *self.registration(),
            "conflicts: []",
            *self.missing(),
            "exclusion: null",
            f"sources: [{self.source}]",
        ]

    def design(self) -> str:
        if self.drawn.allocation == "randomized":
            return "randomized"
        if self.drawn.design == "single_group" or self.drawn.allocation == "na":
            return "single_arm"
        return f"null  {_TO_FILL}"

    def product(self) -> list[str]:
        found = self.drawn.product
        said = {name: getattr(found, name) if found else None for name in ("product_class", "tissue", "donor", "route")}
        first = self.drawn.arms[0] if self.drawn.arms else None
        return [
            "product:",
            f"  product_class: {said['product_class'] or 'null'}  # by its name; check that the cells are cultured",
            *(f"  {name}: {said[name] or 'null'}" for name in ("tissue", "donor", "route")),
            f"  description: {_scalar((first.intervention if first else None) or self.drawn.title or _NOT_SAID)}",
            f"  source: {self.source}",
            f"  locator: {f'line {first.span.line}' if first and first.span else 'document'}",
            "  confidence: seen",
        ]

    def population(self) -> list[str]:
        women, men = self._sex("female"), self._sex("male")
        people = next((c for c in self.extraction.claims if c.kind == "n" and c.subgroup is None), None)
        entry = self.drawn.eligibility
        note = None
        if entry is not None:
            parts = [f"{name.upper()} from {value:g}" for name, value in entry.to_dict().items() if value is not None]
            note = f"At entry: {', '.join(parts)}"
        noted = f", note: {_scalar(note)}" if note else ""
        drugs = sorted({drug.drug for arm in self.drawn.arms for drug in arm.co_treatments if arm.dose is not None})
        span = next((arm.span for arm in self.drawn.arms if arm.co_treatments), None)
        return [
            "population:",
            "  condition: plaque_psoriasis  # check",
            f"  enrolled: {self.fact(people.n if people else None, people.span if people else None)}",
            f"  analysed: {self.fact(None, None)}",
            f"  female: {self.fact(women.n if women else None, women.span if women else None)}",
            f"  male: {self.fact(men.n if men else None, men.span if men else None)}",
            f"  age: {self.fact(None, None)}",
            f"  baseline_pasi: {{value: null, reason: {_scalar(_NOT_SAID)}{noted}}}",
            f"  co_treatment: {self.fact(', '.join(drugs) or None, span)}",
        ]

    def _sex(self, sex: str) -> Claim | None:
        return next((claim for claim in self.extraction.claims if claim.subgroup == sex and claim.n), None)

    def arms(self) -> list[str]:
        lines = ["arms:"]
        for position, arm in enumerate(self.drawn.arms, 1):
            lines += self.arm(arm, position)
        if not self.drawn.arms:
            lines += [
                "  - id: single",
                "    label: Single arm  # check",
                f"    n: {self.fact(None, None)}",
                f"    dose: {{reason: {_scalar(_NOT_SAID)}}}",
            ]
        return lines

    def arm(self, arm: ArmDraft, position: int) -> list[str]:
        lines = [
            f"  - id: arm{position}",
            f"    label: {_scalar(arm.label or f'Arm {position}')}",
            *([] if arm.dose else ["    intervention: comparator  # or control; cells if they are given"]),
            f"    n: {self.fact(arm.n, arm.span)}",
        ]
        drugs = ", ".join(drug.drug for drug in arm.co_treatments)
        if arm.drug_dose_mg or drugs:
            low, high = arm.drug_dose_mg or (None, None)
            amount = "" if high is None else f" {high:g} mg" if low == high else f" {low:g} to {high:g} mg"
            lines.append(f"    drug: {_scalar(((drugs or arm.label or 'Drug') + amount).strip())}")
        return lines + (self.dose(arm) if arm.dose else [])

    def dose(self, arm: ArmDraft) -> list[str]:
        dose = arm.dose
        assert dose is not None
        lines = ["    dose:"]
        missing = []
        for name in ("cells_per_kg", "cells_per_cm2", "total_cells"):
            low, high = getattr(dose, name) or (None, None)
            if low is not None and high is not None:
                same = low == high
                lines.append(
                    f"      {name}: " + (_number(low) if same else f"{{low: {_number(low)}, high: {_number(high)}}}")
                )
            elif high is not None:
                lines.append(f"      # {name}: at most {_number(high)}")
        for name, value in (("infusions", dose.infusions), ("weeks", dose.weeks)):
            lines.append(f"      {name}: {_scalar(list(value) if isinstance(value, tuple) else value)}")
            if value is None:
                missing.append(name)
        if missing:
            lines.append(f"      reason: {_scalar('The document gives no ' + ' and no '.join(missing))}")
        where = f"line {arm.span.line}" if arm.span else "document"
        if dose.weeks_span and arm.span and dose.weeks_span.line != arm.span.line:
            lines.append(f"      note: Infusions and weeks are told on line {dose.weeks_span.line}")
        return [*lines, f"      source: {self.source}", f"      locator: {where}", "      confidence: seen"]

    def outcomes(self) -> list[str]:
        """Return the claimed responses as comments to take over: a study whose status is unknown has no outcomes."""
        claims = [c for c in self.extraction.claims if c.kind in ("response", "effective", "relapse")]
        lines = ["outcomes: []"]
        if claims:
            lines.append("# claimed; take over as outcomes once the status is reported:")
        for claim in claims:
            threshold = f"PASI{claim.threshold}" if claim.threshold else claim.measure or claim.kind
            count = f"{'?' if claim.events is None else claim.events} of {'?' if claim.n is None else claim.n}"
            printed = "" if claim.percent is None else f", printed {claim.percent:g} %"
            who = f", {claim.subgroup}" if claim.subgroup else ""
            lines.append(f"#   {threshold}: {count}{printed}{who} (line {claim.span.line})")
        return lines

    def safety(self) -> list[str]:
        found = [c for c in self.extraction.claims if c.kind in ("ae", "sae") and c.n and c.events is not None]
        lines = ["safety:" if found else "safety: []"]
        for claim in found:
            group = f", group: {_scalar(claim.subgroup)}" if claim.subgroup else ""
            event = "serious_any" if claim.kind == "sae" else "any"
            lines.append(
                f"  - {{event: {event}, unit: patients, count: {claim.events}, "
                f"n: {claim.n}, week: null, week_reason: {_scalar(_NOT_SAID)}{group}, {self.cite(claim.span)}}}"
            )
        return lines

    def registration(self) -> list[str]:
        drawn = self.drawn
        if self.extraction.document.kind == "report":
            return ["registration: null"]
        enrolled = drawn.enrollment
        lines = [
            "registration:",
            f"  status: {self.fact(drawn.status, self.span('status'))}",
            f"  enrollment: {self.fact(enrolled.count if enrolled else None, self.span('enrollment'))}",
            f"  enrollment_type: {(enrolled.type if enrolled else None) or 'null'}",
            "  planned_outcomes:" if drawn.outcomes else "  planned_outcomes: []",
        ]
        for one in drawn.outcomes:
            fields = [f"measure: {one.measure}"]
            fields += [f"threshold: {one.threshold}"] if one.threshold else []
            fields += [f"weeks: {_scalar(list(one.weeks))}"] if one.weeks else []
            fields += [f"role: {one.role}"] if one.role else []
            lines.append(f"    - {{{', '.join(fields)}, {self.cite(one.span)}}}")
        return lines

    def missing(self) -> list[str]:
        lacking = [
            name
            for name, value in (
                ("Registry number", self.drawn.registry_ids),
                ("Title", self.drawn.title),
                ("Phase", self.drawn.phase),
                ("Dose", [arm for arm in self.drawn.arms if arm.dose]),
            )
            if not value
        ]
        if not lacking:
            return ["missing: []"]
        return ["missing:", *(f"  - {{item: {name}, reason: {_scalar(_NOT_SAID)}}}" for name in lacking)]
