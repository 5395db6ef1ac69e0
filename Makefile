# Catalyst Health Monitor. `make help` lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
MAKEFLAGS += --no-print-directory

# The distribution's Python goes first where it is new enough: pyenv builds its own without optimisations.
DISTRIBUTED := $(shell /usr/bin/python3 -c 'import sys, venv; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null)
PYTHON ?= $(or $(DISTRIBUTED),python3)
DEMO ?= 1
TESTS_AT_ONCE ?= 2
TOOLS := $(CURDIR)/.tools
BIN := .venv/bin
# What the machine has wins over what we keep in our own folder.
export PATH := $(PATH):$(TOOLS)/bin

APT_TEST := docker-compose snmp snmpd
SNMP_EXPORTER := v0.30.1
UV := $(or $(shell command -v uv 2>/dev/null),$(TOOLS)/uv/bin/uv)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: up
up: install prometheus-tools ## start everything with a simulated network (DEMO=0: for real devices)
	@exec $(BIN)/chm up $(if $(filter 0 no false,$(DEMO)),,--demo)

.PHONY: install
install: $(if $(filter $(TOOLS)/%,$(UV)),$(UV)) ## make the environment in .venv
	@python=$$(command -v $(PYTHON)) || { echo "There is no $(PYTHON)" >&2; exit 2; }
	@[[ -x $(BIN)/chm ]] || echo "Making the environment in .venv ..."
	@$(UV) sync --frozen --quiet --python "$$python"

$(TOOLS)/uv/bin/uv:
	@echo "Getting uv ..."
	@for python in $(PYTHON) python3 none; do ! "$$python" -m pip --version >/dev/null 2>&1 || break; done
	@[[ $$python != none ]] || { echo "pip is missing: install uv, or pip (Debian: apt install python3-pip)" >&2; exit 2; }
	@"$$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target $(TOOLS)/uv uv

.PHONY: check
check: install ## format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: test
test: check prometheus-tools test-tools ## run all checks and all tests
	$(BIN)/pytest -n $(TESTS_AT_ONCE) --dist loadfile --no-loadscope-reorder

.PHONY: fidelity
fidelity: install ## compare with what another poller made of real devices (RECORDINGS=folder)
	@CHM_RECORDINGS="$(or $(RECORDINGS),$(CHM_RECORDINGS))" $(BIN)/python -m tests.fidelity

.PHONY: bench
bench: install prometheus-tools ## measure; prints ratios to the peers that `make peers` found
	@for benchmark in scrape probe encryption fleet; do $(BIN)/python -m bench.$$benchmark; done
	@$(BIN)/python -m bench.rules --devices=1000

.PHONY: soak
soak: install ## ten minutes at 200 scrapes/s; fails unless files, tasks and memory stay flat
	@$(BIN)/python -m bench.soak

.PHONY: docs
docs: install ## write the generated pages of docs/
	$(BIN)/python -m exporter.metrics > docs/metrics.md

# On Debian and Ubuntu the packages are unpacked into .tools: no root, no services that take the ports.
.PHONY: prometheus-tools
prometheus-tools:
	@alertmanager() { command -v alertmanager || command -v prometheus-alertmanager; }
	@if command -v prometheus >/dev/null && command -v promtool >/dev/null && alertmanager >/dev/null; then exit 0; fi
	@if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
		echo "Install Prometheus (prometheus, promtool) and Alertmanager (alertmanager, amtool), 2.42/0.25" >&2
		echo "or newer, from your distribution or prometheus.io/download, so that they are on the PATH." >&2
		exit 2
	fi
	@$(MAKE) unpack PACKAGES="prometheus prometheus-alertmanager" PAGES=prometheus
	@cd $(TOOLS)
	# Debian builds the folder of pages and templates into the programs. Made relative (of the same
	# length), it is found below the folder in which the programs are started.
	@for program in prometheus prometheus-alertmanager; do
		LC_ALL=C sed -i 's#/usr/share/prometheus/#usr/share//prometheus/#g' root/usr/bin/$$program
		rm -f bin/$$program
		printf '#!/bin/sh\ncd %q && exec ./usr/bin/%s "$$@"\n' "$(TOOLS)/root" $$program >bin/$$program
		chmod +x bin/$$program
	done

# The newest release is built from its module; `go install` would need the list of its versions, too.
.PHONY: peers
peers: ## get what benchmarks and tests compare with: snmp_exporter
	@if command -v apt-get >/dev/null; then $(MAKE) unpack PACKAGES=prometheus-snmp-exporter; fi
	@if ! command -v go >/dev/null; then
		echo "Go is missing: snmp_exporter $(SNMP_EXPORTER) is left out"
		exit 0
	fi
	@[[ ! -x $(TOOLS)/peers/snmp_exporter ]] || exit 0
	@echo "Building snmp_exporter $(SNMP_EXPORTER) ..."
	@mkdir -p $(TOOLS)/peers/src
	@cd $(TOOLS)/peers/src
	@printf 'module peers\n' >go.mod
	@folder=$$(go mod download -json github.com/prometheus/snmp_exporter@$(SNMP_EXPORTER) | sed -nE 's/.*"Dir": "(.*)".*/\1/p')
	@rm -rf snmp_exporter
	@cp -r "$$folder" snmp_exporter
	@chmod -R u+w snmp_exporter
	@cd snmp_exporter
	@GOFLAGS=-mod=mod go build -o $(TOOLS)/peers/snmp_exporter .

# apt's own lists where it has them, else lists of our own below .tools: neither needs root.
# PAGES names a package whose scripts and fonts for web pages are wanted too.
.PHONY: unpack
unpack:
	@mkdir -p $(TOOLS)/{bin,root,apt/{lists,cache}/partial,debs}
	@cd $(TOOLS)/debs
	@echo "Getting $(PACKAGES) ..."
	@apt=(-qq -o APT::Sandbox::User=root)
	@own() {
		apt+=(-o Dir::State::Lists=$(TOOLS)/apt/lists -o Dir::Cache=$(TOOLS)/apt/cache -o Debug::NoLocking=1)
		apt-get "$${apt[@]}" update
	}
	@apt-cache show $(PACKAGES) >/dev/null 2>&1 || own
	@only=(--no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances)
	@pages=$$([[ -z "$(PAGES)" ]] || apt-cache "$${apt[@]}" depends --recurse "$${only[@]}" $(PAGES) | sed -nE '/^(libjs|fonts)-/p')
	@for package in $(PACKAGES) $$pages; do rm -f "$$package"_*.deb; done
	@download() { apt-get "$${apt[@]}" download $(PACKAGES) $$pages; }
	# apt's own lists may be so old that their files are gone.
	@download 2>/dev/null || { own; download; }
	@for package in $(PACKAGES) $$pages; do
		dpkg-deb -x "$$package"_*.deb $(TOOLS)/root
		for program in $$(dpkg-deb -c "$$package"_*.deb | sed -nE 's#^-.* \./usr/bin/##p'); do
			ln -sf "../root/usr/bin/$$program" $(TOOLS)/bin/
		done
	done

.PHONY: test-tools
test-tools:
	@missing=()
	@for package in $(APT_TEST); do dpkg -s "$$package" >/dev/null 2>&1 || missing+=("$$package"); done
	@if (( $${#missing[@]} == 0 )); then exit 0; fi
	@command -v apt-get >/dev/null || { echo "The tests need on the PATH: docker-compose, and net-snmp (snmpd, snmpwalk)" >&2; exit 2; }
	@echo "Installing $${missing[*]} ..."
	@sudo=$$( (( EUID == 0 )) || echo sudo)
	@$$sudo apt-get -qq update
	@$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$${missing[@]}" >/dev/null
