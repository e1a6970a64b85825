# Two commands: `make report` runs the analysis, `make test` passes the tests. Both set up .venv from the lock first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: report test lab notebooks generated lock clean

report: $(STAMP)
	$(BIN)/pasimeta run

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist loadscope

lab: $(STAMP)
	$(BIN)/jupyter lab --notebook-dir=. notebooks/01_evidence.ipynb

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

clean:
	rm -rf $(VENV) results site

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "pasimeta needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
