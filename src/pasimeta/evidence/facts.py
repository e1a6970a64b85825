"""The atoms of evidence: a value, where it stands, and what to believe when two documents disagree."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

T = TypeVar("T")

Confidence = Literal["seen", "restated"]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Text = Annotated[str, Field(min_length=1)]
PrintedPercent = Annotated[
    str,
    Field(
        pattern=r"^\d{1,3}(\.\d{1,6})?$",
        description='Percentage as printed, if one is; in quotes, for its digits tell how it was rounded ("47.10")',
    ),
]


class Record(BaseModel):
    """Base of every evidence model: strict types, no unknown field, no change after loading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Place(Record):
    """A further document that gives the same figure."""

    source: Annotated[Identifier, Field(description="Id of the document in sources.yaml")]
    locator: Text
    part: Annotated[Text | None, Field(description="What of the figure stands there, if not all of it")] = None


class Cited(Record):
    """Anything that stands in a document."""

    source: Annotated[Identifier | None, Field(description="Id of the document in sources.yaml")] = None
    locator: Annotated[Text | None, Field(description="Where in it: line, page section, table or abstract")] = None
    confidence: Annotated[
        Confidence | None,
        Field(description="seen: read in a document by the trial's authors or registry; restated: in another work"),
    ] = None
    derived: Annotated[
        Text | None, Field(description="How the value follows from what is printed, if it isn't printed itself")
    ] = None
    also: Annotated[list[Place], Field(default_factory=list, description="Further documents that agree")]
    note: Text | None = None

    @property
    def is_cited(self) -> bool:
        """Whether source, locator and confidence are all given."""
        return None not in (self.source, self.locator, self.confidence)


class AlwaysCited(Cited):
    """A figure that can't stand without its source."""

    @model_validator(mode="after")
    def _has_source(self) -> Self:
        if not self.is_cited:
            raise ValueError("a figure needs source, locator and confidence")
        return self


class Fact(Cited, Generic[T]):
    """A single value with its source, or ``null`` with the reason it isn't known."""

    value: T | None
    reason: Annotated[Text | None, Field(description="Why the value is null")] = None

    @model_validator(mode="after")
    def _known_or_explained(self) -> Self:
        if self.value is None and self.reason is None:
            raise ValueError("a null value needs a reason")
        if self.value is not None and not self.is_cited:
            raise ValueError("a value needs source, locator and confidence")
        return self


class Count(Record):
    """How many patients, as an interval: an exact count has lower = upper, and may be written as one number."""

    lower: Annotated[int, Field(ge=0)]
    upper: Annotated[int, Field(ge=0)]

    model_config = ConfigDict(
        json_schema_extra=lambda schema: _also_integer(schema),
    )

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return {"lower": value, "upper": value}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lower > self.upper:
            raise ValueError(f"lower ({self.lower}) exceeds upper ({self.upper})")
        return self

    @property
    def is_exact(self) -> bool:
        """Whether the count is known to the patient."""
        return self.lower == self.upper

    def __str__(self) -> str:
        return str(self.lower) if self.is_exact else f"{self.lower}–{self.upper}"


class Range(Record):
    """A quantity known exactly (low = high, may be written as one number) or to lie between two values."""

    low: float
    high: float

    model_config = ConfigDict(json_schema_extra=lambda schema: _also_number(schema))

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return {"low": value, "high": value}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 <= self.low <= self.high:
            raise ValueError(f"needs 0 <= low <= high, got {self.low:g} and {self.high:g}")
        return self

    def __mul__(self, other: Range) -> Range:
        return Range(low=self.low * other.low, high=self.high * other.high)

    def __str__(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g}–{self.high:g}"


class Reading(AlwaysCited):
    """One of several disagreeing values, as one document gives it."""

    value: str | int | float


class Conflict(Record):
    """Documents that disagree: every reading is kept, and the analysed one is named with the reason."""

    field: Text
    readings: Annotated[list[Reading], Field(min_length=2)]
    preferred: Annotated[int | None, Field(ge=0, description="Position of the analysed reading, counted from 0")] = None
    why: Text

    @model_validator(mode="after")
    def _preferred_exists(self) -> Self:
        if self.preferred is not None and self.preferred >= len(self.readings):
            raise ValueError(f"preferred is {self.preferred}, but there are {len(self.readings)} readings (from 0)")
        return self


class Missing(Record):
    """Something a reader would want that no document seen gives."""

    item: Text
    reason: Text


def _also_integer(schema: dict[str, Any]) -> None:
    _also("integer", schema)


def _also_number(schema: dict[str, Any]) -> None:
    _also("number", schema)


def _also(kind: str, schema: dict[str, Any]) -> None:
    as_interval = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": kind, "minimum": 0}, as_interval]
