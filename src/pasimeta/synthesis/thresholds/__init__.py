"""Every PASI threshold at once: ordered categories, censored counts, one response curve."""

from pasimeta.synthesis.thresholds.pool import pool_thresholds
from pasimeta.synthesis.thresholds.result import ThresholdResult

__all__ = ["ThresholdResult", "pool_thresholds"]
