# The commands of the README. `make run` needs nothing but Python 3.11 or newer; another one is
# named by PYTHON=...; the environment lies in .venv.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python, \
	$(shell command -v $(name) >/dev/null 2>&1 \
		&& $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
		&& echo $(name))))
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
VENV_STAMP := .venv/.stamp-venv
RUN_STAMP := .venv/.stamp-run
TEST_STAMP := .venv/.stamp-test

.PHONY: help run test bench check format setup clean
.DEFAULT_GOAL := help

help:
	@echo "make run    the demonstration; results in out/"
	@echo "make test   the test suite"
	@echo "make bench  the benchmarks; results in out/"
	@echo "make check  ruff and mypy"
	@echo "make format let ruff rewrite the layout"
	@echo "make setup  the environment for all of these, in .venv"
	@echo "make clean  remove what these commands made, but for .venv and the model cache"

run: $(RUN_STAMP)
	$(BIN)/neurosym demo --out out/

test: $(TEST_STAMP)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

bench: $(RUN_STAMP)
	$(BIN)/python -m benchmarks.run --out out/

check: $(TEST_STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(TEST_STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

setup: $(TEST_STAMP)

clean:
	rm -rf out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

# A stamp is newer than what decides about the installation: pip runs again only after a change.
$(RUN_STAMP): pyproject.toml constraints.txt | $(VENV_STAMP)
	@echo "installing neurosym into .venv (once)"
	$(PIP) -e .
	@touch $@

$(TEST_STAMP): pyproject.toml constraints.txt | $(VENV_STAMP)
	@echo "installing neurosym and its test tools into .venv (once)"
	$(PIP) -e '.[test]'
	@touch $@ $(RUN_STAMP)

# The stamp comes last: an environment whose making was interrupted is completed next time.
$(VENV_STAMP):
	@test -n "$(PYTHON)" || { echo "neurosym needs Python 3.11 or newer, and none was found:\
	 install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "neurosym needs\
	 Python 3.11 or newer; $(PYTHON) is $$("$(PYTHON)" --version 2>&1): name another one with\
	 make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual\
	 environments: install its venv package (on Debian and Ubuntu: apt install python3-venv)" >&2; \
	 exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv .venv
	@touch $@
