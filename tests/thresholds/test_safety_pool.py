"""Safety: exact bounds, units kept apart, definitions kept apart."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, poisson

from pasimeta.errors import PasimetaError
from pasimeta.report.prose import safety as prose
from pasimeta.synthesis.safety import (
    UNDEFINED,
    adverse_events,
    one_sided_upper,
    pool_rare_events,
    relapses,
    serious_related_counts,
)

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


def safety_table(*rows: tuple) -> pd.DataFrame:
    columns = ["study", "product_class", "event", "term", "unit", "count_lower", "count_upper", "n", "week"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(label=table["study"], source="s", locator="l", confidence="seen")


TABLE = safety_table(
    ("cheng", "expanded_msc", "serious_related", None, "patients", 0, 0, 17, 26),
    ("yao", "expanded_msc", "serious_related", None, "patients", 0, 0, 7, 52),
    ("yao", "expanded_msc", "serious_any", None, "patients", 1, 1, 7, 52),
    ("yao", "expanded_msc", "any", None, "events", 16, 16, 7, 12),
    ("yao", "expanded_msc", "any", "fever", "events", 5, 5, 7, 12),
    ("bajouri", "expanded_msc", "major", None, "patients", 0, 0, 5, 26),
    ("dejesus", "expanded_msc", "related", None, "patients", 0, 0, 2, None),
    ("comella", "svf", "serious_any", None, "patients", 0, 0, 1, 52),
    ("other", "expanded_msc", "any", None, "patients", 2, 2, 6, 10),
)


def test_none_of_a_wider_kind_means_none_of_a_narrower_one() -> None:
    counts = serious_related_counts(TABLE).set_index("study")
    assert counts["events"].to_dict() == {"bajouri": 0, "cheng": 0, "dejesus": 0, "yao": 0}
    assert "no event at all was judged related" in counts.loc["dejesus", "basis"]
    assert counts.loc["cheng", "basis"] == "counted"
    # two adverse events of any kind say nothing of serious related ones
    assert "other" not in counts.index


def test_bounds_without_events_are_the_closed_form() -> None:
    pool = pool_rare_events(serious_related_counts(TABLE))
    assert (pool.events, pool.n, pool.k) == (0, 31, 4)
    assert pool.upper == pytest.approx(1 - 0.05 ** (1 / 31))
    assert pool.ci_upper == pytest.approx(1 - 0.025 ** (1 / 31))
    # a uniform prior makes the posterior Beta(1, 32)
    assert pool.bayes_upper == pytest.approx(1 - 0.05 ** (1 / 32))
    n = pool.studies["n"].to_numpy(float)
    assert pool.studies["upper"].to_numpy() == pytest.approx(1 - 0.05 ** (1 / n))
    assert pool.studies["bayes_upper"].to_numpy() == pytest.approx(1 - 0.05 ** (1 / (n + 1)))
    assert pool.upper < pool.varying_upper < pool.new_study_upper < 0.5
    assert any("no event was seen" in text for text in pool.warnings)


def test_what_none_seen_leaves_possible_is_said_with_its_probability() -> None:
    pool = pool_rare_events(serious_related_counts(TABLE))
    said = prose.rare_event_sentences(pool)[0].replace("\u00a0", " ")
    one_in, evens = (int(x) for x in re.findall(r"one (?:patient )?in (\d+)", said))
    assert (1 - 1 / one_in) ** 31 == pytest.approx(0.05, abs=0.005)
    assert (1 - 1 / evens) ** 31 == pytest.approx(0.5, abs=0.005)
    assert "no proof of safety" in said


def test_tables_tell_both_bounds_and_keep_patients_and_events_apart() -> None:
    pool = pool_rare_events(serious_related_counts(TABLE))
    bounds = prose.rare_event_table(pool).set_index("label")
    assert bounds.loc["cheng", ["bound", "bayes"]].tolist() == ["16.2\u00a0%", "15.3\u00a0%"]
    assert bounds.loc["A new study", "bayes"] == prose.percent(pool.new_study_upper, 1)
    patients, events = adverse_events(TABLE)
    people = prose.adverse_patients_table(patients).set_index(["study", "kind"])
    assert people.loc[("yao", "serious, any cause"), "count"] == "1/7"
    assert not set(people.index) & set(prose.adverse_table(events).set_index(["study", "kind"]).index)


@given(st.integers(1, 40), st.data())
@settings(max_examples=60)
def test_at_the_one_sided_bound_so_few_events_have_five_percent(n: int, data: st.DataObject) -> None:
    events = data.draw(st.integers(0, n - 1))
    upper = one_sided_upper(events, n)
    assert binom.cdf(events, n, upper) == pytest.approx(0.05, abs=1e-9)


def test_patients_and_events_stay_apart() -> None:
    patients, events = adverse_events(TABLE)
    assert set(patients["event"]) == {"serious_related", "serious_any", "major", "related", "any"}
    assert events["events"].tolist() == [16, 5]
    assert events["share"].tolist()[1] == pytest.approx(5 / 16)
    assert np.isnan(events["share"].iloc[0])
    upper = events["ci_upper"].iloc[0] * 7
    assert poisson.cdf(16, upper) == pytest.approx(0.025, abs=1e-9)
    assert poisson.sf(15, events["ci_lower"].iloc[0] * 7) == pytest.approx(0.025, abs=1e-9)


def test_relapse_keeps_each_definition() -> None:
    responses = pd.DataFrame(
        {
            "study": ["lwin", "lwin", "chen"],
            "label": ["Lwin", "Lwin", "Chen"],
            "endpoint": "relapse",
            "events_lower": [2, 3, 0],
            "events_upper": [2, 3, 0],
            "n_analysed": [3, 3, 2],
            "week": [9.0, 24.0, np.nan],
            "source": "s",
        }
    )
    definitions = pd.DataFrame({"study": ["lwin", "lwin"], "week": [9.0, 24.0], "definition": "a biologic was resumed"})
    table = relapses(responses, definitions).set_index(["study", "week"])
    assert table.loc[("lwin", 24.0), "ci_lower"] == pytest.approx(0.025 ** (1 / 3))
    assert table["definition"].tolist() == [UNDEFINED, "a biologic was resumed", "a biologic was resumed"]


def test_no_study_is_refused() -> None:
    with pytest.raises(PasimetaError, match="no study counts the event in patients; widen product_classes"):
        pool_rare_events(serious_related_counts(TABLE, ["exosome"]))
