"""Every parameter of the analysis: its meaning, unit, default and allowed values, one section a notebook."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Threshold = Annotated[int, Field(ge=1, le=100)]
Percent = Annotated[float, Field(ge=0, le=100)]
# a step makes a number a slider: pasimeta.pipeline.sliders
TauScale = Annotated[float, Field(gt=0, le=3, json_schema_extra={"step": 0.05})]
MuSd = Annotated[float, Field(gt=0, le=5, json_schema_extra={"step": 0.1})]
ArmSize = Annotated[int, Field(ge=2, le=400, json_schema_extra={"step": 1})]
Alpha = Annotated[float, Field(gt=0, lt=1, json_schema_extra={"step": 0.005})]
Rate = Annotated[float, Field(ge=0, le=1, json_schema_extra={"step": 0.01})]


class Section(BaseModel):
    """Parameters of one notebook."""

    # defaults are validated too: 12 and 12.0 would otherwise be two values of one parameter
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


class Common(Section):
    """What every notebook shares."""

    level: Annotated[float, Field(gt=0, lt=1, description="Level of every interval, a proportion.")] = 0.95
    imputation: Annotated[
        Literal["nonresponder", "completers", "one_year_completers"],
        Field(description="Denominator where a study offers several: everyone enrolled counts, or completers alone."),
    ] = "nonresponder"
    timepoint: Annotated[
        Literal["latest", "earliest"], Field(description="Which week, where a study reports several.")
    ] = "latest"


class WhatIfTrial(Section):
    """A result nobody has reported: of an invented trial, or of a registered one that is silent."""

    study: Annotated[
        str | None, Field(pattern=r"^[a-z0-9_-]{1,60}$", description="Id of the silent trial; null invents one.")
    ] = None
    threshold: Annotated[Threshold, Field(description="PASI threshold that the responders reached, in percent.")]
    events: Annotated[int, Field(ge=0, description="Responders.")]
    n: Annotated[int, Field(ge=1, le=2000, description="Patients.")]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.events > self.n:
            raise ValueError(f"{self.events} responders exceed the {self.n} patients")
        return self


class EvidenceParameters(Section):
    """Notebook 01_evidence: which studies are analysed."""

    product_classes: Annotated[
        list[Literal["expanded_msc", "svf", "uncultured", "secretome", "exosome"]],
        Field(min_length=1, description="Eligible products. Only expanded_msc are cultured stromal cells."),
    ] = ["expanded_msc"]
    conditions: Annotated[
        list[Literal["plaque_psoriasis", "scalp_psoriasis", "healthy_volunteers"]],
        Field(min_length=1, description="Eligible conditions of the people treated."),
    ] = ["plaque_psoriasis"]
    designs: Annotated[
        list[Literal["single_arm", "randomized", "case_series", "case_report"]],
        Field(min_length=1, description="Eligible designs. Case reports are written because they succeeded."),
    ] = ["single_arm", "randomized"]
    min_analysed: Annotated[int, Field(ge=1, description="Smallest study, in patients analysed.")] = 1
    what_if: Annotated[
        list[WhatIfTrial],
        Field(
            max_length=20, description="Hypothetical results counted beside the evidence; none unless you ask what if."
        ),
    ] = []


class EffectSizesParameters(Section):
    """Notebook 03_effect_sizes: one study at a time."""

    interval: Annotated[
        Literal["clopper_pearson", "wilson", "agresti_coull", "jeffreys", "mid_p"],
        Field(description="Interval of a single study's response rate. Clopper-Pearson never covers too little."),
    ] = "clopper_pearson"
    measures: Annotated[
        list[Literal["PR", "PLN", "PLO", "PAS", "PFT"]],
        Field(min_length=1, description="Transformations of the rate shown beside the exact interval."),
    ] = ["PLO", "PAS", "PFT", "PR"]


class PoolingParameters(Section):
    """Notebook 04_pooling: PASI response across studies."""

    threshold: Annotated[Threshold, Field(description="PASI threshold of the main forest plot, in percent.")] = 50
    thresholds: Annotated[
        list[Threshold], Field(min_length=1, description="PASI thresholds of the table, in percent.")
    ] = [40, 50, 75, 90]
    unreported: Annotated[
        Literal["omit", "bound"],
        Field(description="A study silent on a threshold is left out, or bounded by the thresholds it reports."),
    ] = "omit"
    model: Annotated[
        Literal["binomial_normal", "beta_binomial", "common", "inverse_variance"],
        Field(description="The reference model. All but inverse_variance use the exact binomial likelihood."),
    ] = "binomial_normal"
    measure: Annotated[
        Literal["PR", "PLN", "PLO", "PAS", "PFT"], Field(description="Scale of the inverse-variance model.")
    ] = "PLO"
    method: Annotated[
        Literal["EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM"],
        Field(description="tau2 estimator of the inverse-variance model."),
    ] = "REML"
    test: Annotated[
        Literal["z", "t", "knha", "adhoc"],
        Field(description="Interval of the inverse-variance model; adhoc is Knapp-Hartung, floored."),
    ] = "adhoc"
    figure_preset: Annotated[
        Literal["house", "revman", "bmj", "jama", "lancet"],
        Field(description="Whose columns, numbers and colours the forest plots have."),
    ] = "house"


class DoseResponseParameters(Section):
    """Notebook 07_dose_response: does more help more."""

    threshold: Annotated[Threshold, Field(description="PASI threshold of response over dose, in percent.")] = 50
    allocation_threshold: Annotated[
        Threshold, Field(description="PASI threshold whose responders are allocated to dose groups, in percent.")
    ] = 40
    metric: Annotated[
        Literal["per_infusion", "cumulative"], Field(description="Dose axis, million cells per kg body weight.")
    ] = "per_infusion"
    scale: Annotated[Literal["linear", "log"], Field(description="Dose axis of the study-level figure.")] = "linear"
    smallest_group: Annotated[
        int, Field(ge=0, description="Fewest patients a dose group of unprinted size can hold.")
    ] = 1
    report_alpha: Annotated[
        float, Field(gt=0, lt=1, description="Two-sided level below which a report would have said significant.")
    ] = 0.05
    reported_null: Annotated[
        list[str], Field(description="Ids of the studies that report no significant relation to dose.")
    ] = ["cheng2022"]
    power: Annotated[float, Field(gt=0, lt=1, description="Power of the detectable slope.")] = 0.8


class SexSubgroupParameters(Section):
    """Notebook 08_sex_subgroup: women against men."""

    threshold: Annotated[Threshold, Field(description="PASI threshold, in percent.")] = 40
    power: Annotated[float, Field(gt=0, lt=1, description="Power of the detectable differences and trial sizes.")] = 0.8
    registry: Annotated[str, Field(min_length=1, description="Label of the benchmark that counts women and men.")] = (
        "Maul 2021"
    )
    registry_week: Annotated[float, Field(ge=0, description="Which of its weeks.")] = 13.0
    registry_patients: Annotated[int, Field(ge=2, description="Patients behind its two rates, both sexes.")] = 5346
    external_weight: Annotated[
        float, Field(gt=0, le=1, description="What one registry patient counts in the external prior; 1 is fully.")
    ] = 0.01
    flat_sd: Annotated[float, Field(gt=0, description="SD of the nearly flat prior of the log odds ratio.")] = 5.0
    weak_sd: Annotated[float, Field(gt=0, description="SD of the weakly informative prior of the log odds ratio.")] = (
        1.0
    )
    single_patients: Annotated[
        bool,
        Field(description="Set reports of single patients beside the studies. Off: they were written as successes."),
    ] = True


class ExtractionParameters(Section):
    """Notebook 02_extraction: from document to figure."""

    documents: Annotated[
        str, Field(description="Folder of the stored documents; empty where they are not at hand.")
    ] = ""


class ThresholdsParameters(Section):
    """Notebook 05_thresholds: every PASI threshold in one response model."""

    link: Annotated[
        Literal["probit", "logit"], Field(description="Latent distribution of improvement: normal or logistic.")
    ] = "probit"
    form: Annotated[
        Literal["offset_log", "power", "root", "linear", "free"],
        Field(description="Spacing of the thresholds. offset_log predicts held-out thresholds of comparators best."),
    ] = "offset_log"
    method: Annotated[
        Literal["bayes", "ML"],
        Field(
            description="Posterior by quadrature, or maximum likelihood, whose intervals few studies make too short."
        ),
    ] = "bayes"
    tau_prior_scale: Annotated[
        float, Field(gt=0, description="Scale of the half-normal prior of tau, latent standard deviations.")
    ] = 0.5
    include_case_reports: Annotated[
        bool,
        Field(description="Pool case reports and series too. Off: a case is written up because it went well."),
    ] = False


class SafetyParameters(Section):
    """Notebook 06_safety: serious events, adverse events, relapse."""

    product_classes: Annotated[
        list[Literal["expanded_msc", "svf", "uncultured", "secretome", "exosome"]],
        Field(min_length=1, description="Products whose safety is pooled, in reports of any design."),
    ] = ["expanded_msc"]
    tau_prior_scale: Annotated[
        float, Field(gt=0, description="Scale of the half-normal prior of tau, log-odds, where rates differ.")
    ] = 0.5


class ModeratorsParameters(Section):
    """Notebook 09_moderators: what else could decide who responds."""

    threshold: Annotated[Threshold, Field(description="PASI threshold at which whole studies are compared.")] = 50
    sex_threshold: Annotated[Threshold, Field(description="PASI threshold of sex and of dose groups, in percent.")] = 40
    power: Annotated[float, Field(gt=0, lt=1, description="Power of what would be detectable.")] = 0.8


class RobustnessParameters(Section):
    """Notebook 10_robustness: how fragile is it."""

    thresholds: Annotated[
        list[Threshold], Field(min_length=1, description="PASI thresholds of the multiverse, in percent.")
    ] = [50, 75]
    placebo_limit: Annotated[
        Percent, Field(description="Placebo response to hold the specifications against, percent.")
    ] = 5.0
    methotrexate_limit: Annotated[Percent, Field(description="Methotrexate response, likewise, percent.")] = 40.0
    limit_threshold: Annotated[Threshold, Field(description="PASI threshold the two limits belong to, in percent.")] = (
        75
    )
    cap: Annotated[
        int, Field(ge=1, description="Most specifications to fit; of more, so many are drawn at random.")
    ] = 200_000
    seed: Annotated[int, Field(ge=0, description="Of that draw.")] = 0
    influence_threshold: Annotated[
        Threshold, Field(description="PASI threshold of the figures on single studies, in percent.")
    ] = 50
    influence_rule: Annotated[
        Literal[
            "trials",
            "trials and case series",
            "trials, series and case reports",
            "all reports, uncultured cells too",
        ],
        Field(description="Which studies these figures show; two trials alone would show next to nothing."),
    ] = "trials and case series"
    filling: Annotated[
        Literal["fewest", "most"], Field(description="How counts known as intervals are filled in these figures.")
    ] = "fewest"
    prior_scales: Annotated[
        list[float], Field(min_length=2, description="Scales of the half-normal prior of tau, log-odds, ascending.")
    ] = [0.1, 0.25, 0.5, 1.0, 2.0]


class MissingEvidenceParameters(Section):
    """Notebook 11_missing_evidence: what the silent trials could change."""

    thresholds: Annotated[
        list[Threshold], Field(min_length=1, description="PASI thresholds looked at, in percent.")
    ] = [75, 50]
    placebo_limit: Annotated[Percent, Field(description="Placebo response at limit_threshold, percent.")] = 5.0
    methotrexate_limit: Annotated[Percent, Field(description="Methotrexate response at limit_threshold, percent.")] = (
        40.0
    )
    limit_threshold: Annotated[
        Threshold,
        Field(description="PASI threshold the two limits belong to; others are pooled from comparator trials."),
    ] = 75
    model: Annotated[
        Literal["common", "binomial_normal", "beta_binomial"],
        Field(description="Model of the tipping points. common counts every patient alike."),
    ] = "common"
    extreme_model: Annotated[
        Literal["common", "binomial_normal", "beta_binomial"], Field(description="Model of the worst and best cases.")
    ] = "binomial_normal"
    tau: Annotated[
        float,
        Field(ge=0, le=5, description="Between-trial standard deviation of the log-odds taken in the selection model."),
    ] = 0.5


class CertaintyParameters(Section):
    """Notebook 12_certainty: how sure the answers are."""

    comparison: Annotated[
        Literal["placebo", "methotrexate", "none"],
        Field(description="Whose pooled rates in other trials stand beside the cells' in the summary of findings."),
    ] = "placebo"
    wide: Annotated[
        float, Field(gt=0, lt=1, description="Interval width, a proportion, above which certainty falls a level.")
    ] = 0.2
    very_wide: Annotated[float, Field(gt=0, le=1, description="Width above which it falls two; above wide.")] = 0.4
    margin: Annotated[
        float, Field(gt=0, lt=1, description="Half width an adequate study would have; sets the information size.")
    ] = 0.1
    silent: Annotated[
        float, Field(gt=0, le=1, description="Share of patients in unreported trials that suggests publication bias.")
    ] = 0.2


class NextTrialParameters(Section):
    """Notebook 13_next_trial: what the next trial can show."""

    trial: Annotated[
        str, Field(pattern=r"^[a-z0-9_-]+$", description="Study id of the registered trial that is forecast.")
    ] = "nct03424629"
    threshold: Annotated[Threshold, Field(description="PASI threshold of its primary outcome, in percent.")] = 75
    test: Annotated[Literal["fisher", "boschloo"], Field(description="Exact test of each contrast.")] = "fisher"
    alternative: Annotated[Literal["two_sided", "greater"], Field(description="Alternative of the test.")] = "two_sided"
    alpha: Annotated[Alpha, Field(description="Level of the test, a proportion.")] = 0.05
    tau_scale: Annotated[
        TauScale, Field(description="Half-normal prior scale of the differences between trials, log-odds.")
    ] = 0.5
    mu_sd: Annotated[
        MuSd, Field(description="Prior sd of the mean log-odds about 0; 1.7 is nearly uniform in the rate.")
    ] = 1.7
    other_tau_scales: Annotated[
        list[TauScale], Field(description="Other scales, to see what the forecast owes to the first.")
    ] = [0.25, 1.0]
    other_mu_sds: Annotated[
        list[MuSd], Field(description="Other prior sds of the mean log-odds, likewise; a flat prior is always shown.")
    ] = [1.0, 2.5]
    first_week: Annotated[float, Field(ge=0, description="Earliest week of the control arms learned from.")] = 12
    last_week: Annotated[float, Field(ge=0, description="Latest week of the control arms learned from.")] = 24
    targets: Annotated[
        list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1, description="Assurances to find sizes for.")
    ] = [0.8, 0.9]
    largest: Annotated[int, Field(ge=10, le=1000, description="Largest size searched, patients an arm.")] = 400
    n_per_arm: Annotated[ArmSize, Field(description="A two-arm trial of your own: patients in either arm.")] = 40
    assumed_rate: Annotated[Rate, Field(description="True response rate of the cells assumed in it.")] = 0.6
    grid_sizes: Annotated[
        list[ArmSize], Field(min_length=1, description="Patients an arm at which power is shown over that rate.")
    ] = [10, 19, 40, 80, 160]
    p0: Annotated[float, Field(ge=0, lt=1, description="Single-arm trial: response rate not worth pursuing.")] = 0.1
    p1: Annotated[float, Field(gt=0, le=1, description="Single-arm trial: response rate hoped for; above p0.")] = 0.3
    beta: Annotated[float, Field(gt=0, lt=1, description="Single-arm trial: chance of missing p1.")] = 0.2
    looks: Annotated[
        list[Annotated[int, Field(ge=1)]],
        Field(min_length=1, description="Bayesian single-arm trial: patients at each look, ascending."),
    ] = [10, 20, 29]
    futility: Annotated[
        float, Field(ge=0, lt=1, description="It stops if the predictive probability of a claim is below this.")
    ] = 0.05
    success: Annotated[
        float, Field(gt=0, lt=1, description="It claims success if a rate above p0 is at least this probable.")
    ] = 0.95


class SummaryParameters(Section):
    """Notebook 14_summary: the page for a reader in a hurry."""

    placebo_benchmark: Annotated[
        str, Field(pattern=r"^[a-z0-9_-]+$", description="Benchmark id of the placebo response, PASI75.")
    ] = "ambikaibalan2021-placebo-pasi75"
    methotrexate_benchmark: Annotated[
        str, Field(pattern=r"^[a-z0-9_-]+$", description="Benchmark id of the methotrexate response, PASI75.")
    ] = "west2016-methotrexate-pasi75"


class Parameters(Section):
    """The whole configuration: what all share, then one section a notebook."""

    common: Common = Common()
    evidence: EvidenceParameters = EvidenceParameters()
    extraction: ExtractionParameters = ExtractionParameters()
    effect_sizes: EffectSizesParameters = EffectSizesParameters()
    pooling: PoolingParameters = PoolingParameters()
    thresholds: ThresholdsParameters = ThresholdsParameters()
    safety: SafetyParameters = SafetyParameters()
    dose_response: DoseResponseParameters = DoseResponseParameters()
    sex_subgroup: SexSubgroupParameters = SexSubgroupParameters()
    moderators: ModeratorsParameters = ModeratorsParameters()
    robustness: RobustnessParameters = RobustnessParameters()
    missing_evidence: MissingEvidenceParameters = MissingEvidenceParameters()
    certainty: CertaintyParameters = CertaintyParameters()
    next_trial: NextTrialParameters = NextTrialParameters()
    summary: SummaryParameters = SummaryParameters()
