"""Slow things, each computed once in a process of its own, so that no click waits for them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.evidence import tables
from pasimeta.evidence.comparator_arms import comparator_arms
from pasimeta.evidence.inclusion import Decision, InclusionRule, decide_all
from pasimeta.evidence.store import Evidence, load_evidence
from pasimeta.pipeline.sections import RobustnessParameters, ThresholdsParameters
from pasimeta.synthesis.thresholds import ThresholdCurve, pool_thresholds

OTHER_TREATMENTS = ("Placebo", "Methotrexate", "Biologics")


def specification_estimates(data: Path, threshold: int, chosen: RobustnessParameters) -> Array:
    """Pooled rates of every specification at a threshold, ascending; as notebook 10 computes them.

    Empty where no study counts anything under any of its choices.
    """
    from pasimeta.robustness import multiverse, studies_by_rule

    evidence, decisions = _evidence(data)
    responses = tables.responses(evidence, decisions)
    rules = studies_by_rule(evidence)
    try:
        found = multiverse(responses, rules, thresholds=(threshold,), cap=chosen.cap, seed=chosen.seed)
    except PasimetaError:
        return np.empty(0)
    return np.sort(found.frame["estimate"].to_numpy(float))


def treatment_curves(data: Path, level: float, chosen: ThresholdsParameters) -> dict[str, ThresholdCurve]:
    """Response curves of other treatments, from comparator trials; as notebook 05 draws them."""
    arms = comparator_arms(tables.comparators(*_evidence(data)))
    curves = {}
    for name in OTHER_TREATMENTS:
        own = arms["group"] == name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PasimetaWarning)  # their doubts are told in notebook 05
            fit = pool_thresholds(
                arms[own], comparators=arms[~own], form=chosen.form, link=chosen.link, level=level, predict=[]
            )
        curves[name] = ThresholdCurve(fit.k, fit.curve, level)
    return curves


@dataclass(eq=False, slots=True)
class Background:
    """Jobs by what they are given, in one process with little priority."""

    _jobs: dict[Hashable, Future[Any]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _pool: ProcessPoolExecutor | None = None

    def result(self, job: Callable[..., Any], *given: Any, on_ready: Callable[[], None] | None = None) -> Any:
        """Return what a job gives, or None while it runs (and if it has failed).

        Parameters
        ----------
        job : callable
            A function of a module.
        given : hashable
            Its arguments.
        on_ready : callable, optional
            Called from another thread once the result can be had, if it can't yet.
        """
        future = self._future(job, given)
        if future.done():
            return None if future.cancelled() or future.exception() else future.result()
        if on_ready is not None:
            ready = on_ready
            future.add_done_callback(lambda done: None if done.cancelled() else ready())
        return None

    def wait_for(self, job: Callable[..., Any], *given: Any) -> Any:
        """Return what a job gives, when it has."""
        return self._future(job, given).result()

    def close(self) -> None:
        """End the process, whatever it is at: Python would wait for it at exit."""
        if self._pool is not None:
            workers = list((self._pool._processes or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()

    def _future(self, job: Callable[..., Any], given: tuple[Any, ...]) -> Future[Any]:
        with self._lock:
            key = (job, repr(given))
            if key not in self._jobs:
                if self._pool is None:
                    self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_step_back)
                self._jobs[key] = self._pool.submit(job, *given)
            return self._jobs[key]


@cache
def _evidence(data: Path) -> tuple[Evidence, list[Decision]]:
    evidence = load_evidence(data)
    return evidence, decide_all(evidence, InclusionRule())


def _step_back() -> None:
    if hasattr(os, "nice"):  # not on Windows
        os.nice(10)
