"""papermill's own engine, writing the notebook to disk now and then instead of twice a cell.

An engine is papermill's documented extension point; importing this module registers this one. The whole notebook is
validated and written each time, which for a notebook full of figures costs more than many a cell.
"""

from __future__ import annotations

from typing import Any

from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

NAME = "pasimeta"
SAVE_EVERY = 10.0  # seconds; the end of the notebook, good or bad, is always saved


class SparingEngine(NBClientEngine):
    """Executes like ``NBClientEngine``."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **options: Any) -> Any:
        """Execute the notebook, saving it at most every ``SAVE_EVERY`` seconds."""
        save = nb_man.save

        def sparing_save(**changed: Any) -> None:
            if (nb_man.now() - nb_man.last_save_time).total_seconds() >= SAVE_EVERY:
                save(**changed)

        nb_man.save = sparing_save
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.save = save


papermill_engines.register(NAME, SparingEngine)
