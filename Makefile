# Each target makes the virtual environment on first use. `make` alone lists the targets.

PYTHON ?= python3
ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python

# The tests run in one process more than there are cores: many of them wait for processes of their own.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1)
PYTEST := $(PY) -m pytest -q -n $(WORKERS) --dist loadfile

# Written when the environment is complete. Its name holds a checksum of this folder's path: a moved clone is set up anew.
READY := $(VENV)/.ready-$(shell pwd | cksum | cut -d ' ' -f 1)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint fix run golden wheel benchmark-compose benchmark-serve benchmark-suggest torture ci-full clean

help: ## list these targets
	@awk -F ' *:[^#]*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## replay a real incident and show its postmortem (ARGS="SCENARIO.yaml --out DIR")
	@$(VENV)/bin/scribe demo $(ARGS)

test: $(READY) ## run the tests (ARGS="-k words")
	@$(PYTEST) $(ARGS)

lint: $(READY) ## check style, format and types
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet . || { echo "The format differs: make fix"; exit 1; }
	@$(PY) -m mypy

fix: $(READY) ## put right what the linter can put right
	@$(PY) -m ruff check --quiet --fix . || true
	@$(PY) -m ruff format .

run: $(READY) ## serve Slack with the settings of the environment
	@$(VENV)/bin/scribe serve $(ARGS)

golden: $(READY) ## rewrite the golden files (then read the diff)
	@SCRIBE_GOLDEN=write $(PY) -m pytest -q -k golden $(ARGS)
	@git --no-pager diff --stat -- tests 2>/dev/null || true

wheel: $(READY) ## build the wheel into dist/
	@$(PY) -m build --wheel --no-isolation --outdir dist . >$(VENV)/wheel.log 2>&1 || { cat $(VENV)/wheel.log; exit 1; }
	@ls dist/*.whl

benchmark-compose: $(READY) ## time the making of documents of 100 to 10,000 entries
	@PYTHONPATH=. $(PY) benchmarks/compose.py $(ARGS)

benchmark-suggest: $(READY) ## how well entries are found in chat: precision, recall, kinds (ARGS="--why NAME")
	@PYTHONPATH=. $(PY) benchmarks/suggest.py $(ARGS)

benchmark-serve: $(READY) ## time lines of sixteen people at once, at the beginning and the end of 3,200
	@PYTHONPATH=. $(PY) benchmarks/serve.py $(ARGS)

torture: $(READY) ## kill it 200 times while people talk, lose nothing (ARGS="--kills 20 --seed 7")
	@PYTHONPATH=. $(PY) -m tests.torture $(ARGS)

ci-full: lint wheel ## lint, wheel and every test, the slow ones too
	@SCRIBE_EXAMPLES=10 $(PYTEST) -m "" $(ARGS)

clean: ## remove what these targets made (never data/)
	@rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find bot tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Python 3.11 or newer is needed, and '$(PYTHON)' was not found. On Debian or Ubuntu:"; \
	  echo "  apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another one, for example:"; \
	  echo "  make PYTHON=python3.12 $(or $(firstword $(MAKECMDGOALS)),test)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is incomplete here. On Debian or Ubuntu:"; \
	  echo "  apt-get install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"; exit 1; }
	@$(PY) -c 'import pip' 2>/dev/null || { \
	  echo "Making $(VENV) with $$($(PYTHON) -V) ..."; $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing what Scribe needs into $(VENV) (about a minute, once) ..."
	@$(PY) -m pip install --quiet --quiet --editable '.[dev]'
	@rm -f $(VENV)/.ready-*
	@touch $@
