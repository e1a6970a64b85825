"""Describe a run as a Provenance Run RO-Crate, so that its results can be archived and understood by themselves.

Beside ``run.json`` a run leaves ``ro-crate-metadata.json`` and copies of what it followed from: the data files in
``inputs/``, the notebooks and the manifest that orders them in ``workflow/``. With tables, figures and executed
notebooks the folder is a research object: workflow, inputs, parameters and outputs, and who made what from what.

References
----------
Leo S, Crusoe MR, Rodríguez-Navas L, et al. Recording provenance of workflow runs with RO-Crate. PLoS One
2024;19(9):e0309210. Profiles: https://w3id.org/ro/wfrun/provenance/0.5, https://w3id.org/ro/crate/1.1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pasimeta.pipeline import manifest
from pasimeta.pipeline.crate_contents import EVIDENCE, WORKFLOW, Contents, Reference, end_of, reference
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import CRATE, FILE, NotebookRecord, RunRecord

_TERMS = "https://w3id.org/ro/terms/workflow-run/context"
_COMPLETED = "http://schema.org/CompletedActionStatus"


def write_crate(project: Project, record: RunRecord, folder: Path) -> None:
    """Copy what a run followed from into its results, and write ``ro-crate-metadata.json``.

    Parameters
    ----------
    project : Project
    record : RunRecord
        Complete, and already written.
    folder : path
        The results: tables, figures, executed notebooks, ``parameters.json`` and ``run.json``.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(_TERMS)
    _Account(Contents(crate, project, record, folder)).complete()
    write_text(folder / CRATE, json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n")


@dataclass(frozen=True, slots=True)
class _Account:
    """What was done: which action made what of what, when and with what."""

    contents: Contents

    def complete(self) -> None:
        contents = self.contents
        parts = contents.record.notebooks
        made = [notebook for notebook in manifest.NOTEBOOKS if notebook.name in parts]
        contents.software()
        inputs = [*contents.parameters(made), contents.evidence()]
        results = [contents.file(path) for notebook in made for path in sorted(parts[notebook.name].outputs)]
        tools = [contents.tool(notebook) for notebook in made]
        outputs = [contents.slot_of_table(table) for notebook in made for table in notebook.writes]
        steps = [self._step(notebook, tool) for notebook, tool in zip(made, tools, strict=True)]
        contents.workflow(tools, steps, inputs, outputs)
        runs = [self._notebook_run(notebook, tool) for notebook, tool in zip(made, tools, strict=True)]
        whole = self._whole_run(results)
        self._organization(made, steps, runs, whole)
        contents.file(FILE, name="Record of the run", about=whole)
        contents.root(made, mentions=[whole, *runs, reference("#organization")])

    def _step(self, notebook: Notebook, tool: Reference) -> Reference:
        return self.contents.thing(
            f"#step/{notebook.name}",
            "HowToStep",
            name=notebook.name,
            position=str(manifest.NOTEBOOKS.index(notebook) + 1),
            workExample=tool,
        )

    def _action(self, identifier: str, kind: str, started: str, seconds: float, /, **properties: Any) -> Reference:
        times = {"startTime": started, "endTime": end_of(started, seconds)}
        return self.contents.thing(identifier, kind, **times, agent=reference("#pasimeta"), **properties)

    def _notebook_run(self, notebook: Notebook, tool: Reference) -> Reference:
        part = self.contents.record.notebooks[notebook.name]
        versions = part.fingerprint["environment"]
        return self._action(
            f"#run/{notebook.name}",
            "CreateAction",
            part.started,
            part.seconds,
            name=f"{notebook.name}: {notebook.title}",
            description=f"Executed with pasimeta {versions['pasimeta']} on Python {versions['python']}.",
            actionStatus=_COMPLETED,
            instrument=tool,
            object=[
                *self._values(notebook, part),
                *(self._input(*item) for item in part.fingerprint["inputs"].items()),
            ],
            result=[reference(path) for path in sorted(part.outputs)],
        )

    def _values(self, notebook: Notebook, part: NotebookRecord) -> list[Reference]:
        """Return the values a notebook ran with; one kept from an earlier run may have had others."""
        values = []
        for key, text in part.fingerprint["parameters"].items():
            section = "common" if key in notebook.common else notebook.section
            name, value = f"{section}.{key}", json.loads(text)
            if value == self.contents.record.parameters[section].get(key):
                values.append(reference(f"#value/{name}"))
            else:
                values.append(self.contents.value(f"#value/{name}@{notebook.name}", name, value))
        return values

    def _input(self, name: str, recorded: str) -> Reference:
        """Return a file a notebook read; a version that has been replaced since is named by its hash."""
        path = name if name.startswith("tables/") else f"inputs/{name}"
        if self.contents.present.get(path) == recorded:
            return reference(path)
        mark = f"#{path}@{recorded[:12]}"
        if self.contents.crate.get(mark) is None:
            self.contents.thing(
                mark, "CreativeWork", name=name, description="An earlier version, not kept.", sha256=recorded
            )
        return reference(mark)

    def _whole_run(self, results: list[Reference]) -> Reference:
        values = [
            reference(f"#value/{section}.{key}")
            for section, keys in self.contents.record.parameters.items()
            for key in keys
            if self.contents.crate.get(f"#value/{section}.{key}") is not None
        ]
        return self._action(
            "#run",
            "CreateAction",
            self.contents.record.started,
            self.contents.record.seconds,
            name="The run",
            description="Each notebook whose cells, code, parameters, inputs or environment had changed was executed; "
            "the results of the others were kept.",
            actionStatus=_COMPLETED,
            instrument=reference(WORKFLOW),
            object=[*values, reference(EVIDENCE), reference("parameters.json")],
            result=results,
        )

    def _organization(
        self, made: list[Notebook], steps: list[Reference], runs: list[Reference], whole: Reference
    ) -> None:
        controls = [
            self.contents.thing(
                f"#control/{notebook.name}",
                "ControlAction",
                name=f"Execution of {notebook.name}",
                instrument=step,
                object=run,
            )
            for notebook, step, run in zip(made, steps, runs, strict=True)
        ]
        self._action(
            "#organization",
            "OrganizeAction",
            self.contents.record.started,
            self.contents.record.seconds,
            name="Running the notebooks in their order",
            instrument=reference("#pasimeta"),
            object=controls,
            result=whole,
        )
