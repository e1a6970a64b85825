"""From a state of the controls to its answer: the same functions on the same counts as the notebooks call."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import pandas as pd

from pasimeta.app.basis import Basis
from pasimeta.app.state import State, default_state
from pasimeta.effects.response_rates import response_rates
from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.evidence import selection, told_outcomes, what_if
from pasimeta.evidence.inclusion import InclusionRule, decide_all, require_some
from pasimeta.moderators.dose import DoseEvidence, dose_evidence
from pasimeta.moderators.sex import StudyComparisons, compare_studies
from pasimeta.synthesis.response import ThresholdPool, model_fit, pool_response
from pasimeta.synthesis.thresholds import ThresholdCurve, curve_posterior, pool_thresholds
from pasimeta.synthesis.thresholds.estimate import CurvePosterior

EVIDENCE = ("product_classes", "designs", "min_analysed", "what_if")
COUNTED = (*EVIDENCE, "imputation", "timepoint")
AT_THRESHOLD = (*COUNTED, "threshold", "unreported")
POOLED = (*AT_THRESHOLD, "level", "model")
APPROXIMATE = ("measure", "method", "test")  # of the inverse-variance model
CURVE = (*COUNTED, "tau_prior_scale", "level")
DOSE = (*COUNTED, "threshold", "metric", "level")
SEX = (*EVIDENCE, "level")
_KEPT = 256  # answers remembered of each kind


@dataclass(frozen=True, slots=True)
class Refusal:
    """A panel that these choices leave empty, and why."""

    message: str


@dataclass(frozen=True, slots=True)
class AnalysedTables:
    """Evidence under an inclusion rule, hypothetical results included."""

    responses: pd.DataFrame
    characteristics: pd.DataFrame
    doses: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Everything the dashboard shows of one state.

    Attributes
    ----------
    state : State
    pool : ThresholdPool
        Studies counted at the threshold, and the pooled rate.
    rates : DataFrame
        Their response rates with exact intervals.
    curve : ThresholdCurve or Refusal
        Response at every threshold.
    curve_rates : DataFrame
        Rates reported at any threshold.
    dose : DoseEvidence
    sex : StudyComparisons
    sex_counts : DataFrame
        What it compares, a row a study and group.
    sex_threshold : int
        PASI threshold of the sex panel, percent: the parameter ``sex_subgroup.threshold``.
    usual : ThresholdPool
        The pool of the starting parameters at the same threshold.
    """

    state: State
    pool: ThresholdPool
    rates: pd.DataFrame
    curve: ThresholdCurve | Refusal
    curve_rates: pd.DataFrame
    dose: DoseEvidence
    sex: StudyComparisons
    sex_counts: pd.DataFrame
    sex_threshold: int
    usual: ThresholdPool


def answer(basis: Basis, state: State) -> Answer:
    """Compute what a state says; what a changed control doesn't touch is remembered.

    Raises
    ------
    PasimetaError
        In one line, for choices that leave nothing to pool.
    """
    usual = State.of(basis.parameters).at_threshold(state.threshold)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasimetaWarning)  # doubts are kept on the results
        pool = pooled(basis, state)
        return Answer(
            state=state,
            pool=pool,
            rates=response_rates(pool.counts, level=state.level),
            curve=curve(basis, state),
            curve_rates=response_rates(_every_count(basis, only(state, COUNTED)), level=state.level),
            dose=_dose(basis, only(state, DOSE)),
            sex=_sex(basis, only(state, SEX)),
            sex_counts=_sex_counts(basis, only(state, EVIDENCE)),
            sex_threshold=basis.parameters.sex_subgroup.threshold,
            usual=pooled(basis, usual),
        )


def only(state: State, names: tuple[str, ...]) -> State:
    """The state with every control but these at its default: what a remembered result is filed under."""
    return replace(default_state(), **{name: getattr(state, name) for name in names})


def pooled(basis: Basis, state: State) -> ThresholdPool:
    """Pool the counts at the state's threshold, as notebook 04 does."""
    approximate = APPROXIMATE if state.model == "inverse_variance" else ()
    return _pooled(basis, only(state, (*POOLED, *approximate)))


def curve(basis: Basis, state: State) -> ThresholdCurve | Refusal:
    """The response curve, as notebook 05 draws it."""
    return _curve(basis, only(state, CURVE))


@lru_cache(maxsize=_KEPT)
def analysed_tables(basis: Basis, state: State) -> AnalysedTables:
    """Decide what is included, as notebook 01 does; ``state`` with ``only(state, EVIDENCE)``."""
    supposed = [asdict(each) for each in state.what_if]
    what_if.check_trials(supposed, basis.evidence)
    conditions = tuple(basis.parameters.evidence.conditions)
    rule = InclusionRule(state.product_classes, conditions, state.designs, state.min_analysed)
    decisions = what_if.decided(decide_all(basis.evidence, rule), supposed)
    require_some(decisions)
    included = {decision.study: decision.included for decision in decisions}
    responses, characteristics, doses = (
        table.assign(included=table["study"].map(included))
        for table in (basis.responses, basis.characteristics, basis.doses)
    )
    return AnalysedTables(
        what_if.with_counts(responses, supposed, basis.evidence),
        what_if.with_records(characteristics, supposed),
        doses,
    )


def _tables(basis: Basis, state: State) -> AnalysedTables:
    return analysed_tables(basis, only(state, EVIDENCE))


@lru_cache(maxsize=_KEPT)
def _counts(basis: Basis, state: State) -> pd.DataFrame:
    return selection.response_counts(
        _tables(basis, state).responses,
        state.threshold,
        imputation=state.imputation,
        timepoint=state.timepoint,  # type: ignore[arg-type]
        unreported=state.unreported,  # type: ignore[arg-type]
    )


@lru_cache(maxsize=_KEPT)
def _pooled(basis: Basis, state: State) -> ThresholdPool:
    fit = model_fit(state.model, measure=state.measure, method=state.method, test=state.test, level=state.level)
    return pool_response(state.threshold, _counts(basis, only(state, AT_THRESHOLD)), fit)


@lru_cache(maxsize=_KEPT)
def _every_count(basis: Basis, state: State) -> pd.DataFrame:
    """What notebook 05 pools: every threshold of every analysed study, case reports if the parameters say so."""
    found = _tables(basis, state)
    responses = found.responses
    if basis.parameters.thresholds.include_case_reports:
        cases = told_outcomes.case_reports(responses, found.characteristics)
        responses = pd.concat([responses, cases], ignore_index=True)
    return selection.every_threshold(
        responses,
        imputation=state.imputation,
        timepoint=state.timepoint,  # type: ignore[arg-type]
    )


@lru_cache(maxsize=_KEPT)
def _curve(basis: Basis, state: State) -> ThresholdCurve | Refusal:
    chosen = basis.parameters.thresholds
    try:
        if chosen.method == "bayes":
            return _curve_posterior(basis, replace(state, level=default_state().level)).at_level(state.level)
        fit = pool_thresholds(
            _every_count(basis, only(state, COUNTED)),
            comparators=basis.arms,
            form=chosen.form,
            link=chosen.link,
            level=state.level,
            predict=[],
        )
        return ThresholdCurve(fit.k, fit.curve, fit.level)
    except PasimetaError as error:
        return Refusal(str(error))


@lru_cache(maxsize=_KEPT)
def _curve_posterior(basis: Basis, state: State) -> CurvePosterior:
    chosen = basis.parameters.thresholds
    return curve_posterior(
        _every_count(basis, only(state, COUNTED)),
        comparators=basis.arms,
        form=chosen.form,
        link=chosen.link,
        tau_prior=("half_normal", state.tau_prior_scale),
    )


@lru_cache(maxsize=_KEPT)
def _dose(basis: Basis, state: State) -> DoseEvidence:
    doses = _tables(basis, state).doses
    counts = _counts(basis, only(state, (*COUNTED, "threshold")))
    return dose_evidence(counts, doses[doses["included"]], state.metric, state.level)  # type: ignore[arg-type]


@lru_cache(maxsize=_KEPT)
def _sex(basis: Basis, state: State) -> StudyComparisons:
    return compare_studies(_sex_counts(basis, only(state, EVIDENCE)), ("female", "male"), state.level)


@lru_cache(maxsize=_KEPT)
def _sex_counts(basis: Basis, state: State) -> pd.DataFrame:
    responses = _tables(basis, state).responses
    return selection.subgroup_counts(responses, "sex", basis.parameters.sex_subgroup.threshold)
