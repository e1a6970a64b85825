"""The words parameters are asked for in tell whether their values are known, and the fast commands import little."""

import subprocess
import sys

import pytest

from pasimeta.errors import ParameterError
from pasimeta.pipeline.configuration import Configuration
from pasimeta.pipeline.parameters import load_parameters


def test_values_are_those_of_the_file_and_the_overrides(project):
    asked = Configuration(project.config, ("pooling.threshold=75",))
    assert asked.values() == load_parameters(project.config, ["pooling.threshold=75"]).model_dump()


def test_other_words_have_another_digest(project, tmp_path):
    copy = tmp_path / "analysis.yaml"
    copy.write_text(project.config.read_text())
    digest = Configuration(project.config).digest()
    assert Configuration(copy).digest() == digest
    assert Configuration(project.config, ("pooling.threshold=75",)).digest() != digest
    copy.write_text(project.config.read_text() + "# another word\n")
    assert Configuration(copy).digest() != digest


def test_missing_file_is_refused_when_it_is_read(tmp_path):
    asked = Configuration(tmp_path / "absent.yaml")
    assert asked.digest()
    with pytest.raises(ParameterError, match=r"absent\.yaml: can't be read"):
        asked.values()


@pytest.mark.parametrize("module", ["pasimeta.cli", "pasimeta.pipeline.runner", "pasimeta.pipeline.warm"])
def test_what_an_unchanged_run_imports_is_light(module):
    heavy = {"numpy", "pandas", "pydantic", "ruamel.yaml", "rich", "papermill", "jupyter_client", "nbformat", "rocrate"}
    source = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert heavy.isdisjoint(done.stdout.split())
