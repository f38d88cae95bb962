# Two commands for everyone: `make demo` trains the quickstart, `make test` checks everything.
PYTHON ?= python3
VENV ?= .venv
TORCH ?= $(shell sed -n 's/^\(torch==.*\)/\1/p' requirements-dev.txt)
BIN := $(abspath $(VENV))/bin
export PATH := $(BIN):$(PATH)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Both at once, each one's output in one piece when it has ended, and the other goes on when one fails.
BESIDE := $(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target

.PHONY: help demo test lint types mypy pyright unit slow slurm explore out golden clean

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

$(VENV)/.installed: pyproject.toml requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("cfgc needs Python 3.11 or newer; say which: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "making $(VENV) and installing cfgc with torch and DeepSpeed (about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) $(TORCH)
	@$(PIP) -e '.[runtime]'
	@touch $@

$(VENV)/.developer: $(VENV)/.installed
	@echo "installing the tools that check the project"
	@$(PIP) -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.installed ## Compile specs/examples/quickstart.toml and train it on two CPU ranks
	$(BIN)/cfgc build specs/examples/quickstart.toml
	PYTHON=$(BIN)/python out/quickstart/launch.sh

test: lint types unit slow slurm ## Lint, types, and every test

lint: $(VENV)/.developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developer
	+@$(BESIDE) mypy pyright

mypy pyright: $(VENV)/.developer
	$(BIN)/$@

unit: $(VENV)/.developer
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

slow: $(VENV)/.developer
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow tests/unit tests/browser tests/determinism tests/deepspeed
	$(BIN)/python -m pytest -q -m "slow and not slurm" --ignore=tests/unit --ignore=tests/browser --ignore=tests/determinism --ignore=tests/deepspeed

slurm: $(VENV)/.developer ## Jobs on a real Slurm of four nodes, which root can start on one machine
	$(BIN)/python -m pytest -q -n 4 --dist worksteal tests/slurm

out: $(VENV)/.installed ## Rebuild the committed example bundles
	$(BIN)/python tools/rebuild_out.py

explore: $(VENV)/.developer ## Property tests on cases that were not drawn before
	$(BIN)/python -m pytest -q -n 2 -m hypothesis --hypothesis-profile=default

golden: $(VENV)/.developer ## Rewrite expected files from what cfgc says now
	$(BIN)/python -m tools.config_shapes
	$(BIN)/python -m pytest -q tests/golden tests/diagnostics tests/unit --update-golden

clean: ## Remove the venv and caches; runs stay
	rm -rf $(VENV) .venv-3.* .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
