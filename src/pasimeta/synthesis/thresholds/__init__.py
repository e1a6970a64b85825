"""Every PASI threshold at once: ordered categories, censored counts, one response curve."""

from pasimeta.synthesis.thresholds.pool import curve_posterior, pool_thresholds
from pasimeta.synthesis.thresholds.result import ThresholdCurve, ThresholdResult

__all__ = ["ThresholdCurve", "ThresholdResult", "curve_posterior", "pool_thresholds"]
