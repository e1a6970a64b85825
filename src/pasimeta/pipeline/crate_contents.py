"""What is in the crate of a run: its files, software, parameters, evidence, notebooks and workflow, as entities."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasimeta.pipeline import manifest
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.fingerprint import cells_hash, evidence_hashes, file_hash
from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import RunRecord
from pasimeta.pipeline.sections import Parameters

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
LICENSE = "https://spdx.org/licenses/BSD-3-Clause"
WORKFLOW = "workflow/manifest.py"
EVIDENCE = "inputs/data/"
_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".yaml": "application/yaml",
}
_HOMES = {
    "python": "https://www.python.org/",
    "numpy": "https://numpy.org/",
    "pandas": "https://pandas.pydata.org/",
    "scipy": "https://scipy.org/",
    "pymare": "https://pymare.readthedocs.io/",
    "matplotlib": "https://matplotlib.org/",
    "papermill": "https://papermill.readthedocs.io/",
    "pydantic": "https://docs.pydantic.dev/",
    "pandera": "https://pandera.readthedocs.io/",
}
_README = """# {name}

{description}

`tables/` and `figures/` are the results, `notebooks/` the executed notebooks they come from. `inputs/` holds the
evidence, `parameters.json` every parameter, `workflow/` the notebooks as they were run. `run.json` and
`ro-crate-metadata.json` say what followed from what, with the SHA-256 of each file.
"""

Reference = dict[str, str]


@dataclass(slots=True)
class Contents:
    """The entities of a crate that say what there is, each added as it is described.

    Attributes
    ----------
    crate : ROCrate
    project : Project
    record : RunRecord
    folder : path
        The results, which become the crate.
    present : dict of str to str
        Hash of each file described, by its path in the folder.
    """

    crate: ROCrate
    project: Project
    record: RunRecord
    folder: Path
    present: dict[str, str] = field(default_factory=dict)

    def thing(self, identifier: str, kind: str, /, **properties: Any) -> Reference:
        """Add an entity that is no file, and return the reference to it."""
        from rocrate.model.contextentity import ContextEntity

        self.crate.add(ContextEntity(self.crate, identifier, {"@type": kind, **properties}))
        return reference(identifier)

    def file(self, path: str, /, *kinds: str, **properties: Any) -> Reference:
        """Describe a file that is in the folder."""
        self.present[path] = file_hash(self.folder / path)
        described: dict[str, Any] = {
            "@type": ["File", *kinds] if kinds else "File",
            "name": Path(path).name,
            "encodingFormat": _MEDIA_TYPES.get(Path(path).suffix, "application/octet-stream"),
            "contentSize": str((self.folder / path).stat().st_size),
            "sha256": self.present[path],
        }
        if path.startswith("tables/"):
            described["exampleOfWork"] = reference(f"#table/{Path(path).stem}")
        self.crate.add_file(dest_path=path, properties=described | properties)
        return reference(path)

    def copied(self, source: Path, path: str, /, *kinds: str, **properties: Any) -> Reference:
        """Copy a file into the folder and describe it."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, self.folder / path)
        return self.file(path, *kinds, **properties)

    def software(self) -> None:
        """Describe pasimeta, and what it ran on."""
        versions = dict(self.record.environment)
        own, system = versions.pop("pasimeta"), versions.pop("platform")
        needed = [
            self.thing(_HOMES[name], "SoftwareApplication", name=name, softwareVersion=version, url=_HOMES[name])
            for name, version in versions.items()
        ]
        self.thing(
            "#pasimeta",
            "SoftwareApplication",
            name="pasimeta",
            softwareVersion=own,
            softwareRequirements=needed,
            operatingSystem=system,
            license=reference(LICENSE),
        )
        self.thing("#python-language", "ComputerLanguage", name="Python", url="https://www.python.org/")

    def parameters(self, made: list[Notebook]) -> list[Reference]:
        """Describe each parameter and its value in this run; return the parameters."""
        self.file("parameters.json", name="Every parameter of the run")
        slots = []
        for section in ("common", *(notebook.section for notebook in made)):
            model = type(getattr(Parameters(), section))
            for key, info in model.model_fields.items():
                slot, name = f"#parameter/{section}.{key}", f"{section}.{key}"
                value, default = self.record.parameters[section][key], info.get_default(call_default_factory=True)
                self.value(f"#value/{name}", name, value)
                slots.append(
                    self.thing(
                        slot,
                        "FormalParameter",
                        name=name,
                        description=info.description,
                        additionalType=_data_type(default),
                        defaultValue=json.dumps(default) if isinstance(default, list) else default,
                        multipleValues=isinstance(default, list),
                        workExample=reference(f"#value/{name}"),
                    )
                )
        return slots

    def value(self, identifier: str, name: str, value: Any) -> Reference:
        """Describe a parameter's value."""
        if isinstance(value, list):  # an object would be taken for an entity
            value = [json.dumps(each) if isinstance(each, dict) else each for each in value]
        single = value[0] if isinstance(value, list) and len(value) == 1 else value  # as JSON-LD has it
        slot = reference(f"#parameter/{name}")
        return self.thing(identifier, "PropertyValue", name=name, value=single, exampleOfWork=slot)

    def evidence(self) -> Reference:
        """Copy and describe the data files; return the parameter they stand for."""
        slot = reference("#parameter/evidence")
        paths = list(evidence_hashes(self.project.data))
        files = [self.copied(self.project.root / path, f"inputs/{path}", name=path) for path in paths]
        described: dict[str, Any] = {
            "name": "The evidence: studies, comparators, judgements and sources",
            "description": "Facts in our own words, each with its source and where it stands there.",
            "hasPart": files,
            "exampleOfWork": slot,
        }
        self.crate.add_dataset(dest_path=EVIDENCE, properties=described)
        return self.thing(
            slot["@id"],
            "FormalParameter",
            name="data",
            description="Folder of the evidence.",
            additionalType="Dataset",
            workExample=reference(EVIDENCE),
        )

    def slot_of_table(self, table: str) -> Reference:
        """Describe a table as an output that the workflow has in every run."""
        return self.thing(
            f"#table/{table}",
            "FormalParameter",
            name=table,
            additionalType="File",
            encodingFormat="text/csv",
            workExample=reference(f"tables/{table}.csv"),
        )

    def tool(self, notebook: Notebook) -> Reference:
        """Copy and describe a notebook as it was run; if that version is gone, its cells are in the executed one."""
        source, path = self.project.notebooks / f"{notebook.name}.ipynb", f"workflow/notebooks/{notebook.name}.ipynb"
        recorded = self.record.notebooks[notebook.name].fingerprint["notebook"][notebook.name]
        taken = [f"common.{key}" for key in notebook.common] + [
            f"{notebook.section}.{key}" for key in self.record.parameters[notebook.section]
        ]
        described: dict[str, Any] = {
            "name": notebook.title,
            "version": recorded[:12],
            "programmingLanguage": reference("#python-language"),
            "input": [reference(f"#parameter/{name}") for name in taken]
            + [reference(f"#table/{table}") for table in notebook.reads]
            + [reference("#parameter/evidence")] * notebook.reads_evidence,
            "output": [reference(f"#table/{table}") for table in notebook.writes],
        }
        if source.is_file() and cells_hash(source) == recorded:
            return self.copied(source, path, "SoftwareSourceCode", **described)
        words = f"An earlier version, not kept; its cells are those of notebooks/{notebook.name}.ipynb."
        return self.thing(f"#{path}@{recorded[:12]}", "SoftwareSourceCode", description=words, **described)

    def workflow(
        self, tools: list[Reference], steps: list[Reference], inputs: list[Reference], outputs: list[Reference]
    ) -> None:
        """Copy and describe the manifest, which is the workflow."""
        self.copied(
            Path(manifest.__file__),
            WORKFLOW,
            "SoftwareSourceCode",
            "ComputationalWorkflow",
            "HowTo",
            name="The notebooks in order, with what each reads and writes",
            programmingLanguage=reference("#python-language"),
            version=self.record.environment["pasimeta"],
            license=reference(LICENSE),
            hasPart=tools,
            step=steps,
            input=inputs,
            output=outputs,
        )

    def root(self, made: list[Notebook], mentions: list[Reference]) -> None:
        """Describe the whole, with the actions that it mentions."""
        name = "Mesenchymal stromal cells for plaque psoriasis: one run of the meta-analysis"
        description = (
            f"Tables, figures and executed notebooks of {len(made)} notebooks, with the evidence and the parameters "
            "they follow from. Written by pasimeta; `pasimeta verify` recomputes every checksum."
        )
        write_text(self.folder / "README.md", _README.format(name=name, description=description))
        self.file("README.md", about=reference("./"))
        maintainers = self.thing("#maintainers", "Organization", name="The pasimeta maintainers")
        profiles = [self.thing(key, "CreativeWork", name=PROFILES[key], version=key[-3:]) for key in PROFILES]
        described: dict[str, Any] = {
            "name": name,
            "description": description,
            "datePublished": end_of(self.record.started, self.record.seconds),
            "license": self.thing(LICENSE, "CreativeWork", name="BSD 3-Clause License", identifier=LICENSE),
            "author": maintainers,
            "publisher": maintainers,
            "conformsTo": profiles,
            "mainEntity": reference(WORKFLOW),
            "mentions": mentions,
        }
        for key, value in described.items():
            self.crate.root_dataset[key] = value
        metadata = self.crate.metadata
        metadata["conformsTo"] = [reference(metadata.profile), profiles[-1]]


def reference(identifier: str) -> Reference:
    """Return a reference to an entity."""
    return {"@id": identifier}


def _data_type(value: Any) -> str:
    """Return the schema.org type of a parameter, by its default; of a list, that of its elements."""
    one = value[0] if isinstance(value, list) and value else value
    return {bool: "Boolean", int: "Integer", float: "Float"}.get(type(one), "Text")


def end_of(started: str, seconds: float) -> str:
    """Return when something ended that took so many seconds, in the form of its start."""
    return (datetime.fromisoformat(started) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
