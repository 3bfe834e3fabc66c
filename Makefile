.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
PY := $(BIN)/python
# `make demo BACKEND=celery`
BACKEND ?= process
# Extra arguments for pytest: make test ARGS='-k celery -x'
ARGS ?=

.PHONY: help demo test test-arq check lint format types layers generate contract conformance bench clean setup services toolchains

help: ## Show this list
	@echo "Wove: keep a workflow inline in Python, run any task of it elsewhere."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done
	@echo
	@echo "Start with: make demo"

demo: ## A weave with one task here and one in a worker process (BACKEND=celery: a real Redis and Celery)
	@scripts/setup run
	@$(PY) scripts/demo.py $(BACKEND)

test: setup services ## Set up what the tests need, services and toolchains included, and run them
	@$(if $(ARGS),,scripts/toolchains)
	$(PY) -m pytest -n 2 --dist loadgroup --cov --cov-report=term $(ARGS)
	@$(if $(ARGS),,$(MAKE) --no-print-directory test-arq)
	@$(if $(ARGS),,scripts/workers test)

test-arq: ## The tests of arq, in .venv-arq: its packages contradict the others'
	@scripts/setup arq
	@scripts/services redis
	WOVE_TEST_BACKENDS=arq .venv-arq/bin/python -m pytest -n 2 --dist loadgroup -o cache_dir=.pytest_cache/arq \
	    -o testpaths='tests/adapters tests/backends/test_several_backends.py tests/backends/test_redis_restarts.py tests/backends/arq tests/e2e/test_arq_example.py' $(ARGS)

check: setup ## Format, lint, types, layers, the quick unit and contract tests: under two minutes
	@$(MAKE) --no-print-directory lint types layers
	$(PY) -m pytest -q -n 4 -m "not slow" tests/unit tests/contract tests/docs $(ARGS)

lint: setup ## Formatting and lint rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: setup ## Rewrite the files as `lint` wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: setup ## mypy --strict and pyright
	$(BIN)/mypy
	$(BIN)/pyright

layers: setup ## Which package may import which (import-linter)
	$(BIN)/lint-imports

generate: setup ## Make the stubs in generated/ from proto/
	$(PY) scripts/generate.py

contract: setup ## buf lint, format and breaking, golden vectors, and generated code up to date
	$(PY) -m pytest -q tests/contract $(ARGS)
	$(PY) scripts/generate.py --check

conformance: setup toolchains ## Run every worker of workers/ against a receiver that misbehaves; writes docs/conformance.md
	$(PY) scripts/conformance.py $(ARGS)

bench: setup ## Measure against the limits of this machine
	$(PY) -m bench $(ARGS)

clean: ## Remove what the other targets made (not .venv and .venv-arq: rm -rf does that)
	rm -rf .build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

setup:
	@scripts/setup dev

services:
	@scripts/services redis rabbitmq

toolchains:
	@scripts/toolchains
