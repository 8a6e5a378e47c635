# Everything starts here, with nothing but Python 3.11 or newer and make. The first target lists the others.

SHELL := /bin/sh
PYTHON ?= $(shell for one in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$one"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUN := $(VENV)/.installed-run
TEST := $(VENV)/.installed-test
BROWSER := $(VENV)/.browser
CLIENTS := $(VENV)/.clients
ENGINES := $(VENV)/.engines
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo up test test-engines check bench docs onsite lock clean

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo "  Words for the program go into ARGS:  make demo ARGS=--once"

demo: $(RUN) ## a shop full of customers in a running console, after a minute or two
	$(BIN)/cegla demo $(ARGS)

up: $(RUN) ## start an empty installation
	$(BIN)/cegla up $(ARGS)

test: $(TEST) $(BROWSER) $(CLIENTS) ## run every test, as many side by side as there are cores (up to four)
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder $(ARGS)

test-engines: $(ENGINES) ## ask Spark what the tests ask the other engines; about a gigabyte is installed
	$(BIN)/python -m pytest tests/contracts/engines $(ARGS)

check: $(TEST) ## lint, types, import directions
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache

bench: $(RUN) ## measure, and print one table with the machine's facts (ARGS names some: collect intake import segments memory durability power_cuts restart)
	$(BIN)/python -m bench $(ARGS)

docs: $(RUN) ## write docs/reference from the rows of the code
	$(BIN)/python docs/generate.py

onsite: $(RUN) ## make the script for websites out of its modules
	$(BIN)/python onsite/build.py

lock: ## pin the requirements anew from pyproject.toml (needs uv)
	$(call compile,run,)
	$(call compile,test,--extra test -c requirements/run.txt)
	uv pip compile requirements/engines.in -c requirements/test.txt $(locking) -o requirements/engines.txt

clean: ## forget the installed environment and caches; data directories stay
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist

locking = --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header
compile = uv pip compile pyproject.toml requirements/build.in $(2) $(locking) -o requirements/$(1).txt

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Cegla needs Python 3.11 or newer: install it, or say where it is: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python lacks its venv module (on Debian: apt install python3-venv)"; exit 1; }

$(RUN): requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing Cegla into $(VENV) (once; about a minute) ..."
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(TEST): requirements/test.txt pyproject.toml | $(BIN)/python
	@echo "Installing Cegla and what its tests need into $(VENV) (once; about a minute) ..."
	@$(PIP) install --require-hashes -r requirements/test.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@ $(RUN)

# Chromium drives the tests of the console in a browser. Without it they are skipped and say so.
$(BROWSER): | $(BIN)/python
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then touch $@; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests (once) ..."; \
		{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } >$(VENV)/browser.log 2>&1 && touch $@ \
		|| echo "Chromium could not be installed (see $(VENV)/browser.log): browser tests are skipped."; \
	else echo "No Chromium here: browser tests are skipped. As root: apt-get install chromium"; fi

# The SDKs that tests/contracts/clients drives. What is missing is skipped and said.
$(CLIENTS): requirements/clients.txt tests/contracts/clients/package-lock.json | $(BIN)/python
	@echo "Installing the SDKs for the tests of clients (once) ..."
	@$(BIN)/python -m venv $(VENV)/clients && $(VENV)/clients/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/clients.txt \
		|| echo "The Python SDKs could not be installed: their tests are skipped."
	@if command -v npm >/dev/null; then \
		(cd tests/contracts/clients && npm ci --ignore-scripts --no-audit --no-fund >/dev/null) || echo "The npm SDKs could not be installed: their tests are skipped."; \
	else echo "No npm here: the tests of the npm SDKs are skipped."; fi
	@touch $@

# Spark and a Java of its own, for `make test-engines` alone.
$(ENGINES): requirements/engines.txt $(TEST) | $(BIN)/python
	@echo "Installing Spark for the tests of engines (once; about a gigabyte) ..."
	@$(PIP) install --require-hashes --no-build-isolation --no-compile -r requirements/engines.txt
	@touch $@
