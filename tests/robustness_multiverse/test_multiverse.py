"""The multiverse fits every combination once, and each as the single fit would."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from multiverse_evidence import INCLUSION, RESPONSES

from pasimeta import synthesis
from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.evidence.selection import response_counts
from pasimeta.robustness import Limit, analyses, multiverse
from pasimeta.robustness.multiverse import MultiverseResult
from pasimeta.robustness.multiverse_analyses import NOT_APPLICABLE, Analysis
from pasimeta.robustness.multiverse_bayes import bayes_columns
from pasimeta.robustness.multiverse_data import data_sets

FEW = analyses(measures=("PLO", "PFT"), methods=("DL", "REML"), tests=("z", "adhoc"))
RATES = ("estimate", "ci_lower", "ci_upper", "pi_lower", "pi_upper")
pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


@pytest.fixture(scope="module")
def result() -> MultiverseResult:
    return multiverse(RESPONSES, INCLUSION, thresholds=(50, 75), imputations=("nonresponder", "completers"))


def single_fit(analysis: Analysis, events: np.ndarray, n: np.ndarray) -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasimetaWarning)
        if analysis.model == "inverse_variance":
            fit = synthesis.pool_counts(
                analysis.measure, events=events, n=n, method=analysis.method, test=analysis.test
            )
        elif analysis.model == "bayes":
            prior = ("half_normal", analysis.tau_prior)
            fit = synthesis.pool_bayes_binomial(events, n, prior, analysis.mu_prior)
        else:
            fit = synthesis.pool_binomial(events, n, analysis.model)
    values = [getattr(fit, f"response_{name}") for name in RATES]
    return [np.nan if value is None else value for value in values]


def counts_of(row, data) -> tuple[np.ndarray, np.ndarray]:
    wanted = tuple(row[name] for name in ("threshold", "inclusion", "imputation", "timepoint", "unreported", "counts"))
    (found,) = [each for each in data if each.choices == wanted]
    return np.array(found.events, float), np.array(found.n, float)


def test_each_specification_is_the_fit_that_its_choices_name(result: MultiverseResult) -> None:
    data = data_sets(RESPONSES, INCLUSION, thresholds=(50, 75), imputations=("nonresponder", "completers"))
    options = {each.choices: each for each in analyses()}
    frame = result.frame
    # Bayesian single fits take a second each: a few of them, and many of the others
    sample = [
        *frame[frame["model"] == "inverse_variance"].sample(150, random_state=1).index,
        *frame[frame["model"].isin(["binomial_normal", "beta_binomial", "common"])].sample(60, random_state=1).index,
        *frame[frame["mu_prior"] == "flat"].sample(2, random_state=1).index,
        *frame[frame["mu_prior"].str.startswith("normal")].sample(3, random_state=1).index,
    ]
    for index in sample:
        row = frame.loc[index]
        key = tuple(row[["model", "measure", "method", "test", "prediction", "tau_prior", "mu_prior"]])
        events, n = counts_of(row, data)
        wanted = single_fit(options[key], events, n)
        tolerance = 3e-5 if row["model"] == "bayes" else 1e-9
        np.testing.assert_allclose(row[list(RATES)].astype(float), wanted, rtol=tolerance, atol=tolerance, err_msg=key)
        assert (row["events"], row["n"], row["k"]) == (events.sum(), n.sum(), len(n))


def test_every_combination_is_there_once(result: MultiverseResult) -> None:
    # PASI50: rule "two" exact; "all" three ways. PASI75, omitted: alpha and beta, exact under either rule.
    # Bounded, "two" is the same; "all": gamma in [0, 3], delta in [0, 15]: 4 * 16 ways.
    by_hand = 0
    for imputation in (1, 2):  # completers have no PASI75 in beta: it is omitted, or bounded by its 3 of 8
        beta_ways = 1 if imputation == 1 else 4
        by_hand += 2 * (1 + 3) * 2  # PASI50: two weeks, omitted or bounded alike
        by_hand += 2 * (1 + 1)  # PASI75 omitted
        by_hand += 2 * (beta_ways + beta_ways * 4 * 16)  # PASI75 bounded
    assert result.possible == by_hand * len(analyses()) == len(result.frame)
    choices = [c for c in result.frame if isinstance(result.frame[c].dtype, type(result.frame["model"].dtype))]
    assert not result.frame.duplicated([c for c in choices if c != "studies"]).any()


@pytest.mark.parametrize("cap", [None, 40])
def test_a_flat_prior_is_left_out_where_it_leaves_no_posterior(cap: int | None) -> None:
    alone = {"beta alone": ("beta",), "both": ("alpha", "beta")}
    options = analyses(("common", "bayes"), tau_priors=(0.5,), mu_priors=(None, (0.0, 1.7)))
    chosen = multiverse(RESPONSES, alone, thresholds=(50, 75), imputations=("nonresponder",), options=options, cap=cap)
    # beta alone shows 3 of 12 at PASI50 and 0 of 12 at PASI75, and each is found under 2 weeks and 2 readings
    assert chosen.possible == 2 * 4 * 3 + 4 * 3 + 4 * 2
    none = chosen.frame[chosen.frame["events"] == 0]
    assert set(none["mu_prior"]) == {NOT_APPLICABLE, "normal(0, 1.7)"}
    assert (chosen.frame[chosen.frame["events"] > 0]["mu_prior"] == "flat").any()
    assert chosen.frame["estimate"].notna().all()


def test_the_same_data_under_another_name_is_fitted_once(result: MultiverseResult) -> None:
    frame = result.frame
    assert result.distinct == frame["fit"].nunique() < len(frame)
    assert (frame.groupby("fit")["estimate"].nunique() == 1).all()


def test_ends_are_the_first_and_last_of_all_allocations() -> None:
    every = data_sets(RESPONSES, INCLUSION, thresholds=(75,), unreported=("bound",))
    ends = data_sets(RESPONSES, INCLUSION, thresholds=(75,), unreported=("bound",), allocations="ends")
    assert [d for d in every if d.choices[-1] in ("exact", "fewest", "most")] == ends
    ways = {d.events for d in every if d.choices[1] == "all" and d.choices[2] == "nonresponder"}
    # in order of id: alpha 4, beta 0, then delta and gamma bounded by their PASI50 counts
    assert ways == {(4, 0, x, y) for x in range(16) for y in range(4)}


def test_data_sets_are_those_of_the_selection() -> None:
    table = RESPONSES.assign(included=RESPONSES["study"].isin(INCLUSION["two"]))
    selected = response_counts(table, 50, imputation="completers", timepoint="earliest")
    found = [
        d
        for d in data_sets(RESPONSES, INCLUSION, thresholds=(50,))
        if d.choices[1:5] == ("two", "completers", "earliest", "omit")
    ]
    assert (
        [(d.events, d.n) for d in found]
        == [(tuple(selected["events_lower"]), tuple(selected["n"]))]
        == [((9, 3), (20, 8))]
    )


def test_a_capped_sample_is_part_of_the_whole_and_repeats(result: MultiverseResult) -> None:
    def sample(seed: int) -> MultiverseResult:
        return multiverse(
            RESPONSES, INCLUSION, thresholds=(50, 75), imputations=("nonresponder", "completers"), cap=300, seed=seed
        )

    first, again, other = sample(3), sample(3), sample(4)
    assert len(first.frame) == 300
    assert first.sampled
    assert "300 of" in first.warnings[0]
    assert "seed 3" in first.warnings[0]
    np.testing.assert_array_equal(first.frame["estimate"], again.frame["estimate"])
    assert not np.array_equal(first.frame["estimate"], other.frame["estimate"])
    keys = ["threshold", "inclusion", "imputation", "timepoint", "unreported", "counts", "model", "measure", "method"]
    keys += ["test", "tau_prior", "mu_prior"]
    text = dict.fromkeys(keys, str)
    joined = first.frame.astype(text).merge(result.frame.astype(text), on=keys, suffixes=("", "_whole"))
    assert len(joined) == 300
    np.testing.assert_allclose(joined["estimate"], joined["estimate_whole"], rtol=1e-9)


def test_progress_counts_every_fit_to_the_last() -> None:
    seen: list[tuple[int, int]] = []
    result = multiverse(RESPONSES, INCLUSION, thresholds=(50,), options=FEW, progress=lambda d, t: seen.append((d, t)))
    assert seen[-1] == (result.distinct, result.distinct)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_shares_are_counted_on_either_side_of_a_limit(result: MultiverseResult) -> None:
    rows = result.frame[result.frame["threshold"] == "75"]
    placebo, methotrexate = result.shares().to_dict("records")
    assert placebo["specifications"] == methotrexate["specifications"] == len(rows)
    assert placebo["estimate_above"] == np.mean(rows["estimate"] > 0.05)
    assert methotrexate["interval_above"] == np.mean(rows["ci_lower"] > 0.4)
    for row in (placebo, methotrexate):
        assert row["interval_above"] + row["interval_below"] + row["interval_contains"] == pytest.approx(1)


def test_moves_are_ranges_with_all_else_held(result: MultiverseResult) -> None:
    moves = result.moves(50).set_index("choice")
    rows = result.frame[(result.frame["threshold"] == "50") & (result.frame["model"] == "inverse_variance")]
    held = ["inclusion", "imputation", "timepoint", "unreported", "counts", "method", "test"]
    ranges = rows.groupby(held, observed=True)["estimate"].agg(np.ptp)
    assert moves.loc["measure", "median_range"] == pytest.approx(ranges.median())
    assert moves.loc["measure", "largest_range"] == pytest.approx(ranges.max())
    assert moves.loc["measure", "sets"] == len(ranges)
    means = rows.groupby("measure", observed=True)["estimate"].transform("mean")
    assert moves.loc["measure", "share_of_variance"] == pytest.approx(means.var() / rows["estimate"].var())


def test_an_interval_choice_moves_no_estimate(result: MultiverseResult) -> None:
    assert result.moves().set_index("choice").loc["test", "largest_range"] == 0


def test_options_give_the_spread_of_each(result: MultiverseResult) -> None:
    table = result.options(50).set_index(["choice", "option"])
    rows = result.frame[(result.frame["threshold"] == "50") & (result.frame["timepoint"] == "latest")]
    assert table.loc[("timepoint", "latest"), "median"] == pytest.approx(rows["estimate"].median())
    assert table.loc[("timepoint", "latest"), "specifications"] == len(rows)


@pytest.mark.parametrize(
    ("events", "n", "tau_scale", "mu_prior"),
    [
        ([6], [17], 0.5, (0.0, 1.7)),
        ([6, 2], [17, 7], 0.5, (0.0, 1.7)),
        ([0, 0, 1], [4, 9, 2], 0.5, (0.0, 1.7)),
        ([8, 2, 3, 2], [17, 7, 3, 2], 0.5, (0.0, 1.7)),
        ([250, 11], [500, 20], 0.5, (0.0, 1.7)),
        ([6, 2], [17, 7], 0.5, None),
        ([1], [30], 1.0, None),
        ([0, 0, 1], [4, 9, 2], 2.0, None),
        ([2, 0, 1, 1], [2, 3, 1, 1], 1.0, None),
    ],
)
def test_the_shared_grid_gives_the_adaptive_posterior(
    events: list[int], n: list[int], tau_scale: float, mu_prior: tuple[float, float] | None
) -> None:
    columns = np.array(events, float)[:, None], np.array(n, float)[:, None]
    found = bayes_columns(*columns, tau_scale, mu_prior, 0.95)
    exact = synthesis.pool_bayes_binomial(events, n, ("half_normal", tau_scale), mu_prior)
    wanted = [getattr(exact, f"response_{name}") for name in RATES]
    np.testing.assert_allclose([found[name][0] for name in RATES], wanted, rtol=0, atol=1e-5 if mu_prior else 3e-5)


def test_data_sets_of_different_size_share_a_bayesian_block() -> None:
    padded = bayes_columns(
        np.array([[6.0, 6.0], [2.0, 0.0]]), np.array([[17.0, 17.0], [7.0, 0.0]]), 0.5, (0.0, 1.7), 0.95
    )
    alone = bayes_columns(np.array([[6.0]]), np.array([[17.0]]), 0.5, (0.0, 1.7), 0.95)
    assert padded["estimate"][1] == pytest.approx(alone["estimate"][0], abs=1e-12)
    assert padded["ci_upper"][0] != padded["ci_upper"][1]


def test_the_evidence_itself_spans_a_hundred_thousand(evidence) -> None:
    from pasimeta.evidence import tables
    from pasimeta.evidence.inclusion import InclusionRule, decide_all
    from pasimeta.robustness import studies_by_rule

    responses = tables.responses(evidence, decide_all(evidence, InclusionRule()))
    result = multiverse(responses, studies_by_rule(evidence), thresholds=(50, 75), cap=500)
    assert result.possible > 50_000
    assert result.frame["estimate"].between(0, 1).all()
    assert result.shares().set_index("limit").loc["placebo", "specifications"] > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cap": 0}, "cap: 0"),
        ({"thresholds": ()}, "thresholds: no choice"),
        ({"thresholds": (50, 50)}, "named twice"),
        ({"imputations": ("locf",)}, "locf"),
        ({"allocations": "some"}, "allocations"),
        ({"level": 95}, "level"),
        ({"inclusion": {"x": ("nobody",)}}, "'nobody' is not in the responses table"),
        ({"thresholds": (100,), "unreported": ("omit",)}, "no study counts"),
        ({"limits": (Limit("placebo", 5.0),)}, "5.0 is not a rate"),
        ({"options": ()}, "no study counts"),
    ],
)
def test_refusals_name_the_choice(change: dict, words: str) -> None:
    options = {"inclusion": INCLUSION, "options": FEW, "thresholds": (50,), **change}
    inclusion = options.pop("inclusion")
    with pytest.raises(PasimetaError, match=words):
        multiverse(RESPONSES, inclusion, **options).shares()


@pytest.mark.parametrize(
    "bad", [{"measures": ("OR",)}, {"tau_priors": (0,)}, {"mu_priors": ((0, 20),)}, {"models": ()}]
)
def test_options_that_cannot_be_are_refused(bad: dict) -> None:
    with pytest.raises(PasimetaError):
        analyses(**bad)
