# Everything that is done to this repository has a target here; `make help` lists them.
#
# Needed on the machine: Go (the version that go.mod names), a C compiler for the race detector, Node.js with npm, git.
# Whatever else a target needs it installs itself, pinned, into .cache/ and bench/node_modules/: never globally.

SHELL      := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS  += --no-builtin-rules

GO         ?= go
CACHE      := $(CURDIR)/.cache
TOOLS      := $(CACHE)/bin
NODE_READY := bench/node_modules/.installed
BROWSER    := bench/browser
BROWSER_READY := $(BROWSER)/node_modules/.installed
CLIENTS    := bench/clients
FLIGHTS    := bench/node_modules/vega-datasets/data/flights-3m.parquet

GOLANGCI_VERSION    := v2.15.0
GOVULNCHECK_VERSION := v1.9.0
GOLANGCI    := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
GOVULNCHECK := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)

# Programs and libraries of others that send events, which tests hold the server to.
TELEGRAF_VERSION := v1.37.2
COLLECTOR := $(CACHE)/clients/collector
PYTHON    := $(CACHE)/clients/python/.installed
NODE_CLIENTS := $(CLIENTS)/node_modules/.installed
SHIPPERS  := $(CACHE)/clients/shippers/.installed
# The parts of Telegraf that docs/clients.md configures; whole, it depends on some 500 modules.
TELEGRAF_PARTS := custom,inputs.file,parsers.influx,outputs.http,outputs.influxdb,outputs.influxdb_v2,serializers.influx
comma     := ,
# With the number of parts in its name it is built anew when there are others.
TELEGRAF  := $(CACHE)/clients/telegraf-$(TELEGRAF_VERSION)-$(words $(subst $(comma), ,$(TELEGRAF_PARTS)))

FLINK_VERSION := 2.3.0
FLINK_READY   := $(CACHE)/flink-$(FLINK_VERSION)/bin/python
CHDB_VERSION  := 4.4.0
PEERS_READY   := $(CACHE)/peers/.installed
CHDB_READY    := $(CACHE)/chdb-$(CHDB_VERSION)/bin/python

# Empty outside of a git checkout; the program then says what Go recorded.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# PKG narrows race (and so test), stress and fuzz to some packages: make test PKG=./query/...
PKG      ?= ./...
# TEST_TIMEOUT bounds each package's tests, not their sum. The slowest take a few minutes of it on two cores.
TEST_TIMEOUT   ?= 20m
STRESS_TIMEOUT ?= 4h
FUZZTIME       ?= 30s

# Go tests that compare with DuckDB run when this is set, and skip when not.
export TIDEMARK_DUCKDB ?= $(CURDIR)/bench/duckdb_check.mjs

# The test of a subscription in a browser runs when this is set; it is skipped, and says so, where the browser cannot be installed.
export TIDEMARK_BROWSER ?= $(CURDIR)/$(BROWSER)

# Tests that send with programs of others run those that are in these folders; where one could not be installed, its test is skipped.
export TIDEMARK_CLIENTS ?= $(CACHE)/clients

# Node's packages and the cache may hold Go files of others; build output does not matter.
GO_FILES = $(shell find . \( -name node_modules -o -name '.?*' \) -prune -o -name '*.go' -print)

.PHONY: help
help: ## Print this list
	@echo 'make <target>, where target is one of:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/tidemark, stamped with the version
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/tidemark ./cmd/tidemark

.PHONY: demo
demo: build $(NODE_READY) ## Start a server with real events playing into it
	bin/tidemark demo --flights $(FLIGHTS)

.PHONY: test
test: check race whole ## Check format, vet, layout, and run all tests with the race detector

.PHONY: check
check: ## The quick part of test: format, vet, layout
	@unformatted=$$(gofmt -l $(GO_FILES)); \
	if [[ -n "$$unformatted" ]]; then echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) test -count=1 -timeout 2m .

.PHONY: race
race: $(NODE_READY) browser clients ## The long part of test: all tests with the race detector, and where their time went
	CGO_ENABLED=1 $(GO) test -race -json -timeout $(TEST_TIMEOUT) $(if $(filter ./...,$(PKG)),$(LONGEST)) $(PKG) | node scripts/tests.mjs

# Packages whose tests take longest. They begin first: begun last, they would go on alone when all others have come to an end.
LONGEST := ./server/app ./server/logictest ./query/exec ./query/continuous ./ingest

# Those that do less under the race detector.
WHOLE := TestFilesAreAnsweredAsAScriptWould|TestRecordingsInEveryFormat|TestTenViewsOverEveryRecording|TestConditionsSplitRowsInThree
WHOLE := $(WHOLE)|TestAllOfDevopsLands|TestAnEnormousRowIsTurnedAway|TestStateBeyondMemory|TestSnapshotsThatCannotBeRead
WHOLE := $(WHOLE)|TestViewsSimulated|TestContinuousAnswersAsBounded|TestRandomQueriesAnswerAsDuckDBDoes|TestIngestAndMergesStayInMemory|TestAnswers
WHOLE := $(WHOLE)|TestFilesAreMadeInBoundedMemory|TestRecordedFiles

.PHONY: whole
whole: $(NODE_READY) ## The rest of test: what takes too long with the race detector, without; with PKG nothing
	$(if $(filter ./...,$(PKG)),$(GO) test -timeout $(TEST_TIMEOUT) -run '^($(WHOLE))$$' ./server/app ./query/continuous ./query/exec ./segments ./server/logictest)

.PHONY: lint
lint: $(GOLANGCI) $(GOVULNCHECK) ## Run the linters and the vulnerability check
	GOLANGCI_LINT_CACHE=$(CACHE)/golangci-lint $(GOLANGCI) run --allow-parallel-runners ./...
	@for file in bench/*.mjs bench/sql/*.mjs bench/nexmark/*.mjs bench/peers/*.mjs bench/browser/*.mjs bench/clients/*.mjs; do node --check "$$file"; done
	@node --check scripts/tests.mjs
	@scripts/vulncheck.sh $(GOVULNCHECK) ./...

.PHONY: fmt
fmt: $(GOLANGCI) ## Format all Go files and sort their imports
	GOLANGCI_LINT_CACHE=$(CACHE)/golangci-lint $(GOLANGCI) fmt ./...

.PHONY: bench
bench: build $(NODE_READY) ## Measure ingest and queries beside DuckDB on the same data
	node bench/run.mjs

.PHONY: bench-formats
bench-formats: build $(NODE_READY) ## Measure what an event costs the server in each format: minutes
	node bench/formats.mjs

.PHONY: bench-peers
bench-peers: build $(NODE_READY) $(PEERS_READY) ## Measure ingest beside PostgreSQL, QuestDB (Java, Maven) and InfluxDB of Debian: minutes
	node bench/peers.mjs

.PHONY: bench-split
bench-split: build ## Measure where the CPU of ingest goes, by the size of requests: half a minute
	node bench/split.mjs

.PHONY: bench-json
bench-json: ## Measure what reading JSON into columns costs beside Go's libraries for JSON: a minute or two
	$(GO) -C bench/jsonlibs run .

.PHONY: bench-members
bench-members: build $(NODE_READY) ## Measure members of JSON documents beside DuckDB: minutes
	node bench/members.mjs

.PHONY: bench-segments
bench-segments: build $(NODE_READY) ## Measure the size of segments and what writing them costs beside DuckDB: minutes
	node bench/segments.mjs

.PHONY: bench-sql
bench-sql: build $(NODE_READY) ## Measure three suites of SQL beside DuckDB: minutes, and gigabytes of disk; with CHDB=1 beside chdb (Python)
	$(if $(CHDB),-$(MAKE) $(CHDB_READY))
	$(if $(CHDB),BENCH_CHDB_PYTHON=$(CHDB_READY)) node bench/sql.mjs

.PHONY: bench-dashboards
bench-dashboards: build $(NODE_READY) ## Measure panels beside a full scan: minutes, and gigabytes of disk
	node bench/dashboards.mjs

.PHONY: bench-keys
bench-keys: build $(NODE_READY) ## Measure views with a million keys: memory, disk, and what a restart costs
	node bench/keys.mjs

.PHONY: bench-acks
bench-acks: build ## Measure acknowledgements and their latency beside a probe of the disk: a minute or two
	$(GO) run ./bench/acks

.PHONY: bench-nexmark
bench-nexmark: build $(NODE_READY) ## Measure materialized views on the Nexmark queries; with FLINK=1 beside Apache Flink (Python, Java)
	$(if $(FLINK),$(MAKE) $(FLINK_READY))
	$(if $(FLINK),BENCH_FLINK_PYTHON=$(FLINK_READY)) node bench/nexmark.mjs

.PHONY: bench-views
bench-views: build $(NODE_READY) ## Measure what 1 to 1,000 materialized views over one stream cost: minutes
	node bench/views.mjs

.PHONY: bench-freshness
bench-freshness: build $(NODE_READY) ## Measure how soon acknowledged events are in a view and at its subscriber
	node bench/freshness.mjs

.PHONY: stress
stress: $(NODE_READY) browser clients ## Run the long versions of the tests: hours
	TIDEMARK_STRESS=1 CGO_ENABLED=1 $(GO) test -race -count=1 -timeout $(STRESS_TIMEOUT) $(PKG)

.PHONY: mutants
mutants: $(NODE_READY) ## Put known bugs back, one at a time: the tests must notice every one; an hour or two
	TIDEMARK_MUTANTS=1 $(GO) test -count=1 -v -timeout $(STRESS_TIMEOUT) -run TestMutants ./internal/mutants

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (30s) each
	scripts/fuzz.sh $(FUZZTIME) $(PKG)

.PHONY: browser
browser: ## Install the browser that a test follows a subscription with; tests go on without
	@$(MAKE) --no-print-directory $(BROWSER_READY) || echo 'the browser cannot be installed: its test will be skipped'

.PHONY: clients
clients: ## Install the programs of others that tests send events with; tests go on without
	@for client in $(NODE_CLIENTS) $(PYTHON) $(TELEGRAF) $(COLLECTOR) $(SHIPPERS); do \
	  $(MAKE) --no-print-directory $$client || echo "$$client cannot be installed: its tests will be skipped"; \
	done

.PHONY: deps
deps: $(GOLANGCI) $(GOVULNCHECK) $(NODE_READY) browser clients ## Fetch all that the other targets need, to work offline afterwards
	$(GO) mod download

.PHONY: clean
clean: ## Remove what was built and fetched, but not data directories
	rm -rf bin $(CACHE) bench/node_modules $(BROWSER)/node_modules $(CLIENTS)/node_modules

# The version is part of a tool's file name, so raising it here installs the new one.
$(GOLANGCI):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

$(GOVULNCHECK):
	GOBIN=$(TOOLS) $(GO) install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
	mv $(TOOLS)/govulncheck $@

$(FLINK_READY):
	rm -rf $(CACHE)/flink-$(FLINK_VERSION)
	python3 -m venv $(CACHE)/flink-$(FLINK_VERSION)
	$(CACHE)/flink-$(FLINK_VERSION)/bin/pip install --quiet apache-flink==$(FLINK_VERSION)

$(PEERS_READY): scripts/peers.sh scripts/debs.sh
	scripts/peers.sh $(@D)

$(CHDB_READY):
	rm -rf $(CACHE)/chdb-$(CHDB_VERSION)
	python3 -m venv $(CACHE)/chdb-$(CHDB_VERSION)
	$(CACHE)/chdb-$(CHDB_VERSION)/bin/pip install --quiet chdb==$(CHDB_VERSION)

$(NODE_READY): bench/package.json bench/package-lock.json
	npm --prefix bench ci --no-progress
	@touch $@

$(BROWSER_READY): $(BROWSER)/package.json $(BROWSER)/package-lock.json
	npm --prefix $(BROWSER) ci --no-progress
	@touch $@

$(NODE_CLIENTS): $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	npm --prefix $(CLIENTS) ci --no-progress
	@touch $@

$(PYTHON): $(CLIENTS)/requirements.txt
	rm -rf $(@D)
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement $<
	@touch $@

$(TELEGRAF):
	GOBIN=$(@D) $(GO) install -trimpath -tags $(TELEGRAF_PARTS) github.com/influxdata/telegraf/cmd/telegraf@$(TELEGRAF_VERSION)
	mv $(@D)/telegraf $@

$(COLLECTOR): bench/clients/collector/main.go bench/clients/collector/go.mod bench/clients/collector/go.sum
	$(GO) -C bench/clients/collector build -trimpath -o $@ .

$(SHIPPERS): scripts/shippers.sh scripts/debs.sh
	scripts/shippers.sh $(@D)
