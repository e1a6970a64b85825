"""Parameters as they were asked for, which may be known without reading them.

Reading a configuration and holding it against its models takes longer than everything else an unchanged run does; so a
run remembers in which words its parameters were asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pasimeta.pipeline.manifest import Notebook

_READERS = ("sections.py", "parameters.py")

Values = dict[str, dict[str, Any]]  # every parameter, by section


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration file and the overrides of the command line, unread.

    Attributes
    ----------
    path : path
        A YAML file shaped like ``config/analysis.yaml``.
    overrides : tuple of str
        ``section.key=value`` each.
    """

    path: Path
    overrides: tuple[str, ...] = ()

    def digest(self) -> str:
        """Return a hash of the words and of the code that reads them: the same hash, the same values."""
        files = [self.path, *(Path(__file__).with_name(name) for name in _READERS)]
        texts = [path.read_bytes() if path.is_file() else b"" for path in files]
        return hashlib.sha256(b"\0".join([*texts, json.dumps(self.overrides).encode()])).hexdigest()

    def values(self) -> Values:
        """Read and check them.

        Raises
        ------
        ParameterError
            Naming the file or override, the key, and what is allowed.
        """
        from pasimeta.pipeline.parameters import load_parameters

        return load_parameters(self.path, list(self.overrides)).model_dump()


def values_of(notebook: Notebook, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a notebook gets: the common parameters it names and its section's own, JSON-able."""
    return {**{name: values["common"][name] for name in notebook.common}, **values[notebook.section]}
