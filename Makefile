# Every command of the project. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
PORT ?= 8888
BROWSER ?= yes
export PYTHON

BIN := .venv/bin
JS := xnb/widgets/js
JS_TOOLS := $(JS)/node_modules/.package-lock.json
JS_TESTS = $(shell find xnb tests -name '*.test.js' -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: help setup lab test test-fast check test-js bench front clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

setup: ## make .venv and install what is missing; quick when nothing is (APT=no: no Debian packages)
	@./.ci/setup

lab: setup ## open JupyterLab on the first call (PORT=8888, BROWSER=no: only print the URL)
	@$(BIN)/python -m xnb lab --port $(PORT) $(if $(filter no 0 false,$(BROWSER)),--no-browser) \
		notebooks/01-first-call.ipynb

check: setup ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

test-js: setup ## the front end: types and tests of its logic
	@if command -v npm >/dev/null; then \
		$(MAKE) --no-print-directory $(JS_TOOLS) && npm --prefix $(JS) run --silent check; \
		if [ -n "$(JS_TESTS)" ]; then node --test $(JS_TESTS); fi; \
	else echo "front-end tests skipped: npm is missing (apt-get install nodejs npm)"; fi

$(JS_TOOLS): $(JS)/package-lock.json
	@npm --prefix $(JS) ci --no-audit --no-fund
	@touch $@

test: check test-js ## everything: linters, types, front end, Python, notebooks, browser
	@$(BIN)/pytest

test-fast: check test-js ## the same without browser, wheel and other slow tests
	@$(BIN)/pytest -m "not browser and not slow"

bench: setup ## measure and print; see tests/bench/README.md
	@for file in tests/bench/*.py; do $(BIN)/python "$$file"; done

front: setup $(JS_TOOLS) ## bundle the front end again (esbuild) into xnb/widgets/static
	@npm --prefix $(JS) run build

clean: ## remove what was made, but keep .venv and the bundles
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis test-output recordings
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	@find . -name node_modules -not -path './.venv/*' -prune -exec rm -rf {} +
