"""Order, concurrency and staleness follow from what notebooks declare and what code they can reach."""

from graphlib import TopologicalSorter

from pasimeta.pipeline.configuration import values_of
from pasimeta.pipeline.fingerprint import difference, evidence_hashes, fingerprint, notebook_source, reachable_modules
from pasimeta.pipeline.graph import maker_of, most_urgent_first, predecessors
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.parameters import load_parameters
from pasimeta.pipeline.sections import Parameters


def test_every_table_has_one_maker():
    made = [table for notebook in NOTEBOOKS for table in notebook.writes]
    assert len(made) == len(set(made))
    for notebook in NOTEBOOKS:
        assert {maker_of(table) for table in notebook.reads} <= set(NOTEBOOKS)


def test_manifest_order_is_an_order_of_the_graph():
    done = set()
    for notebook in NOTEBOOKS:
        assert predecessors(NOTEBOOKS)[notebook] <= done
        done.add(notebook)
    assert next(iter(TopologicalSorter(predecessors(NOTEBOOKS)).static_order())) == NOTEBOOKS[0]


def test_code_reaches_through_packages_and_lazy_imports():
    reached = reachable_modules("from pasimeta.synthesis.response import model_fit")
    assert {"pasimeta", "pasimeta.synthesis", "pasimeta.synthesis.response", "pasimeta.errors"} <= set(reached)
    assert "pasimeta.synthesis.exact_binomial" in reached  # imported inside a function, through the package
    assert "pasimeta.pipeline.runner" not in reached


def test_notebooks_do_not_depend_on_the_machinery_that_runs_them(project):
    for notebook in NOTEBOOKS:
        reached = reachable_modules(notebook_source(project.notebooks / f"{notebook.name}.ipynb"))
        assert not {"pasimeta.cli", "pasimeta.pipeline.runner", "pasimeta.pipeline.kernels"} & set(reached)


def test_each_kind_of_change_is_named(project, tmp_path):
    tables = tmp_path
    sex = next(n for n in NOTEBOOKS if n.section == "sex_subgroup")
    for name in sex.reads:
        (tables / f"{name}.csv").write_text("a\n")
    defaults = values_of(sex, Parameters().model_dump())
    data = evidence_hashes(project.data)
    before = fingerprint(project, sex, defaults, tables, data)
    assert difference(before, fingerprint(project, sex, defaults, tables, data)) is None
    other = values_of(sex, load_parameters(None, ["sex_subgroup.threshold=75"]).model_dump())
    assert difference(before, fingerprint(project, sex, other, tables, data)) == "parameters changed: threshold"
    (tables / f"{sex.reads[0]}.csv").write_text("b\n")
    changed = difference(before, fingerprint(project, sex, defaults, tables, data))
    assert changed == f"inputs changed: tables/{sex.reads[0]}.csv"
    older = {**before, "code": {**before["code"], "pasimeta.errors": "0"}}
    assert difference(older, before) == "code changed: pasimeta.errors"
    assert difference({**before, "notebook": {}}, before) == "the notebook's cells changed"


def test_what_the_longest_chain_waits_for_starts_first():
    waits_for = predecessors(NOTEBOOKS)

    def to_the_end(notebook):
        later = [other for other, makers in waits_for.items() if notebook in makers]
        return notebook.seconds + max(map(to_the_end, later), default=0)

    ordered = most_urgent_first(NOTEBOOKS)
    chains = [to_the_end(notebook) for notebook in ordered]
    assert chains == sorted(chains, reverse=True)
    assert set(ordered) == set(NOTEBOOKS)
    # a short notebook that much waits for goes before a longer one that nothing waits for
    by_name = {notebook.name: place for place, notebook in enumerate(ordered)}
    assert by_name["04_pooling"] < by_name["02_extraction"]
    assert ordered[0].name == "01_evidence"
