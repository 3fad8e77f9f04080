# Tasks of the project; `make help` lists them.
GO       ?= go
FUZZTIME ?= 10s
BIN      := bin/tvmexport
# What `tvmexport version` prints. A tag names a version; without one it is a development build.
VERSION  ?= $(or $(shell git describe --tags --dirty 2>/dev/null),development)
REVISION ?= $(or $(shell git describe --always --abbrev=40 --dirty --exclude '*' 2>/dev/null),unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.revision=$(REVISION)
# Build tags. TAGS=noemulator leaves out the commands emulator and demo, as the container image does.
TAGS     ?=
# Where tests write the KQL that the program sends, for kqlcheck.
RECORD   ?= $(CURDIR)/dist/kql

.PHONY: help build man demo test vet lint whole race crash races cases chaos exports datasets fleet-embedded hardship soak history reasons transfer fuzz kqlcheck recorded interop sdk-suites memory bench readers browser cycles clean reference docs docs-browser chart worker nested temporal-server release-snapshot notices image

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the program into bin/, stripped, with its version and revision
	$(GO) build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/tvmexport

demo: build ## a complete export on this machine, no account needed
	$(BIN) demo

worker: ## build tvmexport-worker, which works with Temporal, into bin/
	cd $(TEMPORAL) && $(NESTED) build -trimpath -ldflags '$(LDFLAGS)' -o $(CURDIR)/bin/tvmexport-worker ./cmd/tvmexport-worker

test: vet lint whole nested ## all tests, once; the race detector is the target race

vet: ## go vet
	$(GO) vet ./...

lint: ## format and staticcheck; staticcheck.conf explains the exceptions
	@cd tools && $(GO) build -o ../bin/ mvdan.cc/gofumpt honnef.co/go/tools/cmd/staticcheck
	@out=$$(git ls-files -co --exclude-standard '*.go' | xargs bin/gofumpt -l); \
		if [ -n "$$out" ]; then echo "gofumpt would change:"; echo "$$out"; exit 1; fi
	bin/staticcheck ./...

# The target vet has looked at all packages, with all its analyzers.
VETTED := -vet=off
# The packages whose tests take longest begin first, so that no core waits for them at the end.
LONGEST := ./test/reliability/defects ./cmd/tvmexport ./test/reliability/plans ./test/reliability/history ./kusto ./engine

whole: ## all tests with all their cases; records the KQL that they send
	@rm -rf $(RECORD) && mkdir -p $(RECORD)
	TVMEXPORT_RECORD_KQL=$(RECORD) $(GO) test $(VETTED) -timeout 30m $(LONGEST) ./...

# The module that has Temporal's libraries. It is built from this repository, without a workspace around it.
TEMPORAL := fleet/temporal
NESTED   := GOWORK=off $(GO)

nested: lint ## vet, staticcheck and tests of the module for Temporal
	cd $(TEMPORAL) && $(NESTED) vet ./... && GOWORK=off $(CURDIR)/bin/staticcheck ./... && $(NESTED) test $(VETTED) ./...

# Temporal's command line, whose server has the features that the exporter needs.
TEMPORAL_CLI ?= $(CURDIR)/bin/temporal

$(CURDIR)/bin/temporal:
	GOBIN=$(CURDIR)/bin $(GO) install github.com/temporalio/cli/cmd/temporal@v1.5.1

temporal-server: $(TEMPORAL_CLI) ## schedules, rates and versions on a real Temporal server
	cd $(TEMPORAL) && TVMEXPORT_TEMPORAL_CLI=$(TEMPORAL_CLI) $(NESTED) test ./cmd/tvmexport-worker -run OnAServer -count 1 -v

# SHORT=-short leaves out tests under the detector that take several seconds, as CI does.
SHORT ?=

# The detector costs an emulator six times its time: the scripts run the program with it, and the emulator next to it without.
race: ## all tests under the race detector, some of them with a sample of their cases
	GORACE=atexit_sleep_ms=20 $(GO) test $(VETTED) -race $(SHORT) -timeout 30m -skip '^TestScripts$$' $(LONGEST) ./...
	$(GO) test $(VETTED) -race -c -o bin/race/tvmexport ./cmd/tvmexport
	TVMEXPORT_TEST_PROGRAM=$(CURDIR)/bin/race/tvmexport $(GO) test $(VETTED) -count 1 -timeout 30m -run '^TestScripts$$' ./cmd/tvmexport

# How many kills and races; CI takes fewer.
KILLS ?= 300
RACES ?= 200

crash: build ## kill exporters at random times and named steps; nothing lost or duplicated
	$(GO) run ./test/reliability/crash -bin $(BIN) -n $(KILLS)

races: build ## two exporters on one table, paused and delayed; one published result
	$(GO) run ./test/reliability/crash -bin $(BIN) -n $(RACES) -races

history: ## 30 days of 2,000 devices; compare past states and changes with the source of each day
	$(GO) run ./test/reliability/history -days 30 -devices 2000

# Over how many days, the share of devices that changes on a day, and how many CVEs are known. The
# target has its own number of devices.
DAYS    ?= 30
RATE    ?= 0.07
CVES    ?= 500

reasons: DEVICES ?= 2000
reasons: ## 30 days of 2,000 devices; why rows vanished, against what the emulator did to each, by reason
	$(GO) test ./test/reliability/reasons -run '^TestReasons$$' -count=1 -timeout 0 -v -args -devices $(DEVICES) -days $(DAYS) -rate $(RATE) -cves $(CVES) -seed $(SEED)

transfer: ## 20,000 devices of which 1 % change; rows transferred, or landed, with and without changes
	$(GO) run ./test/reliability/transfer -devices 20000

# How many faults, from which seed on; a report is printed.
FAULTS ?= 10000
SEED   ?= 1

# How many worlds of export assessment APIs.
WORLDS ?= 100

chaos: ## small exports of both sources with injected faults; nothing lost or duplicated, no hang, no retry storm
	$(GO) test ./test/reliability/chaos -count=1 -timeout 0 -v -args -faults $(FAULTS) -seed $(SEED)
	$(MAKE) exports

exports: ## the same for the export assessment APIs alone; readers see each row of one snapshot once
	$(GO) test ./test/reliability/exports -count=1 -timeout 0 -v -args -worlds $(WORLDS) -seed $(SEED) -each

datasets: DEVICES ?= 200
datasets: ## all tables of the export assessment APIs, by files and by pages, within the documented quotas; compared with the source
	$(GO) run ./test/reliability/datasets -devices $(DEVICES)

# Tenants of the trial run and their devices; FLEETFLAGS has its further flags, such as -unwell 5.
TENANTS    ?= 1000
FLEETFLAGS ?=

fleet-embedded: DEVICES ?= 5-20
fleet-embedded: build ## export 1,000 tenants with one process, twice; truth, budgets, memory and time of it
	$(GO) run ./test/reliability/fleet -bin $(BIN) -tenants $(TENANTS) -devices $(DEVICES) $(FLEETFLAGS)

# How long soak goes on; what it makes in any case, and its first seed (0: from the clock), are its flags.
SOAK      ?= 60m
SOAKFLAGS ?=

soak: build ## kills, races, chaos, exports and histories with new seeds for SOAK; prints one line of figures
	$(GO) run ./test/reliability/soak -bin $(BIN) -for $(SOAK) $(SOAKFLAGS)

hardship: build ## the same once, short, for CI; some kills against an Eventhouse
	$(GO) run ./test/reliability/soak -bin $(BIN) -for 0s -kills 20 -races 6 -faults 500 -worlds 2 -histories 1 -days 3 -devices 20 -seed $(SEED)
	$(GO) run ./test/reliability/crash -bin $(BIN) -older '' -n 6 -flavor eventhouse -seed $(SEED)

cases: ## number of cases of each contract, by method and implementation
	go test ./contract ./kusto ./hunting ./assessment -run 'Contract' -v | sed -n 's/.*contract of /contract of /p' | sort -u

fuzz: ## run each fuzz target for FUZZTIME
	@grep -rl --include='*_test.go' 'func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		for f in $$(grep -ho 'func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | sed 's/func //'); do \
			echo "$$dir $$f"; $(GO) test $$dir -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done; done

kqlcheck: ## parse every KQL text that tests sent with Microsoft's parser
	cd test/kqlcheck && npm ci --silent --no-audit --no-fund && node check.mjs $(RECORD) ../..

# A file of queries with the answers that Microsoft's engine gave.
CORPUS ?=

recorded: ## compare recorded answers of the real engine with the emulator's, and write the table of docs/emulator.md; CORPUS is the file
	$(GO) run ./emulator/recorded -corpus $(CORPUS) -write docs/emulator.md

man: build ## write the manual pages to dist/man
	$(BIN) man dist/man

reference: ## write docs/reference, the pages that the program itself gives
	$(GO) test ./cmd/tvmexport -run '^TestReference$$' -count 1 -update

# The version that the documentation site is of.
DOCS_VERSION ?= $(if $(filter development,$(VERSION)),next,$(VERSION))

docs: ## build the documentation site into dist/site; dead links and orphan pages fail
	tools/site/build.sh dist/site $(DOCS_VERSION)

docs-browser: docs ## open the site in Chromium, with axe; screenshots in dist/screenshots
	cd test/browser && npm ci --silent --no-audit --no-fund && node site.mjs ../../dist/site $(DOCS_VERSION) ../../dist/screenshots

chart: ## write what is generated of the Helm chart and deploy/kubernetes, and test both
	cp deploy/prometheus/alerts.yaml deploy/grafana/dashboard.json deploy/helm/tvmexport/files/
	$(GO) run github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2 --chart-search-root deploy/helm --log-level warning
	cd test/chart && $(GO) vet ./... && $(GO) test . -count 1 -update

# Where a snapshot is built and kept.
SNAPSHOT ?= dist/snapshot

release-snapshot: ## everything of a release that needs no network, twice; installs the deb in a Debian root and exports with it
	rm -rf $(SNAPSHOT)
	tools/release/snapshot.sh $(SNAPSHOT)/one
	GOCACHE=$(abspath $(SNAPSHOT))/cache tools/release/snapshot.sh $(SNAPSHOT)/two
	diff $(SNAPSHOT)/one/dist/SHA256SUMS $(SNAPSHOT)/two/dist/SHA256SUMS
	tools/release/trial.sh $(SNAPSHOT)/one/dist

notices: ## write the notices of third-party software, and check all licences
	$(GO) test ./deploy/release -run '^TestNotices$$' -count 1 -update

image: ## write the folder that the container image is built from
	tools/release/image.sh dist/image

interop: build ## run the official SDKs for Python, Node, Java and Graph against the emulator
	test/interop/run.sh $(BIN)

# A folder with checkouts of azure-kusto-go, azure-kusto-python, azure-kusto-node, azure-kusto-java, or some of them.
DIR ?=

sdk-suites: build ## run the SDKs' own ingestion suites, from the checkouts in DIR, against the emulator
	test/interop/sdk-suites.sh $(BIN) $(DIR)

# The three largest tables of the default set, and the largest one of the export APIs, one after the other.
BENCH_TABLES ?= DeviceTvmSoftwareVulnerabilities,DeviceTvmSecureConfigurationAssessment,DeviceTvmSoftwareInventory,TvmSoftwareVulnerabilities

bench: build ## measure the exporter and the emulator: rows and MB per second and per CPU-second
	$(GO) run ./test/bench -bin $(BIN) -devices 2000 -tables $(BENCH_TABLES) -changes 0.01
	$(GO) test ./hunting ./assessment ./engine -run '^$$' -bench . -benchmem

readers: ## cost of readers' queries after a week and after a year of daily runs
	$(GO) test ./kusto -run '^$$' -bench Readers -benchtime 5x

memory: build ## peak memory with 5 million rows, compared with a tenth of them; of the export APIs also what a change costs
	$(GO) run ./test/bench -bin $(BIN) -devices 2000,20000 -tables DeviceTvmSoftwareVulnerabilities -max-rss 150 -growth 1.2
	$(GO) run ./test/bench -bin $(BIN) -devices 2000,20000 -tables TvmSoftwareVulnerabilities -changes 0.01 -max-landed 0.05 -max-times 1.6 -max-rss 100

browser: build ## test the status pages of one and of 1,000 tenants in Chromium, with axe; screenshots in dist/screenshots
	$(GO) build -o bin/manytenants ./test/browser/manytenants
	cd test/browser && npm ci --silent --no-audit --no-fund && node test.mjs ../../$(BIN) ../../dist/screenshots
	cd test/browser && node fleet.mjs ../../bin/manytenants ../../dist/screenshots

# How often serve exports in its long test.
CYCLES ?= 50

cycles: ## serve over CYCLES exports with faults and downtime: no overlap, no loss, no growth
	TVMEXPORT_CYCLES=$(CYCLES) $(GO) test ./cmd/tvmexport -run '^TestCycles$$' -count 1 -v

clean: ## remove the output of the other targets
	rm -rf bin dist test/kqlcheck/node_modules test/browser/node_modules test/interop/node_modules test/interop/azurite/node_modules test/interop/.venv tools/site/node_modules tools/site/.venv
