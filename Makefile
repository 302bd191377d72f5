# make demo: the last 24 hours of a contact centre on this machine. make test: the tests.
# make test-quick: those that start no process, for the hand at work.
# make soak: more and larger cases of tests that have smaller ones in make test, the blocks of the
# documentation, the built package on every Python at hand, and Spark (500 MB).
# make docs: the site, in build/docs.
# make check: lint, types, import contracts. Any Python from 3.11 on will do (PYTHON=... to choose).
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
QUICK := model ingest/test_aggregates.py spark/test_raw_rows.py store/test_derived_details.py reports/test_profile.py \
	reports/test_questions.py $(addprefix genesys/test_,payloads.py regions.py requests.py \
	retry_policy.py) $(addprefix golden/test_,formats.py metrics_page.py text.py) \
	$(addprefix contract/test_,docs.py imports.py prose.py) $(addprefix emulator/,queries wire)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-quick soak check bench docs clean

demo: .venv/demo
	@$(BIN)/halfhour demo

test: .venv/dev
	$(BIN)/python -m pytest

test-quick: .venv/dev
	$(BIN)/python -m pytest $(addprefix tests/,$(QUICK))

soak: .venv/spark
	$(BIN)/python -m pytest -m "soak or hypothesis" --hypothesis-profile soak --ignore tests/spark
	$(BIN)/python -m pytest -m soak -n 0 tests/spark

check: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: .venv/dev
	$(PIP) -e '.[bench]'
	$(BIN)/python bench/report_24h.py
	$(BIN)/python bench/emulator_speed.py
	$(BIN)/python bench/collector.py
	$(BIN)/python bench/store_speed.py
	$(BIN)/python bench/details_speed.py
	$(BIN)/python bench/files.py
	$(BIN)/python bench/dashboard.py
	$(BIN)/python bench/backfill.py

docs: .venv/dev
	$(BIN)/mkdocs build --quiet
	@echo "build/docs/index.html"

.venv/made:
	@test -n "$(PYTHON)" || { echo "halfhour needs Python 3.11 or newer, with venv" >&2; exit 1; }
	@echo "Setting up .venv with $(PYTHON); the first time takes a moment." >&2
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/demo: .venv/made pyproject.toml
	@$(PIP) -e .
	@touch $@

.venv/dev: .venv/made pyproject.toml
	@$(PIP) -e '.[dev]'
	@touch $@

.venv/spark: .venv/dev
	@$(PIP) -e '.[spark]'
	@touch $@

clean:
	rm -rf .venv build
