"""Write the graph of the notebooks as a Snakefile, for schedulers of clusters."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.graph import maker_of
from pasimeta.pipeline.manifest import NOTEBOOKS, Notebook

FILE = "Snakefile"

_HEAD = '''\
# The notebooks of the analysis, one rule each. Written by `pasimeta export snakemake`; change the manifest instead.
#
# From the project's folder, with Snakemake 9 (`make snakemake` sets it up in .venv-snakemake):
#     snakemake --cores 2                                         results/ and site/, as `pasimeta run` makes them
#     snakemake --cores 2 parts/05_thresholds/results/run.json    one notebook and what it depends on
#     snakemake --cores 2 --configfile other.yaml                 other parameters, such as `pooling: {threshold: 75}`
#     snakemake --cores 2 --config command=/opt/env/bin/pasimeta  pasimeta of another environment
# On SLURM, with snakemake-executor-plugin-slurm and the project on a shared file system:
#     snakemake --executor slurm --jobs 14 --default-resources slurm_account=NAME slurm_partition=NAME
# On Kubernetes, with snakemake-executor-plugin-kubernetes, a storage plugin, and an image that has pasimeta:
#     snakemake --executor kubernetes --jobs 14 --container-image IMAGE --config command=pasimeta \\
#         --default-storage-provider s3 --default-storage-prefix s3://BUCKET
# With --config scheduler=tcp://HOST:PORT the heavy grids go to the workers of a Dask cluster.
#
# Each rule runs its own notebook alone, into a folder of its own, so that rules never wait for one another; `report`
# gathers the folders. Parameters trigger by value. After a change of the package's own code, add --forceall.

import json
from pathlib import Path


configfile: "config/analysis.yaml"


COMMAND = config.get("command", ".venv/bin/pasimeta")
CLUSTER = f"--scheduler {config['scheduler']}" if "scheduler" in config else ""
SECTIONS = [name for name, keys in config.items() if isinstance(keys, dict)]
EVIDENCE = sorted(str(path) for path in Path("data").rglob("*.yaml"))


def parameters(*sections):
    """Return the parameters of these sections as options of the command line."""
    given = [(section, key, value) for section in sections for key, value in config[section].items()]
    return [text for section, key, value in given for text in ("-p", f"{section}.{key}={json.dumps(value)}")]


localrules:
    report,
'''

_RULE = """\
rule {rule}:
    input:
{inputs}
    output:
        "parts/{name}/results/run.json",
{tables}
    params:
        parameters=parameters({sections}),
    threads: 1
    resources:
        mem_mb=1500,
        runtime=30,
    shell:
        "{{COMMAND}} run --only {name} --jobs 1 --no-site{sources}"
        " {{params.parameters:q}} {{CLUSTER}} --out parts/{name}/results"
"""

_REPORT = """\
rule report:
    default_target: True
    input:
{inputs}
    output:
        "results/run.json",
        "site/index.html",
    params:
        parameters=parameters(*SECTIONS),
    shell:
        "{{COMMAND}} run{sources}"
        " {{params.parameters:q}} --out results --site site"
"""


def snakefile() -> str:
    """Return a Snakefile of the manifest's graph: one rule a notebook, and one that gathers what they made."""
    return "\n\n".join([_HEAD, _report(), *map(_rule, NOTEBOOKS)])


def write_snakefile(folder: Path) -> Path:
    """Write the Snakefile into a folder, and return its path."""
    write_text(folder / FILE, snakefile())
    return folder / FILE


def _rule(notebook: Notebook) -> str:
    tables = [f"parts/{maker_of(table).name}/results/tables/{table}.csv" for table in notebook.reads]
    inputs = [f'"notebooks/{notebook.name}.ipynb"', *(f'"{path}"' for path in tables)]
    inputs += ["EVIDENCE"] * notebook.reads_evidence
    makers = sorted({maker_of(table).name for table in notebook.reads})
    return _RULE.format(
        rule=notebook.section,  # a rule's name can't begin with a digit
        name=notebook.name,
        inputs=_lines(inputs),
        tables=_lines(f'"parts/{notebook.name}/results/tables/{table}.csv"' for table in notebook.writes),
        sections=_quoted(["common"] * bool(notebook.common) + [notebook.section]),
        sources=_sources(makers),
    )


def _report() -> str:
    names = [notebook.name for notebook in NOTEBOOKS]
    return _REPORT.format(
        inputs=_lines(f'"parts/{name}/results/run.json"' for name in names),
        sources=_sources(names),
    )


def _lines(items: Iterable[str]) -> str:
    return "\n".join(f"        {item}," for item in items)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _sources(names: Iterable[str]) -> str:
    return "".join(f'"\n        " --from parts/{name}/results' for name in names)
