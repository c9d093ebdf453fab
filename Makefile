# Every target sets itself up: a machine with Python >= 3.11 and make is enough.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test test-fast check bench docs lock clean

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup
APT := apt-get install --yes --no-install-recommends
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
           --generate-hashes --no-emit-index-url --no-header
ENGINES := airflow prefect metaflow
INSTALLED_ENGINES := $(ENGINES:%=.venv/engines/%/.installed)

help: ## say what there is
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: .venv/.installed ## the locked dependencies and seatrial itself, in .venv

demo: setup ## the story: a model goes to production, a bad one is stopped
	@$(BIN)/seatrial demo

test: .venv/.installed-test $(INSTALLED_ENGINES) ## every test
	$(PYTEST)

test-fast: .venv/.installed-test ## the tests that take no more than a few seconds each
	$(PYTEST) -m 'not slow'

check: .venv/.installed-test docs ## what CI runs: lint, types, layers, docs, every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

docs: .venv/.installed ## every link leads somewhere, every word and command has its page
	$(BIN)/python docs/check.py

bench: .venv/.installed-test $(INSTALLED_ENGINES) ## the figures, side by side with peers: benchmarks/RESULTS.md
	$(BIN)/python benchmarks/run.py

lock: .venv/.created ## pin the newest allowed dependencies anew
	$(PIP) install uv
	$(COMPILE) --upgrade pyproject.toml --output-file requirements.lock
	$(COMPILE) --upgrade pyproject.toml --group test --constraints requirements.lock --output-file requirements-test.lock
	$(COMPILE) --upgrade requirements-build.in --output-file requirements-build.lock
	for engine in $(ENGINES); do \
	  $(COMPILE) --upgrade tests/engines/locks/$$engine.in --output-file tests/engines/locks/$$engine.lock; \
	done

clean: ## remove what make made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks docs -name __pycache__ -prune -exec rm -rf {} +

# The newest interpreter that really runs: a name on the path may be a shim with nothing behind it.
.venv/.created:
	@python=; \
	for name in python3.13 python3.12 python3.11 python3; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'seatrial needs Python 3.11 or newer: none of python3.13, python3.12, python3.11, python3 runs here.' >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "$$python cannot make virtual environments: install its venv module first (Debian: apt-get install python$$version-venv)." >&2; exit 1; \
	  fi; \
	  apt-get update --quiet; \
	  $(APT) "python$$version-venv" || $(APT) python3-venv; \
	fi; \
	echo "making .venv with $$($$python --version)"; \
	$$python -m venv --clear .venv
	@touch $@

# Not isolated: the tools that build seatrial are pinned and hashed like everything else.
.venv/.installed: .venv/.created requirements.lock requirements-build.lock pyproject.toml
	@echo 'installing the locked dependencies (a minute or two the first time)'
	@$(PIP) install --require-hashes -r requirements-build.lock
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@if ! $(BIN)/python -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' >/dev/null 2>&1; then \
	  if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo 'LightGBM needs the system library libgomp.so.1: install it first (Debian: apt-get install libgomp1).' >&2; exit 1; \
	  fi; \
	  apt-get update --quiet; $(APT) libgomp1; \
	fi
	@touch $@

.venv/.installed-test: .venv/.installed requirements-test.lock
	@echo 'installing what only tests need'
	@$(PIP) install --require-hashes -r requirements-test.lock
	@missing=; \
	command -v wrk >/dev/null || missing="$$missing wrk"; \
	command -v java >/dev/null || missing="$$missing openjdk-17-jre-headless"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v qemu-x86_64 >/dev/null || missing="$$missing qemu-user"; \
	test -x /usr/sbin/pgbouncer || missing="$$missing pgbouncer"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update --quiet; $(APT) $$missing; \
	  else \
	    echo "left out: the tests that need$$missing (Debian: apt-get install$$missing)" >&2; \
	  fi; \
	fi
	@touch $@

# An engine lives as in its users' hands: in an environment of its own, without seatrial.
.venv/engines/%/.installed: .venv/.created tests/engines/locks/%.lock
	@echo 'installing $* for the tests of engines'
	@$(BIN)/python -m venv --clear --without-pip $(@D)
	@$(PIP) --python $(@D)/bin/python install --require-hashes -r tests/engines/locks/$*.lock
	@touch $@
