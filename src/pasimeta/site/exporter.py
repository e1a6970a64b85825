"""nbconvert's exporter to HTML, which writes a page's body from our template and leaves it at that."""

from __future__ import annotations

from typing import Any

from nbconvert import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter
from nbformat import NotebookNode


class BodyExporter(HTMLExporter):
    """An ``HTMLExporter`` that doesn't take what its template has written apart again.

    nbconvert parses the finished page to add what Jupyter's own templates leave out, the alternative text of images and
    stops for the keyboard. Ours has both, and drawings make parsing the dearest part of all.
    """

    def from_notebook_node(  # type: ignore[override]  # as nbconvert's own does
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the body and nbconvert's resources."""
        known = self._init_resources(resources)
        lexer = nb.metadata.get("language_info", {}).get("name")
        chosen = WidgetsDataTypeFilter(notebook_metadata=self._nb_metadata, parent=self, resources=known)
        self.register_filter("highlight_code", Highlight2HTML(pygments_lexer=lexer, parent=self))
        self.register_filter("filter_data_type", chosen)
        return TemplateExporter.from_notebook_node(self, nb, known, **kw)
