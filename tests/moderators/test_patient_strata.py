"""Reports of single patients beside the studies: what they add, and what they don't."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pasimeta.evidence import tables
from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.moderators.one_stage import across_studies, one_stage
from pasimeta.moderators.patient_strata import one_stage_readings, patient_strata, with_patients
from pasimeta.moderators.strata import Stratum, known_stratum, unknown_stratum
from pasimeta.report.prose import sex_subgroup

CHENG = known_stratum("Cheng 2022", 6, 9, 2, 8, 40)
YAO = unknown_stratum("Yao 2021", 1, 6, (2, 2), 50)
NAMES = ("women", "men")


@pytest.fixture(scope="module")
def characteristics(evidence):
    return tables.characteristics(evidence, decide_all(evidence, InclusionRule()))


@pytest.fixture(scope="module")
def told(evidence, characteristics):
    return patient_strata(evidence, characteristics, 40)


def replaced(evidence, study, **changes):
    """The evidence as if a study's file said something else."""
    changed = evidence.studies[study].model_copy(update=changes)
    return replace(evidence, studies={**evidence.studies, study: changed})


def test_published_reports_become_strata(told):
    # De Jesus: a woman and a man, PASI 21 to 9 and 24 to 8.3, so both reached PASI40; Lwin: three women, the best 87 %
    assert [(s.label, s.n1, s.n2, s.pairs) for s in told] == [
        ("De Jesus 2016", 1, 1, [(1, 1)]),
        ("Lwin 2025", 3, 0, [(1, 0), (2, 0), (3, 0)]),
    ]


def test_a_harder_threshold_is_held_against_each_patients_own_scores(evidence, characteristics):
    # 57 and 65 % improvement: at PASI60 one responds, and it isn't said whether that is the woman
    first, _ = patient_strata(evidence, characteristics, 60)
    assert first.pairs == [(0, 1), (1, 0)]
    assert first.knowledge == "total only"


def test_other_products_stay_out(characteristics, told):
    labels = {s.label for s in told}
    others = characteristics[characteristics["product_class"] != "expanded_msc"]
    assert labels.isdisjoint(others["label"])
    assert len(others)


def test_single_patients_add_exactly_nothing_within_studies(told):
    alone, together = one_stage([CHENG, YAO]), one_stage(with_patients([CHENG, YAO], told))
    assert together.support["evidence"].tolist()[2:] == [0.0, 0.0]
    pairs = [
        (getattr(fit, name) for name in ("estimate", "ci_lower", "ci_upper", "p_value")) for fit in (together, alone)
    ]
    assert list(pairs[0]) == pytest.approx(list(pairs[1]), abs=1e-10)  # sums of more numbers round differently


def test_across_studies_they_do_move_the_answer(told):
    before, after = across_studies([CHENG, YAO]), across_studies(with_patients([CHENG, YAO], told))
    assert after["k"].tolist() == [4, 4]
    assert after["odds_ratio"].max() > before["odds_ratio"].max()  # three women of whom the best is written up


def test_patients_of_both_sexes_who_fare_differently_do_speak(evidence, characteristics):
    pair = evidence.studies["dejesus2016"].patients
    sexes = [p.model_copy(update={"sex": sex}) for p, sex in zip(pair, ("female", "male"), strict=True)]
    first, _ = patient_strata(replaced(evidence, "dejesus2016", patients=sexes), characteristics, 60)
    assert first.pairs == [(0, 1)]  # the man with 65 %
    assert one_stage([CHENG, first]).support["evidence"].tolist()[1] != 0


def test_known_outcomes_of_either_sex_bound_what_is_left():
    # two women and two men: a woman and a man told to respond, a man told not to, a woman untold
    stratum = Stratum("A", 2, 2, 2, 3, 1, 2, 40, second_lower=1, second_upper=1)
    assert stratum.pairs == [(1, 1), (2, 1)]


def test_counts_by_sex_beat_patients_and_patients_beat_a_bare_total():
    patients = [Stratum("Yao 2021", 1, 6, 2, 2, 1, 1, 50), known_stratum("Cheng 2022", 9, 9, 8, 8, 40)]
    merged = with_patients([CHENG, YAO], patients)
    assert merged == [CHENG, patients[0]]


def test_random_intercepts_come_in_once_there_are_three_reports(told):
    alone = one_stage_readings([CHENG, YAO], [CHENG, YAO])
    assert [(r.with_patients, r.fit.intercepts) for r in alone] == [(False, "study"), (False, "common")]
    both = one_stage_readings([CHENG, YAO], with_patients([CHENG, YAO], told))
    assert [r.fit.intercepts for r in both if r.with_patients] == ["study", "common", "random"]
    table = sex_subgroup.one_stage_table(both)
    assert set(table.loc[~table["information"].str.startswith("within studies"), "verdict"]) == {"not identified"}
    # an interval that excludes 1 is still no finding where studies are compared
    assert (pd.concat(r.to_frame() for r in both)["ci_lower"] > 1).any()


def test_sentences_say_that_they_add_nothing_and_that_across_is_ecological(told):
    everyone = with_patients([CHENG, YAO], told)
    readings = one_stage_readings([CHENG, YAO], everyone)
    within, across = sex_subgroup.patient_sentences(readings, across_studies(everyone), NAMES)
    assert "De Jesus 2016 and Lwin 2025: five patients" in within
    assert "**exactly nothing**" in within
    assert "Across 4 studies and reports" in across
    assert "**ecological bias**" in across
    assert "**not identified**" in across


def test_sentences_say_how_far_patients_who_differ_move_the_answer():
    pair = known_stratum("Pair 2020", 1, 1, 0, 1, 40)
    within, *_ = sex_subgroup.patient_sentences(one_stage_readings([CHENG], [CHENG, pair]), None, NAMES)
    together = one_stage([CHENG, pair])
    assert "exactly nothing" not in within
    assert f"to {np.exp(together.estimate):.3g}" in within


def test_without_patients_nothing_is_said_of_them():
    assert sex_subgroup.patient_sentences(one_stage_readings([CHENG], [CHENG]), None, NAMES) == []
