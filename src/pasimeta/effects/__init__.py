"""Effect sizes: from counts and means to estimates with a sampling variance or an exact interval."""

from pasimeta.effects.counts import EffectSizes, escalc
from pasimeta.effects.intervals import Interval, proportion_ci
from pasimeta.effects.pasi import area_grades, improvement_rate, pasi_score, reaches, responses
from pasimeta.effects.pasi_course import Relapses, relapses_below, relapses_by_loss, responses_at
from pasimeta.effects.pre_post import PRE_POST_MEASURES, pre_post, pre_post_values
from pasimeta.effects.proportions import PROPORTION_MEASURES
from pasimeta.effects.transformations import arcsine_inverse, back_transform, freeman_tukey_inverse, harmonic_mean
from pasimeta.effects.two_arm import TWO_ARM_MEASURES

__all__ = [
    "PRE_POST_MEASURES",
    "PROPORTION_MEASURES",
    "TWO_ARM_MEASURES",
    "EffectSizes",
    "Interval",
    "Relapses",
    "arcsine_inverse",
    "area_grades",
    "back_transform",
    "escalc",
    "freeman_tukey_inverse",
    "harmonic_mean",
    "improvement_rate",
    "pasi_score",
    "pre_post",
    "pre_post_values",
    "proportion_ci",
    "reaches",
    "relapses_below",
    "relapses_by_loss",
    "responses",
    "responses_at",
]
