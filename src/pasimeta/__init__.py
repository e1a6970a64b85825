"""A living meta-analysis of mesenchymal stromal cell therapy for plaque psoriasis, and the engine it runs on.

The packages follow the way of the data, and import in that direction only::

    evidence -> effects -> synthesis -> moderators, robustness, certainty, forecast
             -> figures -> report -> pipeline -> site -> app -> cli
"""

__version__ = "0.1.0"
