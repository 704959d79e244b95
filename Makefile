# Everything a newcomer or CI types. Each target makes .venv from requirements.lock when it must.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
LOCKED := $(VENV)/.lock-installed
READY := $(VENV)/.project-installed

# Debian keeps mosquitto where only root's PATH looks.
export PATH := $(PATH):/usr/sbin:/sbin

BY_HAND := not firmware and not hardware

# Most stories wait for processes and timers, so two files go at a time. A file stays whole: its tests share a village.
SIDE_BY_SIDE := -n 2 --dist loadfile

# What the preflight looks for: these three need more than pip brings.
NEEDS := $(if $(filter test bench soak,$(MAKECMDGOALS)),all,basic)

.DEFAULT_GOAL := help
.PHONY: help demo test test-quick check bench soak lock clean preflight

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## One press, the whole way and back, without a radio
	$(VENV)/bin/kentongan demo

test: $(READY) ## All tests but the long runs; needs mosquitto and strace
	$(PY) -m pytest $(SIDE_BY_SIDE) -m "not soak and $(BY_HAND)"

test-quick: $(READY) ## The tests that need nothing but pip
	$(PY) -m pytest $(SIDE_BY_SIDE) -m "not mosquitto and not soak and $(BY_HAND)"

# No cache: it once kept an answer from before a file was there, and only a clean clone saw the fault.
check: $(READY) ## ruff, and mypy: strict in domain, engine and contract
	$(PY) -m ruff check --no-cache .
	$(PY) -m mypy

bench: $(READY) ## Measure speed: a table and JSON
	$(PY) -m benchmarks

soak: $(READY) ## The long runs with random faults
	$(PY) -m pytest -m "soak and $(BY_HAND)"

lock: ## Make requirements.lock anew; needs uv
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	    --generate-hashes --no-annotate --no-header --upgrade --quiet --output-file requirements.lock

clean: ## Remove .venv and what the tools leave behind
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

preflight:
	@PYTHON="$(PYTHON)" sh deploy/preflight.sh $(NEEDS)

$(LOCKED): requirements.lock | preflight
	@echo "Making $(VENV) from requirements.lock; this can take a minute or two."
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	@touch $@

$(READY): pyproject.toml $(LOCKED)
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
