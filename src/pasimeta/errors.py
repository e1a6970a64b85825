"""What pasimeta refuses, and what it doubts.

A refusal is an exception that names the thing and the remedy; a doubt is a warning, and is also kept on the result.
"""

from __future__ import annotations

import warnings


class PasimetaError(ValueError):
    """Input that can't be analysed. The message names the row, field or file, and what would mend it."""


class EvidenceError(PasimetaError):
    """A data file that breaks the evidence model."""


class ParameterError(PasimetaError):
    """A parameter that is unknown, of the wrong type, or out of range."""


class NotebookError(PasimetaError):
    """A notebook that did not run to its end."""


class PasimetaWarning(UserWarning):
    """A result that stands, with a doubt the reader must know of."""


def doubt(message: str, *, stacklevel: int = 3) -> str:
    """Warn of a doubt and return its text, to be kept in the result's ``warnings``.

    Parameters
    ----------
    message : str
        One sentence: what is doubtful and why.
    stacklevel : int
        As in :func:`warnings.warn`; the default points at the caller of the function that doubts.

    Returns
    -------
    str
        The message, unchanged.
    """
    warnings.warn(message, PasimetaWarning, stacklevel=stacklevel)
    return message
