"""Refresh what is committed but made: notebooks, default configuration, data dictionary, schemas, worked examples."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from pasimeta.evidence.dictionary import data_dictionary, json_schemas
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.parameters import default_configuration
from pasimeta.pipeline.project import Project, find_project
from pasimeta.pipeline.sections import Parameters
from pasimeta.pipeline.worked_examples import OUTPUTS, examples_text

HEADLINE = "response_forest.png"
TUTORIAL = "tutorial.ipynb"


def generated_files() -> dict[str, str]:
    """Return the text of every generated file, by its path in the project."""
    schemas = {f"data/schema/{name}.schema.json": text for name, text in json_schemas().items()}
    return {"config/analysis.yaml": default_configuration(), "data/README.md": data_dictionary(), **schemas}


def refresh_generated(project: Project) -> None:
    """Write the generated files."""
    for name, text in generated_files().items():
        write_text(project.root / name, text)
    write_text(OUTPUTS, examples_text())


def refresh_notebooks(project: Project) -> None:
    """Execute the notebooks at default parameters and the tutorial, and write them back, with the README's figure."""
    from pasimeta.pipeline.executed import committed
    from pasimeta.pipeline.progress import Lines
    from pasimeta.pipeline.runner import Settings, run

    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        run(project, Parameters(), Settings(results=results, site=Path(folder) / "site"), Lines())
        for notebook in NOTEBOOKS:
            executed = results / "notebooks" / f"{notebook.name}.ipynb"
            write_text(project.notebooks / executed.name, committed(executed))
        (project.root / "docs").mkdir(exist_ok=True)
        shutil.copyfile(results / "figures" / HEADLINE, project.root / "docs" / HEADLINE)
    refresh_tutorial(project)


def refresh_tutorial(project: Project) -> None:
    """Execute the tutorial and write it back."""
    write_text(project.notebooks / TUTORIAL, executed_tutorial(project))


def executed_tutorial(project: Project) -> str:
    """Return the text of the tutorial as executed now, to be committed."""
    import nbformat
    from nbclient import NotebookClient

    from pasimeta.pipeline.executed import committed

    notebook = nbformat.read(project.notebooks / TUTORIAL, as_version=4)
    NotebookClient(notebook, resources={"metadata": {"path": str(project.notebooks)}}).execute()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / TUTORIAL
        nbformat.write(notebook, path)
        return committed(path)


if __name__ == "__main__":
    kinds = {"generated": refresh_generated, "notebooks": refresh_notebooks, "tutorial": refresh_tutorial}
    kinds[sys.argv[1]](find_project())
