# Every command of the project. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
PORT ?= 8888
BROWSER ?= yes
ARGS ?=
export PYTHON

BIN := .venv/bin
JS := xnb/widgets/js
JS_TOOLS := $(JS)/node_modules/.package-lock.json
HTML_MANAGER := tests/browser/html_manager
PEER := tests/bench/peer
JANUS_JS := tests/janus/js
JANUS_JS_PACKAGE := $(JANUS_JS)/node_modules/.package-lock.json
PEER_PACKAGE := $(PEER)/node_modules/.package-lock.json
JS_TESTS = $(shell find xnb tests -name '*.test.js' -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: help setup peer lab test test-fast check test-js bench binder-check html-manager front clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: ## make .venv and install what is missing; quick when nothing is (APT=no: no Debian packages)
	@./.ci/setup
	@$(MAKE) -s peer

peer: ## libwebrtc for Node (@roamhq/wrtc) and Janus' own clients (janus.js, janode), for interop tests; make setup does it too
	@if command -v npm >/dev/null; then \
		$(MAKE) -s $(PEER_PACKAGE) || \
			echo "setup: @roamhq/wrtc could not be installed; tests that need it are skipped and say so."; \
		$(MAKE) -s $(JANUS_JS_PACKAGE) || \
			echo "setup: janus.js and janode could not be installed; their tests are skipped and say so."; \
	else echo "setup: no @roamhq/wrtc without npm (apt-get install nodejs npm)"; fi

$(PEER_PACKAGE): $(PEER)/package-lock.json
	@echo "setup: installing @roamhq/wrtc into $(PEER)/node_modules"
	@npm --prefix $(PEER) ci --silent --no-audit --no-fund
	@touch $@

$(JANUS_JS_PACKAGE): $(JANUS_JS)/package-lock.json
	@echo "setup: installing janus.js and janode into $(JANUS_JS)/node_modules"
	@npm --prefix $(JANUS_JS) ci --silent --no-audit --no-fund
	@touch $@

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
	@$(BIN)/pytest --reruns 1 -n 2 --no-loadscope-reorder --durations=40 -m "not alone"
	@$(BIN)/pytest --reruns 1 -m alone

test-fast: check test-js ## the same without browser, wheel and other slow tests
	@$(BIN)/pytest --reruns 1 -n 2 --no-loadscope-reorder -m "not browser and not slow"

bench: setup ## measure against libwebrtc and write bench-results.json (ARGS="--quick"); see tests/bench
	@./tests/bench/prepare
	@$(BIN)/python -m tests.bench $(ARGS)

binder-check: setup ## build binder/ in a clean environment and open it behind a proxy: 2 to 4 min, root
	@$(BIN)/python -m tests.browser.binder $(ARGS)

html-manager: ## a page with ipywidgets' HTML manager, for the test that stands in for editors
	@npm --prefix $(HTML_MANAGER) ci --silent --no-audit --no-fund
	@npm --prefix $(HTML_MANAGER) run --silent build

front: setup $(JS_TOOLS) ## bundle the front end again (esbuild) into xnb/widgets/static
	@npm --prefix $(JS) run build

clean: ## remove what was made, but keep .venv and the bundles
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis test-output recordings
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	@find . -name node_modules -not -path './.venv/*' -prune -exec rm -rf {} +
