"""How many registry records a second the readers get through, as pages of text and as JSON.

    python benchmarks/extract.py [RECORDS]

The records are generated (from a fixed seed), in the layouts of mirrors and in that of ClinicalTrials.gov. The peer is
the least that anyone can do with the same bytes: ``json.loads`` for JSON, ``str.splitlines`` for text. It finds
nothing, so the ratio is the price of understanding.
"""

from __future__ import annotations

import json
import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pasimeta.evidence.readers import extract_bytes, iter_extractions

SEED = 20240501
WORDS = re.findall(
    r"\w+",
    "psoriasis chronic skin joints cells immune response earlier reports patients encouraging controlled trial settled "
    "question treatment disease therapy severe moderate infusion donor tissue cultured condition investigator",
)


def facts(draw: random.Random, number: int) -> dict[str, object]:
    """Return the facts of an invented trial."""
    return {
        "id": f"NCT{90000000 + number}",
        "n": draw.randint(5, 120),
        "dose": draw.choice([0.5, 1, 1.5, 2, 2.5, 3]),
        "weeks": sorted(draw.sample(range(1, 12), draw.randint(2, 5))),
        "threshold": draw.choice([50, 75, 90]),
        "week": draw.choice([12, 16, 20, 24]),
        "status": draw.choice(["COMPLETED", "RECRUITING", "UNKNOWN", "TERMINATED"]),
        "phase": draw.choice(["1", "2"]),
        "prose": " ".join(sentence(draw) for _ in range(12)),
        "bullets": "\n".join(f"  • {sentence(draw)}" for _ in range(12)),
    }


def sentence(draw: random.Random) -> str:
    """Return a sentence that says nothing; no two records share theirs, so nothing is gained by remembering."""
    return " ".join(draw.choices(WORDS, k=14)).capitalize() + "."


def page(trial: dict[str, object]) -> bytes:
    """Return the trial as a mirror's page."""
    weeks = ",".join(map(str, [0, *trial["weeks"]]))  # type: ignore[misc]
    return f"""Mirror

Safety and Efficacy of UC-MSCs in Patients With Plaque Psoriasis

Phase {trial["phase"]}
Registration Number
{trial["id"]}
Brief Summary

{trial["prose"]} Patients will be treated with {trial["dose"]}x10\\^6 cells/kg in {weeks} week.

Status
{trial["status"]}
Target Recruitment
{trial["n"]}
Inclusion Criteria
  • PASI≥10, BSA≥10% and DLQI score≥10.
{trial["bullets"]}
Exclusion Criteria
{trial["bullets"]}
Study Design
SINGLE_GROUP
Primary Outcome Measures
NameTimeMethod
Proportion of subjects with PASI{trial["threshold"]} at week {trial["week"]}Week {trial["week"]}

The proportion of subjects with a reduction of {trial["threshold"]}% or more in PASI

Secondary Outcome Measures
NameTimeMethod
Frequency of Adverse Events and Serious Adverse EventsWeek 0 through week 52

Trial Locations
Somewhere
""".encode()


def record(trial: dict[str, object]) -> dict[str, object]:
    """Return the trial as ClinicalTrials.gov would."""
    weeks = ", ".join(map(str, [0, *trial["weeks"]]))  # type: ignore[misc]
    return {
        "protocolSection": {
            "identificationModule": {"nctId": trial["id"], "briefTitle": "UC-MSCs in Plaque Psoriasis"},
            "statusModule": {"overallStatus": trial["status"]},
            "descriptionModule": {"briefSummary": "Cells in psoriasis.", "detailedDescription": trial["prose"]},
            "designModule": {
                "phases": [f"PHASE{trial['phase']}"],
                "designInfo": {"allocation": "NA", "interventionModel": "SINGLE_GROUP"},
                "enrollmentInfo": {"count": trial["n"], "type": "ESTIMATED"},
            },
            "armsInterventionsModule": {
                "armGroups": [
                    {"label": "Cells", "description": f"{trial['dose']} x 10^6 cells/kg at weeks {weeks}"},
                ],
            },
            "outcomesModule": {
                "primaryOutcomes": [{"measure": f"PASI{trial['threshold']}", "timeFrame": f"Week {trial['week']}"}],
                "secondaryOutcomes": [{"measure": "Adverse events", "timeFrame": "52 weeks"}],
            },
            "eligibilityModule": {"eligibilityCriteria": f"Inclusion Criteria:\n\n* PASI ≥ 10\n{trial['bullets']}"},
        }
    }


def seconds(work: Callable[[], int]) -> tuple[float, int]:
    """Return the seconds a piece of work takes and how many records it did."""
    start = time.perf_counter()
    done = work()
    return time.perf_counter() - start, done


def read_pages(count: int) -> int:
    """Read the trials as pages; return how many arms of cells were found."""
    return sum(extract_bytes(data, "page.txt").study.arms[0].dose is not None for data in text_pages(count))


def read_json(path: Path) -> int:
    """Read the trials of a page of the API; return how many arms of cells were found."""
    return sum(one.study.arms[0].dose is not None for one in iter_extractions(path))


def peak_megabytes() -> float:
    """Return the most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def text_pages(count: int) -> Iterator[bytes]:
    """Yield the trials as pages."""
    draw = random.Random(SEED)
    return (page(facts(draw, number)) for number in range(count))


def write_json_page(path: Path, count: int) -> None:
    """Write the trials as one page of the API, record by record."""
    draw = random.Random(SEED)
    with path.open("w", encoding="utf-8") as stream:
        stream.write(f'{{"totalCount": {count}, "studies": [')
        for number in range(count):
            stream.write((",\n" if number else "\n") + json.dumps(record(facts(draw, number)), ensure_ascii=False))
        stream.write("]}")


def report(name: str, taken: float, done: int, peer: float, peak: float | None = None) -> None:
    """Print one line of the result."""
    print(
        f"{name:<28} {done:>6} records  {taken:6.1f} s  {done / taken:8.0f} records/s  "
        f"{taken / peer:6.0f} x the peer  peak {peak or peak_megabytes():.0f} MB"
    )


def main(count: int) -> None:
    """Measure both formats, a tenth first: memory that grows with the records would show."""
    for part in (count // 10, count):
        taken, done = seconds(partial(read_pages, part))
        peer, _ = seconds(lambda n=part: sum(len(data.decode().splitlines()) > 0 for data in text_pages(n)))
        report("pages of text", taken, done, peer)
    with tempfile.TemporaryDirectory() as folder:
        for part in (count // 10, count):
            path = Path(folder) / f"{part}.json"
            write_json_page(path, part)
            taken, done = seconds(partial(read_json, path))
            # only here are all records in memory at once, so the peak is reported before
            name, peak = f"one JSON page, {path.stat().st_size / 1e6:.0f} MB", peak_megabytes()
            peer, _ = seconds(lambda file=path: len(json.loads(file.read_text(encoding="utf-8"))["studies"]))
            report(name, taken, done, peer, peak)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
