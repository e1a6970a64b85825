"""Moderators: dose, sex, and other reasons why one patient or study responds and another doesn't."""

from pasimeta.moderators.meta_regression import MetaRegressionResult, meta_regression
from pasimeta.moderators.subgroup import SubgroupResult, subgroup

__all__ = ["MetaRegressionResult", "SubgroupResult", "meta_regression", "subgroup"]
