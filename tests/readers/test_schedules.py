"""Courses of infusions and weeks of assessment, however they are told."""

from __future__ import annotations

import pytest

from pasimeta.evidence.readers.schedules import assessment_weeks, course
from pasimeta.evidence.readers.source import Source
from pasimeta.evidence.readers.tokens import Token, tokens


def words(text: str) -> list[Token]:
    """Return the tokens of a line."""
    return tokens(Source(text).lines()[0])


@pytest.mark.parametrize(
    ("text", "weeks"),
    [
        ("in 0,1,2,4,6,9 week", [0, 1, 2, 4, 6, 9]),
        ("at weeks 0, 3, 6 and 9", [0, 3, 6, 9]),
        ("at 0, 4 and 8 weeks", [0, 4, 8]),
        ("week 0, week 2 and week 4", [0, 2, 4]),
        ("on Day 0, 14 and 28", [0, 2, 4]),
        ("on days 1, 15, 29", [0, 2, 4]),
        ("on D0, D7 and D14", [0, 1, 2]),
        ("every 2 weeks, 4 times", [0, 2, 4, 6]),
        ("every 2 weeks, 3 times", [0, 2, 4]),
        ("once every 15 days, with 4 times as one course", [0, 2.14, 4.29, 6.43]),
        ("every other week for a total of 5 doses", [0, 2, 4, 6, 8]),
        ("monthly for 12 weeks", [0, 4, 8]),
        ("weekly for four weeks", [0, 1, 2, 3]),
        ("once a week for 6 weeks", [0, 1, 2, 3, 4, 5]),
        ("three infusions at 4-week intervals", [0, 4, 8]),
        ("3 times with an interval of 2 weeks", [0, 2, 4]),
        ("twice, one week apart", [0, 1]),
        ("two intravenous infusions one month apart", [0, 4.33]),
        ("4 weekly infusions", [0, 1, 2, 3]),
        ("a single intravenous infusion", [0]),
    ],
)
def test_infusions_are_counted_from_the_first(text: str, weeks: list[float]) -> None:
    told = course(words(text))
    assert told is not None
    assert list(told.weeks or ()) == weeks
    assert told.infusions == len(weeks)


@pytest.mark.parametrize(
    "text",
    [
        "ointment twice daily for 12 weeks",
        "tablets from 0 to 15 week",
        "followed up at weeks 4, 8 and 12",
        "visits at 1, 3 and 6 months after treatment",
        "the dose of a single infusion",
    ],
)
def test_other_times_are_no_course(text: str) -> None:
    assert course(words(text)) is None


@pytest.mark.parametrize(
    ("text", "weeks"),
    [
        ("Week 12,16,36,52", [12, 16, 36, 52]),
        ("12 weeks (plus or minus 3 days) after treatment", [12]),
        ("week 12(±3d), week 24(+/-7 days)", [12, 24]),
        ("Week 0 through week 52", [0, 52]),
        ("Week 8 though week 40", [8, 40]),
        ("Baseline, Weeks 4, 8 and 12", [4, 8, 12]),
        ("weeks 2-12", [2, 12]),
        ("1, 3 and 6 months", [4.33, 13, 26]),
        ("Day 28", [4]),
        ("up to one year", [52]),
        ("During the treatment period of 8 weeks / follow-up period of 16 weeks after treatment period", [8, 24]),
    ],
)
def test_weeks_of_assessment(text: str, weeks: list[float]) -> None:
    assert list(assessment_weeks(words(text)) or ()) == weeks


def test_a_time_frame_without_a_time_has_no_weeks() -> None:
    assert assessment_weeks(words("through study completion")) is None
