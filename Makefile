# Catalyst Health Monitor. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

PYTHON ?= python3
DEMO ?= 1
VENV := .venv
TOOLS := .tools
BIN := $(VENV)/bin
# Tools of our own folder come last: what the machine has wins.
export PATH := $(PATH):$(CURDIR)/$(TOOLS)/bin

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# uv makes the environment; where it is missing, pip puts it into a folder of the project.
UV := $(or $(shell command -v uv 2>/dev/null),$(TOOLS)/uv/bin/uv)

$(TOOLS)/uv/bin/uv:
	@echo "Getting uv ..."
	$(PYTHON) -m venv $(TOOLS)/uv
	$(TOOLS)/uv/bin/pip install --quiet --disable-pip-version-check uv

.PHONY: install
install: $(if $(findstring $(TOOLS),$(UV)),$(UV)) ## make the environment in .venv
	@echo "Making the environment in $(VENV) ..."
	$(UV) sync --frozen --quiet --python "$$(command -v $(PYTHON))"

.PHONY: check
check: install ## format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: test
test: check ## run all checks and tests
	$(BIN)/pytest
