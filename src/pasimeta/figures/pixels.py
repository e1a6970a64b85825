"""A figure as PNG: 300 dots an inch, its words in the file's own text fields.

Half of what matplotlib needs for a PNG goes into trying five filters a line and into an opaque fourth channel. Line
drawings compress better without either, so matplotlib draws and pypng writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import png
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pasimeta.figures.theme import PNG_DPI, theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_DOTS_PER_METRE = round(PNG_DPI / 0.0254)
_COMPRESSION = 3  # beyond it, a tenth smaller for twice the time


def png_of(figure: Figure, words: Mapping[str, str]) -> bytes:
    """Return the drawing as a PNG file with text fields.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    words : mapping of str to str
        The text of each field, by its keyword (``Title``, ``Description``).
    """
    pixels = _pixels(figure)
    height, width, _ = pixels.shape
    buffer = BytesIO()
    _Writer(width, height, words).write_packed(buffer, pixels.reshape(height, -1))
    return buffer.getvalue()


def _pixels(figure: Figure) -> NDArray[np.uint8]:
    """Return red, green and blue, of shape (height, width, 3)."""
    dots_on_screen = figure.dpi
    canvas = FigureCanvasAgg(figure)
    with theme():
        try:
            figure.set_dpi(PNG_DPI)
            canvas.draw()
            return np.asarray(canvas.buffer_rgba())[..., :3]
        finally:
            figure.set_dpi(dots_on_screen)


class _Writer(png.Writer):
    """Writes opaque colours, and text fields ahead of them."""

    def __init__(self, width: int, height: int, words: Mapping[str, str]) -> None:
        super().__init__(
            width,
            height,
            greyscale=False,
            compression=_COMPRESSION,
            x_pixels_per_unit=_DOTS_PER_METRE,
            y_pixels_per_unit=_DOTS_PER_METRE,
            unit_is_meter=True,
        )
        self.words = words

    def write_preamble(self, outfile: IO[bytes]) -> Any:
        """Write what comes before the pixels."""
        super().write_preamble(outfile)
        for keyword, text in self.words.items():
            # PNG 1.2, 4.2.3.3: keyword, not compressed, language and translated keyword left out
            png.write_chunk(outfile, b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8"))
