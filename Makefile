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

.PHONY: help build man demo test vet lint race crash races chaos hardship soak history transfer fuzz kqlcheck recorded interop memory bench readers browser cycles clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the program into bin/, stripped, with its version and revision
	$(GO) build -trimpath -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/tvmexport

demo: build ## the whole job on this machine, no account needed
	$(BIN) demo

test: vet lint race ## everything that must pass before a change lands

vet: ## what the compiler does not see
	$(GO) vet ./...

lint: ## format and staticcheck; staticcheck.conf holds the reasons
	@cd tools && $(GO) build -o ../bin/ mvdan.cc/gofumpt honnef.co/go/tools/cmd/staticcheck
	@out=$$(git ls-files -co --exclude-standard '*.go' | xargs bin/gofumpt -l); \
		if [ -n "$$out" ]; then echo "gofumpt would change:"; echo "$$out"; exit 1; fi
	bin/staticcheck ./...

race: ## all tests under the race detector; records the KQL that they send
	@rm -rf $(RECORD) && mkdir -p $(RECORD)
	TVMEXPORT_RECORD_KQL=$(RECORD) $(GO) test -race -timeout 30m ./...

# How many kills and races; CI takes fewer.
KILLS ?= 300
RACES ?= 200

crash: build ## kill exporters at random moments and named steps; nothing lost, nothing doubled
	$(GO) run ./test/reliability/crash -bin $(BIN) -n $(KILLS)

races: build ## two exporters on one table, paused and late; one published result
	$(GO) run ./test/reliability/crash -bin $(BIN) -n $(RACES) -races

history: ## 30 days of 2,000 devices; every past state and every change, against the source of its day
	$(GO) run ./test/reliability/history -days 30 -devices 2000

transfer: ## 20,000 devices of which 1 % change; what travels then, and when nothing changes
	$(GO) run ./test/reliability/transfer -devices 20000

# How many faults, from which seed on; a report is printed.
FAULTS ?= 10000
SEED   ?= 1

chaos: ## small exports while everything fails; nothing lost, nothing doubled, no hang, no storm
	$(GO) test ./test/reliability/chaos -count=1 -timeout 0 -v -args -faults $(FAULTS) -seed $(SEED)

# How long soak goes on; what it makes in any case, and its first seed (0: from the clock), are its flags.
SOAK      ?= 60m
SOAKFLAGS ?=

soak: build ## kills, races, chaos and histories with new seeds for SOAK; one line of figures at the end
	$(GO) run ./test/reliability/soak -bin $(BIN) -for $(SOAK) $(SOAKFLAGS)

hardship: build ## the same once, as short as CI takes it
	$(GO) run ./test/reliability/soak -bin $(BIN) -for 0s -kills 20 -races 6 -faults 500 -histories 1 -days 3 -devices 20 -seed $(SEED)

fuzz: ## each fuzz target for FUZZTIME
	@grep -rl --include='*_test.go' 'func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		for f in $$(grep -ho 'func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | sed 's/func //'); do \
			echo "$$dir $$f"; $(GO) test $$dir -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done; done

kqlcheck: ## every KQL text that tests sent, under Microsoft's own parser
	cd kqlcheck && npm ci --silent --no-audit --no-fund && node check.mjs $(RECORD) ..

# A file of queries with the answers that Microsoft's engine gave.
CORPUS ?=

recorded: ## recorded answers of the real engine against the emulator's; CORPUS names the file
	$(GO) run ./emulator/recorded -corpus $(CORPUS)

man: build ## the manual pages, into dist/man
	$(BIN) man dist/man

interop: build ## the official Node and Python SDKs against the emulator
	test/interop/run.sh $(BIN)

# The three largest tables of the default set, one after the other.
BENCH_TABLES ?= DeviceTvmSoftwareVulnerabilities,DeviceTvmSecureConfigurationAssessment,DeviceTvmSoftwareInventory

bench: build ## rows and MB per second and CPU-second of the exporter alone
	$(GO) run ./test/bench -bin $(BIN) -devices 2000 -tables $(BENCH_TABLES)
	$(GO) test ./hunting ./engine -run '^$$' -bench . -benchmem

readers: ## what readers' queries cost after a week and after a year of daily runs
	$(GO) test ./kusto -run '^$$' -bench Readers -benchtime 5x

memory: build ## peak memory with 5 million rows, against a tenth of them
	$(GO) run ./test/bench -bin $(BIN) -devices 2000,20000 -tables DeviceTvmSoftwareVulnerabilities -max-rss 150 -growth 1.2

browser: build ## the status page in Chromium, with axe; screenshots in dist/screenshots
	cd test/browser && npm ci --silent --no-audit --no-fund && node test.mjs ../../$(BIN) ../../dist/screenshots

# How often serve exports in its long test.
CYCLES ?= 50

cycles: ## serve over CYCLES exports with faults and a downtime: nothing overlaps, nothing is lost, nothing grows
	TVMEXPORT_CYCLES=$(CYCLES) $(GO) test ./cmd/tvmexport -run '^TestCycles$$' -count 1 -v

clean: ## remove what the other targets made
	rm -rf bin dist kqlcheck/node_modules test/browser/node_modules test/interop/node_modules test/interop/.venv
