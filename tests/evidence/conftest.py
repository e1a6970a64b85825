"""A small project to break: a few studies and trials, and only the sources they name."""

import shutil

import pytest
from ruamel.yaml import YAML

from pasimeta.pipeline.project import Project

STUDIES = ("ahn2021", "cheng2022", "comella2018", "dejesus2016", "yao2021")
TRIALS = ("champion", "clear", "gordon2003")


def named_sources(node):
    """Yield every source id that a data file names."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "source" and isinstance(value, str):
                yield value
            elif key == "sources" and isinstance(value, list):
                yield from value
            else:
                yield from named_sources(value)
    elif isinstance(node, list):
        for item in node:
            yield from named_sources(item)


@pytest.fixture(scope="session")
def small_template(project, tmp_path_factory):
    root = tmp_path_factory.mktemp("small") / "project"
    shutil.copytree(project.config.parent, root / "config")
    (root / "notebooks").mkdir()
    data = root / "data"
    for folder, names in (("studies", STUDIES), ("comparators", TRIALS)):
        (data / folder).mkdir(parents=True)
        for name in names:
            shutil.copy(project.data / folder / f"{name}.yaml", data / folder)
    text = (project.data / "comparators" / "benchmarks.yaml").read_text(encoding="utf-8")
    (data / "comparators" / "benchmarks.yaml").write_text("- id:" + text.split("- id:")[1], encoding="utf-8")
    shutil.copy(project.data / "search.yaml", data)
    yaml = YAML(typ="safe")
    used = {name for path in data.rglob("*.yaml") for name in named_sources(yaml.load(path.read_text()))}
    blocks = (project.data / "sources.yaml").read_text(encoding="utf-8").split("\n")
    kept, keep = [], False
    for line in blocks:
        if line and not line.startswith((" ", "#")):
            keep = line.rstrip(":") in used
        if keep and not line.startswith("#"):
            kept.append(line)
    (data / "sources.yaml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return root


@pytest.fixture
def small_project(small_template, tmp_path):
    """A project of its own, to be broken."""
    shutil.copytree(small_template, tmp_path / "project")
    return Project(tmp_path / "project")
