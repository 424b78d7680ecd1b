# What a newcomer types. Each target does its own set-up in .venv; the second time that takes no time.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.cvseg-ready
DEMO_OUT ?= cvseg-demo
DEMO_FLAGS ?=
# Processes for the tests; 1 runs them in this one, which is easier to debug.
TEST_JOBS ?= 2
PYTEST_FLAGS ?=
# Fast tests first, then whole runs, then the built wheel.
LATE_TESTS := tests/end_to_end tests/packaging
UNIT_TESTS := $(filter-out $(addsuffix /,$(LATE_TESTS)),$(sort $(wildcard tests/*/))) $(wildcard tests/test_*.py)
ALL_TESTS := $(filter-out tests/__pycache__/,$(UNIT_TESTS)) $(wildcard $(LATE_TESTS))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint clean python compiler

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## segment and track moving objects in a rendered clip; writes ./cvseg-demo
	$(BIN)/cvseg demo -o $(DEMO_OUT) $(DEMO_FLAGS)

test: compiler lint ## all checks and tests, the built wheel included
	$(BIN)/pytest -n $(TEST_JOBS) --doctest-modules $(PYTEST_FLAGS) cvseg $(ALL_TESTS)

lint: $(READY) ## style, spelling and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell cvseg kernels tests benchmarks docs README.md Makefile setup.py pyproject.toml
	$(BIN)/mypy

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis $(DEMO_OUT)
	find cvseg kernels tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# An interrupted set-up leaves no stamp, so the next call starts over; an environment whose Python is gone is replaced.
$(READY): setup.py pyproject.toml
	@$(MAKE) --no-print-directory python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  echo "Making $(VENV) with $$($(PYTHON) --version)"; rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@echo "Installing cvseg and what its tests need into $(VENV) (once; two minutes on a fast line)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	@touch $@

python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "'$(PYTHON)' is not found. Install it:  sudo apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "$$($(PYTHON) --version) is too old; cvseg needs 3.10 or newer. Name another:  make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$$($(PYTHON) --version) cannot make environments. Install the missing part:  sudo apt-get install" \
	       "$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"; exit 1; }

compiler:
	@command -v g++ >/dev/null || { \
	  echo "The tests run the CUDA kernels on the CPU through g++. Install it:  sudo apt-get install g++"; exit 1; }
