# Everything a person does with a checkout; `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PREFIX ?= /usr/local
BUILD  := .build/release
VENV   := .venv
PYTHON := $(VENV)/bin/python
# Static: a command starts in 3 ms instead of 6, and the binaries run where no Swift is installed.
SWIFT_FLAGS := -c release --static-swift-stdlib

APT := libsimdjson-dev libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev libmd-dev libre2-dev librdkafka-dev tzdata zstd python3 python3-venv curl
# For the tests alone: the browser that goes through the pages, and a client that tells what it hears of HTTP/2.
TEST_APT := chromium nghttp2-client
PEERS := duckdb pyarrow polars deltalake numpy pandas zstandard jsonschema schemathesis
COMMANDS := seq-ingest seq-filter seq-enrich seq-assemble seq-index seq-serve seq-store seq-config

# The backfill's input and output.
DEFINITIONS ?= $(SEQ_DEFINITIONS)
STORE  ?= $(or $(SEQ_STORE),store)
DATA   ?= .
TABLES ?= $(DATA)
FROM   ?= $(DATE)
TO     ?= $(FROM)

# How many random logs the soak tries.
SEQLINE_SOAK ?= 5000

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## generate events, run them through batch and streaming, serve them (SERVE=0: do not go on)
	PATH="$(CURDIR)/$(BUILD):$$PATH" examples/engagement/demo.sh

test: venv promtool ## build everything and run every test
	swift build -c release --build-tests
	@set -o pipefail; SEQLINE_PYTHON=$(CURDIR)/$(PYTHON) swift test -c release --skip-build 2>&1 | tee .build/test.log \
	  || { echo; echo "What failed (all of it: .build/test.log):"; grep -aA3 '✘' .build/test.log | grep -av '^◇\|^✔' | tail -n 60; exit 1; }

soak: ## SEQLINE_SOAK=5000: random logs by random ways into stores, each to end as one batch run leaves it
	swift build -c release --build-tests
	SEQLINE_SOAK=$(SEQLINE_SOAK) swift test -c release --skip-build --filter ConvergenceTests

build: packages ## build the commands into .build/release
	@for command in $(COMMANDS); do swift build $(SWIFT_FLAGS) --product $$command || exit 1; done

install: build ## install the commands and the authoring module under PREFIX (/usr/local)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/seqline/python/seqline"
	install -m 755 $(addprefix $(BUILD)/,$(COMMANDS)) "$(DESTDIR)$(PREFIX)/bin"
	install -m 644 python/seqline/*.py "$(DESTDIR)$(PREFIX)/share/seqline/python/seqline"

install-service: ## install what deploy/README.md describes: units, scripts, settings, cron
	install -d "$(DESTDIR)$(PREFIX)/libexec/seqline" "$(DESTDIR)/etc/systemd/system" "$(DESTDIR)/etc/seqline" "$(DESTDIR)/etc/cron.d"
	install -m 755 deploy/libexec/* "$(DESTDIR)$(PREFIX)/libexec/seqline"
	for file in deploy/systemd/*; do \
	  sed 's|/usr/local/|$(PREFIX)/|' $$file > "$(DESTDIR)/etc/systemd/system/$${file##*/}"; done
	sed 's|/usr/local/|$(PREFIX)/|g' deploy/crontab > "$(DESTDIR)/etc/cron.d/seqline"
	test -e "$(DESTDIR)/etc/seqline/seqline.env" || install -m 644 deploy/seqline.env "$(DESTDIR)/etc/seqline"

backfill: build ## DATE=D [FROM=D TO=E] DATA=dir STORE=dir: raw days into the store
	@test -n "$(FROM)" || { echo "make backfill DATE=2026-11-20, or FROM= and TO=" >&2; exit 2; }
	set -o pipefail; PATH="$(CURDIR)/$(BUILD):$$PATH"; export SEQ_DEFINITIONS="$(DEFINITIONS)"; \
	seq-ingest --root "$(DATA)" --date "$(FROM)..$(TO)" | seq-filter | seq-enrich --tables "$(TABLES)" | seq-assemble \
	  | seq-index --store "$(STORE)" --replace "$(FROM)..$(TO)"

bench: build ## measure the kernels and the pipelines
	bench/run.sh

format: ## format the Swift sources
	swift format -i -r --configuration .swift-format Package.swift Sources Tests

clean: ## remove what was built
	rm -rf .build $(VENV) demo

# What Debian has, installed when something is missing; nothing else needs the superuser.
packages:
	@missing=$$(for p in $(APT) $(EXTRA_APT); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok' || echo $$p; done); \
	if [ -n "$$missing" ]; then sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing; fi

# The other tools that the tests compare with.
venv: EXTRA_APT := $(TEST_APT)
venv: packages
	@test -f $(VENV)/.peers && [ "$$(cat $(VENV)/.peers)" = "$(PEERS)" ] || { \
	  python3 -m venv $(VENV) && $(VENV)/bin/pip install -q $(PEERS) && echo "$(PEERS)" > $(VENV)/.peers; }

# The judge of metrics and alerts, out of Debian's package: to install that would start a server.
promtool:
	@command -v promtool > /dev/null || test -x .build/tools/promtool || { mkdir -p .build/tools/deb && cd .build/tools/deb \
	  && apt-get download -qq prometheus && dpkg -x prometheus_*.deb . && mv usr/bin/promtool .. && cd .. && rm -r deb; } \
	  || echo "promtool cannot be had: its tests are skipped"

.PHONY: help demo test soak build install install-service backfill bench format clean packages venv promtool
