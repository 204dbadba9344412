# `make help` lists the targets. A bare machine needs Python 3.11+ and make; everything else goes into .venv.
VENV ?= .venv
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
NEEDS_PYTHON = $(if $(PYTHON),,$(error Python 3.11 or newer is needed: install it, or name it with PYTHON=/path/to/python3))
BIN := $(VENV)/bin
PO := $(wildcard locale/*/LC_MESSAGES/django.po)
MO := $(PO:.po=.mo)
ARGS ?=
export OMP_WAIT_POLICY ?= PASSIVE
unexport PYTHONDONTWRITEBYTECODE # tests start hundreds of processes: compiled once, they start faster
SCREENSHOTS ?= var/screenshots

.DEFAULT_GOAL := help
.PHONY: help setup run test test-fast test-faults screenshots check bench bench-pages bench-orders
.DELETE_ON_ERROR:

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

setup: $(VENV)/.installed $(MO) ## install the virtual environment, packages and translations

run: setup ## start web server and workers; PORT=8000 DATA_DIR=var
	@exec $(BIN)/python manage.py up

# A small training is no faster on two cores, and several tests run at once: half of the time they wait.
test test-fast: export OMP_NUM_THREADS ?= 1
test test-fast: export TRAINING_THREADS ?= 1

test: $(VENV)/.installed-test $(MO) ## run all tests; ARGS="-k name" chooses
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: $(VENV)/.installed-test $(MO) ## run the tests that need no server, browser or long training
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not processes and not browser and not slow" $(ARGS)

test-faults: $(VENV)/.installed-test $(MO) ## fault injection on real processes, two hours; see docs/reliability.md
	FAULTS=full $(BIN)/python -m pytest -m "processes or repeats" -p no:cacheprovider -s $(ARGS)

screenshots: $(VENV)/.installed-test $(MO) ## the pictures of the README, then every page in both languages, light and dark, wide and narrow; SCREENSHOTS=folder
	$(BIN)/python -m tests.browser.readme_pictures docs/images
	SCREENSHOTS=$(SCREENSHOTS) $(BIN)/python -m pytest -q tests/browser/test_accessibility.py $(ARGS)
	@echo "Pictures are in docs/images and $(SCREENSHOTS)."

check: $(VENV)/.installed-check $(MO) ## lint, types, import layers, migrations, translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m pytest -q tests/architecture/test_translations.py

bench: .venv-bench/.installed ## compare our algorithms with their peers; BENCH="pasta m5" ALGORITHMS="kan ets" BUDGET=60 WINDOWS=3
	@exec .venv-bench/bin/python -W ignore -m bench.run

bench-pages: $(VENV)/.installed $(MO) ## measure server times of every page; writes docs/results/page-speed.md; ROUNDS=30
	@exec $(BIN)/python -W ignore -m bench.pages

bench-orders: $(VENV)/.installed ## play the VN2 game and replay orders of daily sales; ORDERS="vn2 pasta m5"
	@exec $(BIN)/python -W ignore -m bench.orders $(ORDERS)

# A stamp is newer than pyproject.toml when the environment is up to date: a second start installs nothing.
$(VENV)/.installed: pyproject.toml
	$(NEEDS_PYTHON)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(VENV)/.installed-check: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --editable '.[check,test]'
	@touch $@

.venv-bench/.installed: pyproject.toml
	$(NEEDS_PYTHON)
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --editable '.[bench]'
	@touch $@

# A `#, fuzzy` header would make pybabel skip the file silently, so check that the result exists.
%.mo: %.po $(VENV)/.installed
	$(BIN)/pybabel --quiet compile -d locale -D django
	@test -f $@ && touch $@
