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
SCREENSHOTS ?= var/screenshots

.DEFAULT_GOAL := help
.PHONY: help setup run test faults screenshots check bench paces
.DELETE_ON_ERROR:

help: ## list what make can do here
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

setup: $(VENV)/.installed $(MO) ## virtual environment, packages and translations; starts nothing

run: setup ## start web server and workers; PORT=8000 and DATA_DIR=var are honoured
	@exec $(BIN)/python manage.py up

test: $(VENV)/.installed-test $(MO) ## run the tests; ARGS="-k name" chooses
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

faults: $(VENV)/.installed-test $(MO) ## kill, fill and flood real processes for two hours; see docs/reliability.md
	FAULTS=full $(BIN)/python -m pytest tests/faults -p no:cacheprovider -s $(ARGS)

screenshots: $(VENV)/.installed-test $(MO) ## pictures of every page, both languages, light and dark, wide and phone; SCREENSHOTS=folder
	SCREENSHOTS=$(SCREENSHOTS) $(BIN)/python -m pytest -q tests/browser/test_accessibility.py $(ARGS)
	@echo "Pictures are in $(SCREENSHOTS)."

check: $(VENV)/.installed-check $(MO) ## lint, types, floors of the house, migrations, translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m pytest -q tests/architecture/test_translations.py

bench: .venv-bench/.installed ## our algorithms beside their peers; BENCH="pasta m5" ALGORITHMS="kan ets" BUDGET=60 WINDOWS=3
	@exec .venv-bench/bin/python -W ignore -m bench.run

paces: $(VENV)/.installed $(MO) ## server times of every page after a year of use, into docs/pages.md; ROUNDS=30
	@exec $(BIN)/python -W ignore -m bench.pages

# The stamps say that the environment holds what pyproject.toml asks for: a second start installs nothing.
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

# A `#, fuzzy` header would make pybabel skip the file without a word, so the result is asked for.
%.mo: %.po $(VENV)/.installed
	$(BIN)/pybabel --quiet compile -d locale -D django
	@test -f $@ && touch $@
