"""Every parameter of the analysis: its meaning, unit, default and allowed values, one section a notebook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Threshold = Annotated[int, Field(ge=1, le=100)]
Percent = Annotated[float, Field(ge=0, le=100)]


class Section(BaseModel):
    """Parameters of one notebook."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


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


class EffectSizesParameters(Section):
    """Notebook 02_effect_sizes: one study at a time."""

    interval: Annotated[
        Literal["clopper_pearson", "wilson", "agresti_coull", "jeffreys", "mid_p"],
        Field(description="Interval of a single study's response rate. Clopper-Pearson never covers too little."),
    ] = "clopper_pearson"
    measures: Annotated[
        list[Literal["PR", "PLN", "PLO", "PAS", "PFT"]],
        Field(min_length=1, description="Transformations of the rate shown beside the exact interval."),
    ] = ["PLO", "PAS", "PFT", "PR"]


class PoolingParameters(Section):
    """Notebook 03_pooling: PASI response across studies."""

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


class DoseResponseParameters(Section):
    """Notebook 04_dose_response: does more help more."""

    threshold: Annotated[Threshold, Field(description="PASI threshold, in percent.")] = 50
    metric: Annotated[
        Literal["per_infusion", "cumulative"], Field(description="Dose axis, million cells per kg body weight.")
    ] = "per_infusion"
    scale: Annotated[Literal["linear", "log"], Field(description="Dose axis.")] = "linear"


class SexSubgroupParameters(Section):
    """Notebook 05_sex_subgroup: women against men."""

    threshold: Annotated[Threshold, Field(description="PASI threshold, in percent.")] = 40


class SummaryParameters(Section):
    """Notebook 06_summary: the page for a reader in a hurry."""

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
    effect_sizes: EffectSizesParameters = EffectSizesParameters()
    pooling: PoolingParameters = PoolingParameters()
    dose_response: DoseResponseParameters = DoseResponseParameters()
    sex_subgroup: SexSubgroupParameters = SexSubgroupParameters()
    summary: SummaryParameters = SummaryParameters()

    def of_notebook(self, section: str, common: Iterable[str]) -> dict[str, Any]:
        """Return what a notebook gets: the common parameters it names and its section's own, JSON-able."""
        shared = self.common.model_dump()
        return {**{name: shared[name] for name in common}, **getattr(self, section).model_dump()}
