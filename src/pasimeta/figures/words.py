"""Alternative text from pieces: sentences that end once."""

from __future__ import annotations


def sentence(text: str | None) -> str:
    """``text`` on one line, closed by a full stop and a space; nothing for no text."""
    flat = " ".join((text or "").replace("\n", " ").split(" ")).strip()
    if not flat:
        return ""
    return f"{flat} " if flat.endswith((".", "?", "!")) else f"{flat}. "
