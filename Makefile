# Two commands set up everything on a machine with Python 3.11 to 3.13, pip and make:
#   make run    environment, package, main scenario
#   make test   environment, package, whole test suite
# The environment is .venv in this folder; it is made again when pyproject.toml changes.

VENV   := .venv
BIN    := $(VENV)/bin
# The first interpreter that can run the package; set PYTHON to choose another one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { echo $$p; break; }; done)

# How many processes share the tests; each takes up to 2 GB, and compiles kernels for itself where another has not yet.
TESTERS ?= 2
IN_PARTS = -n $(TESTERS) --dist loadgroup

.PHONY: run test test-fast lint format bench clean

run: $(VENV)/installed
	@$(BIN)/neuroevo run scenarios/sunspots.toml

test: $(VENV)/installed-dev
	@$(BIN)/python -m pytest $(IN_PARTS)

test-fast: $(VENV)/installed-dev
	@$(BIN)/python -m pytest $(IN_PARTS) -m "not slow and not ray and not peers"

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed
	@$(BIN)/neuroevo bench

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "neuroevo needs Python 3.11, 3.12 or 3.13; none was found. Install one, or name it: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making the environment $(VENV) with $(PYTHON)" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(BIN)/python
	@echo "Installing neuroevo into $(VENV) (about a minute the first time)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	@echo "Installing neuroevo with its test and lint tools into $(VENV) (about a minute the first time)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/installed
