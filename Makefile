# Two commands: `make report` runs the analysis, `make test` passes the tests. Both set up .venv from the lock first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
SNAKEMAKE := .venv-snakemake

.PHONY: report test lab snakemake notebooks generated lock clean

report: $(STAMP)
	$(BIN)/pasimeta run

test: $(STAMP) $(SNAKEMAKE)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist loadscope

lab: $(STAMP)
	$(BIN)/jupyter lab --notebook-dir=. notebooks/01_evidence.ipynb

# Snakemake in an environment of its own, and the analysis as a Snakefile (workflow/Snakefile says how to run it).
snakemake: $(STAMP) $(SNAKEMAKE)/.installed
	$(BIN)/pasimeta export snakemake

# Refresh what is committed but made: the executed notebooks and their headline figure, the default configuration,
# the data dictionary and its JSON schemas.
notebooks: $(STAMP)
	$(BIN)/python -m pasimeta.pipeline.refresh notebooks

generated: $(STAMP)
	$(BIN)/python -m pasimeta.pipeline.refresh generated

# Needs uv. No registry's name may enter the lock.
lock:
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --group test pyproject.toml --output-file requirements.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
	  requirements-snakemake.in --output-file requirements-snakemake.lock

clean:
	rm -rf $(VENV) $(SNAKEMAKE) results site parts workflow .snakemake

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "pasimeta needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(SNAKEMAKE)/.installed: requirements-snakemake.lock
	$(PYTHON) -m venv --clear $(SNAKEMAKE)
	$(SNAKEMAKE)/bin/python -m pip install --quiet --require-hashes --requirement requirements-snakemake.lock
	touch $@
