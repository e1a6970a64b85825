"""The packages follow the way of the data: what comes later may import what came before, never the other way."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pasimeta

PACKAGE = Path(pasimeta.__file__).parent
STAGES = (
    ("errors",),
    ("evidence",),
    ("effects",),
    ("synthesis",),
    ("moderators", "robustness", "certainty", "forecast"),
    ("figures",),
    ("report",),
    ("pipeline",),
    ("site",),
    ("app",),
    ("cli",),
    ("__main__",),
)
STAGE = {name: stage for stage, names in enumerate(STAGES) for name in names}
#: A run ends by rendering its pages: that import waits inside a function until then.
DEFERRED = {("pipeline", "site")}


def part_of(path: Path, package: Path) -> str:
    return path.relative_to(package).parts[0].removesuffix(".py")


def names_in(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert not node.level, "a relative import"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):  # what importlib.import_module is given
        return [node.value]
    return []


def imported_parts(node: ast.AST, deferred: bool = False) -> Iterator[tuple[str, bool]]:
    """Parts of the package imported anywhere below a node, each with whether a function defers it."""
    for name in names_in(node):
        root, _, rest = name.partition(".")
        part = rest.partition(".")[0]
        if root == "pasimeta" and part in STAGE:
            yield part, deferred
    for child in ast.iter_child_nodes(node):
        if not runs_a_process(child):
            yield from imported_parts(child, deferred or isinstance(node, ast.FunctionDef))


def runs_a_process(node: ast.AST) -> bool:
    """Whether these are the words of a command: ``python -m pasimeta.cli`` imports nothing here."""
    return isinstance(node, ast.List) and any(isinstance(e, ast.Constant) and e.value == "-m" for e in node.elts)


def backward_imports(package: Path) -> set[str]:
    found = set()
    for path in package.rglob("*.py"):
        own = part_of(path, package)
        for part, deferred in imported_parts(ast.parse(path.read_text(encoding="utf-8"))):
            step_back = own != "__init__" and part != own and STAGE[part] >= STAGE[own]
            if step_back and not (deferred and (own, part) in DEFERRED):
                found.add(f"{path.relative_to(package).as_posix()}: {part}")
    return found


def test_every_part_has_its_stage():
    parts = {part_of(path, PACKAGE) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert parts == set(STAGE)


def test_imports_run_one_way():
    assert backward_imports(PACKAGE) == set()


def written(package: Path, part: str, source: str) -> Path:
    (package / part).mkdir(parents=True)
    (package / part / "module.py").write_text(source)
    return package


@pytest.mark.parametrize(
    "source",
    [
        "import pasimeta.figures.forest",
        "from pasimeta.figures.forest import forest",
        "from pasimeta import figures",
        "def draw():\n    from pasimeta.figures import forest",
        "import importlib\nimportlib.import_module('pasimeta.figures.forest')",
        "from pasimeta.robustness import gosh",
    ],
)
def test_a_step_back_or_aside_is_found_wherever_it_stands(source, tmp_path):
    assert len(backward_imports(written(tmp_path, "moderators", source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from pasimeta.synthesis import pool\nimport pandas",
        "from pasimeta.moderators.dose import dose_evidence",
        "command = [executable, '-m', 'pasimeta.cli', 'check']",
    ],
)
def test_a_step_forward_is_none(source, tmp_path):
    assert backward_imports(written(tmp_path, "moderators", source)) == set()


def test_pages_are_imported_when_a_run_renders_them_and_not_before(tmp_path):
    source = "from pasimeta.site.build import render_site"
    assert backward_imports(written(tmp_path / "at-once", "pipeline", source)) == {"pipeline/module.py: site"}
    assert backward_imports(written(tmp_path / "late", "pipeline", f"def render():\n    {source}")) == set()
