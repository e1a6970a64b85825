"""Comparator trials and pooled figures of other therapies, and the documents all figures come from."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pasimeta.evidence.facts import AlwaysCited, Conflict, Count, Identifier, PrintedPercent, Record, Text


class ComparatorCount(AlwaysCited):
    """Cumulative count of patients reaching a PASI threshold (or PGA 0/1) in a comparator arm."""

    endpoint: Literal["pasi_response", "pga_0_1"] = "pasi_response"
    threshold: Annotated[int | None, Field(ge=1, le=100)] = None
    events: Count
    n: Annotated[int, Field(ge=1)]
    printed_percent: PrintedPercent | None = None
    week: Annotated[float | None, Field(ge=0)]
    week_reason: Text | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.events.upper > self.n:
            raise ValueError(f"{self.events.upper} events exceed the {self.n} patients")
        if (self.threshold is None) == (self.endpoint == "pasi_response"):
            raise ValueError("threshold belongs to pasi_response, and to it alone")
        if self.week is None and self.week_reason is None:
            raise ValueError("a null week needs week_reason")
        return self


class ComparatorArm(Record):
    """An arm of a comparator trial."""

    id: Identifier
    treatment: Identifier
    label: Text
    counts: Annotated[list[ComparatorCount], Field(min_length=1)]


class Comparator(Record):
    """A trial of another therapy, kept as context; never pooled with the cell products."""

    id: Identifier
    label: Text
    year: int | None
    arms: Annotated[list[ComparatorArm], Field(min_length=1)]
    conflicts: Annotated[list[Conflict], Field(default_factory=list)]


class Benchmark(AlwaysCited):
    """A figure pooled by others that a reader will hold the cell products against."""

    id: Identifier
    label: Text
    treatment: Identifier
    quantity: Text
    group: Text | None = None
    week: float | None = None
    studies: Annotated[int | None, Field(ge=1)] = None
    n: Annotated[int | None, Field(ge=1)] = None
    unit: Literal["percent", "risk_ratio", "odds_ratio", "count"]
    value: float
    lower: float | None = None
    upper: float | None = None


class Source(Record):
    """A document a figure was read in."""

    kind: Literal[
        "registry_page",
        "abstract",
        "article_page",
        "repository_record",
        "review",
        "news",
        "clinic_page",
        "conference_page",
        "dataset",
        "search",
    ]
    title: Text
    url: Annotated[str | None, Field(pattern=r"^https?://\S+$")] = None
    url_reason: Annotated[Text | None, Field(description="Why there is no url")] = None
    document: Annotated[Text | None, Field(description="File name of the stored copy")] = None
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    accessed: datetime.date | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _findable(self) -> Self:
        if self.url is None and self.sha256 is None and self.url_reason is None:
            raise ValueError("a source needs a url, a sha256 of the stored document, or url_reason")
        return self


class ReviewSeen(AlwaysCited):
    """A review of cell products in psoriasis that was looked through for studies and pooled figures."""

    id: Identifier
    label: Text
    figures: Annotated[Text, Field(description="What it counts or pools, in our words")]


class SetAside(Record):
    """A report that came up and doesn't belong here."""

    label: Text
    reason: Text


class Search(Record):
    """How the studies were found, and what was looked for in vain."""

    date: datetime.date
    systematic: bool
    method: Text
    limits: Annotated[list[Text], Field(min_length=1)]
    not_found: list[Text]
    set_aside: list[SetAside]
    reviews: list[ReviewSeen]
