"""The multiverse: every defensible way to pool the same documents, and how far the answer moves among them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from pasimeta.effects.validation import Array, check_level
from pasimeta.errors import PasimetaError
from pasimeta.robustness.multiverse_analyses import ANALYSIS_CHOICES, NOT_APPLICABLE, Analysis, analyses
from pasimeta.robustness.multiverse_choices import LIMITS, Limit, moves, shares
from pasimeta.robustness.multiverse_cluster import Progress, fitted_here, fitted_there
from pasimeta.robustness.multiverse_data import DATA_CHOICES, IMPUTATIONS, TIMEPOINTS, UNREPORTED, data_sets
from pasimeta.robustness.multiverse_fits import RESULTS, Counts, blocks
from pasimeta.robustness.multiverse_specifications import Specifications, specifications

CHOICES = (*DATA_CHOICES, *ANALYSIS_CHOICES)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MultiverseResult:
    """Every specification with its result.

    Attributes
    ----------
    frame : DataFrame
        One row a specification: the choices of ``CHOICES`` (categorical; an en dash where a choice doesn't arise), the
        ``studies`` (categorical, joined ids), ``k``, ``events``, ``n``, then ``estimate``, ``ci_lower``, ``ci_upper``,
        ``pi_lower``, ``pi_upper`` as proportions (missing where one doesn't exist; PR and PLN limits may leave [0, 1])
        and ``fit``: specifications with one number have the same counts and the same analysis.
    possible : int
        Specifications the choices span. A flat prior without responders, or with none but responders, leaves no
        posterior: there is no such specification.
    distinct : int
        Different fits among the rows.
    cap : int or None
        Most specifications asked for; where ``possible`` exceeds it, the rows are a random sample.
    seed : int
        Of the sample.
    limits : tuple of Limit
        What :meth:`shares` holds the specifications against.
    level : float
        Of the intervals.
    warnings : tuple of str
        Doubts.
    """

    frame: pd.DataFrame
    possible: int
    distinct: int
    cap: int | None
    seed: int
    limits: tuple[Limit, ...]
    level: float
    warnings: tuple[str, ...]

    @property
    def sampled(self) -> bool:
        """Whether the rows are a sample of what is possible."""
        return len(self.frame) < self.possible

    def to_frame(self) -> pd.DataFrame:
        """One row a specification."""
        return self.frame

    def shares(self, *, distinct: bool = False) -> pd.DataFrame:
        """Shares of specifications on either side of each limit; see :func:`.multiverse_choices.shares`.

        Parameters
        ----------
        distinct : bool
            Count each different fit once a threshold, however many specifications lead to it.
        """
        rows = self.frame.drop_duplicates(["fit", "threshold"]) if distinct else self.frame
        return shares(rows, self.limits)

    def moves(self, threshold: int | None = None) -> pd.DataFrame:
        """How far each choice moves the estimate, at one threshold or over all; see :func:`.multiverse_choices.moves`.

        Raises
        ------
        PasimetaError
            If no specification has that threshold.
        """
        return _moves(self, threshold).copy()

    def options(self, threshold: int | None = None) -> pd.DataFrame:
        """What each option of each choice leads to, at one threshold or over all.

        Returns
        -------
        DataFrame
            One row an option: ``choice``, ``option``, ``specifications``, and of their estimates ``least``,
            ``lower_quartile``, ``median``, ``upper_quartile``, ``most``.
        """
        rows = self.at(threshold)
        tables = []
        for choice in CHOICES:
            kept = rows[rows[choice] != NOT_APPLICABLE]
            spread = kept.groupby(choice, observed=True)["estimate"].quantile([0, 0.25, 0.5, 0.75, 1]).unstack()
            spread.columns = pd.Index(["least", "lower_quartile", "median", "upper_quartile", "most"])
            spread.insert(0, "specifications", kept[choice].value_counts()[spread.index])
            tables.append(spread.rename_axis("option").reset_index().astype({"option": str}).assign(choice=choice))
        table = pd.concat(tables, ignore_index=True)
        return table[["choice", *(column for column in table.columns if column != "choice")]]

    def at(self, threshold: int | None) -> pd.DataFrame:
        """Rows of one threshold, or all.

        Raises
        ------
        PasimetaError
            If no specification has that threshold.
        """
        if threshold is None:
            return self.frame
        rows = self.frame[self.frame["threshold"] == str(threshold)]
        if rows.empty:
            raise PasimetaError(f"threshold: no specification at PASI{threshold}; choose one that was analysed")
        return rows


@lru_cache(maxsize=4)  # a report asks for the same table in its prose, its tables and its figures
def _moves(result: MultiverseResult, threshold: int | None) -> pd.DataFrame:
    return moves(result.at(threshold), CHOICES)


def multiverse(
    responses: pd.DataFrame,
    inclusion: Mapping[str, Collection[str]] | None = None,
    *,
    thresholds: Sequence[int] = (50, 75),
    imputations: Sequence[str] = IMPUTATIONS,
    timepoints: Sequence[str] = TIMEPOINTS,
    unreported: Sequence[str] = UNREPORTED,
    allocations: str = "all",
    options: Sequence[Analysis] | None = None,
    limits: Sequence[Limit] = LIMITS,
    level: float = 0.95,
    cap: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    scheduler: str | None = None,
) -> MultiverseResult:
    """Pool the same evidence in every combination of the choices given.

    Parameters
    ----------
    responses : DataFrame
        The ``RESPONSES`` table.
    inclusion : mapping of str to collection of str, optional
        Study ids by name of the inclusion rule, as from :func:`.multiverse_data.studies_by_rule`; by default the
        studies that the table marks as included.
    thresholds, imputations, timepoints, unreported, allocations
        Choices over the data, as in :func:`.multiverse_data.data_sets`.
    options : sequence of Analysis, optional
        Choices over the analysis, as from :func:`.multiverse_analyses.analyses`, whose 189 are the default.
    limits : sequence of Limit
        What the specifications are held against.
    level : float
        Of every interval.
    cap : int, optional
        Most specifications to fit; of more, so many are drawn at random without replacement.
    seed : int
        Of that draw; the default gives the same digits every time.
    progress : callable, optional
        Called with the fits done and the fits in all, after each block.
    scheduler : str, optional
        Address of a Dask scheduler whose workers fit the blocks, with the same digits.

    Returns
    -------
    MultiverseResult

    Raises
    ------
    PasimetaError
        For choices or options that can't be, a cap below 1, no study at all, or a scheduler that can't be used.

    Notes
    -----
    A share of specifications is no probability: it weighs every combination alike, however likely it is to be right,
    and a model with many options weighs more than one with few. Read the range, and which choice makes it.

    References
    ----------
    Steegen S, Tuerlinckx F, Gelman A, Vanpaemel W. Increasing transparency through a multiverse analysis. Perspect
    Psychol Sci 2016;11:702-712. Voracek M, Kossmeier M, Tran US. Which data to meta-analyze, and how? A
    specification-curve and multiverse-analysis approach to meta-analysis. Z Psychol 2019;227:64-82.
    """
    level = check_level(level)
    if inclusion is None:
        inclusion = {"as analysed": tuple(responses.loc[responses["included"], "study"].unique())}
    found = data_sets(
        responses,
        inclusion,
        thresholds=thresholds,
        imputations=imputations,
        timepoints=timepoints,
        unreported=unreported,
        allocations=allocations,
    )
    drawn = specifications(found, tuple(options) if options is not None else analyses(), cap=cap, seed=seed)
    fits, fit = drawn.distinct_fits()
    return MultiverseResult(
        frame=drawn.frame(fit, _fitted(fits, level, progress, scheduler)),
        possible=drawn.possible,
        distinct=len(fits),
        cap=cap,
        seed=seed,
        limits=tuple(limits),
        level=level,
        warnings=_doubts(drawn, seed),
    )


def _fitted(
    fits: Sequence[tuple[Counts, Analysis]], level: float, progress: Progress | None, scheduler: str | None
) -> Array:
    parts = blocks(fits, level)
    results = fitted_here(parts, progress) if scheduler is None else fitted_there(parts, scheduler, progress)
    values = np.empty((len(RESULTS), len(fits)))
    for part, result in zip(parts, results, strict=True):
        values[:, part.places] = result
    return values


def _doubts(drawn: Specifications, seed: int) -> tuple[str, ...]:
    doubts = []
    if len(drawn) < drawn.possible:
        doubts.append(
            f"{len(drawn):,} of {drawn.possible:,} specifications were drawn at random (seed {seed}) and fitted"
        )
    alone = sum(len(each.n) == 1 for each in drawn.data)
    if alone:
        doubts.append(
            f"{alone} of {len(drawn.data)} data sets hold a single study, where most choices over the analysis "
            "change nothing"
        )
    return tuple(doubts)
