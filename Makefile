# The few commands of the project. `make run` needs nothing but Python >= 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
CATALOGUES := $(wildcard translations/*/LC_MESSAGES/*.po)
COMPILED := $(CATALOGUES:.po=.mo)

.DEFAULT_GOAL := help
.PHONY: help install run test defences bench chaos look

help:
	@echo "make install  set up the environment in $(VENV)"
	@echo "make run      run Carebook on this machine; settings: docs/operations.md"
	@echo "make test     check and test everything"
	@echo "make defences  take out each defence, and look whether its test fails"
	@echo "make bench    measure, and print the table of docs/performance.md"
	@echo "make chaos    break a running Carebook 50 times, and look whether anything is lost"
	@echo "make look     take the pictures of the docs again (needs Chromium)"

install: $(INSTALLED) $(COMPILED)

run: install
	@exec $(BIN)/carebook serve

test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

defences: install
	$(BIN)/python tools/defences.py

bench: install
	$(BIN)/python -m bench

chaos: install
	$(BIN)/python -m chaos

look: install
	$(BIN)/python tools/pictures.py

# The stamp is touched last: an interrupted installation is done again.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Carebook needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Install a later one and name it: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv module. Debian, Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@[ -x $(BIN)/python ] && $(BIN)/python -c '' 2>/dev/null || { \
	  echo "Setting up $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

%.mo: %.po $(INSTALLED)
	$(BIN)/pybabel compile --use-fuzzy --input-file $< --output-file $@
