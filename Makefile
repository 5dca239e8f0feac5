# Everything a person does with this checkout. `make` alone prints the menu.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := menu
.PHONY: menu demo test lint format freeze check hunt generate clean

menu: ## print this menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "birthdb needs Python 3.11 or newer: make PYTHON=/path/to/python3")'
	@echo "preparing $(VENV), once: this takes about a minute"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY) ## the whole story on real data, on a server of its own that is gone afterwards
	@$(BIN)/birthdb demo

test: $(READY) ## the tests, each on a fresh database
	@$(BIN)/python -m pytest -n 4 --dist worksteal

lint: $(READY) ## types, style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## format the Python files
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

freeze: $(READY) ## copy sql/ into the releases that are not declared, with hashes, dump and reference
	@$(BIN)/python -m birthdb.release freeze

check: $(READY) ## copies, sums, migrated = loaded, dump: has anything come apart?
	@$(BIN)/python -m birthdb.release check

hunt: $(READY) ## 20,000 changes to the released objects: does the semantic hash see each of them? minutes
	@$(BIN)/python -m birthdb.release.hunt

generate: $(READY) ## write what is generated from the catalogue of errors
	@$(BIN)/python -m birthdb.errorcatalogue

clean: ## remove everything that make has made
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis src/*.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
