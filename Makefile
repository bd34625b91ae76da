# Two commands do everything on a fresh machine with Go:
#   make run    the required outage, from a contact list to its outcomes
#   make test   all tests

GO ?= go
BIN := build/callagent
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help run build test lint fmt scenarios diagrams bench bench-enqueue bench-run clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: build ## rehearse the required scenario in real time: ElevenLabs answers 503
	$(BIN) simulate --scenario elevenlabs-503

build: ## build the command into build/
	@mkdir -p build
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/callagent

test: ## all tests, with the race detector and in random order
	./.ci/test

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "run: make fmt"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	cd bench && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...

fmt: ## format all code
	gofmt -w .

scenarios: build ## every scenario, twenty times as fast, with its expected summary; logs in build/scenarios/
	@ls examples/scenarios | sed 's/\.toml$$//' | xargs -P 2 -I NAME sh -c \
	  'mkdir -p build/scenarios/NAME && cd build/scenarios/NAME && rm -f app* && ../../callagent simulate --scenario NAME --speed 20 --check'

diagrams: ## draw the diagrams and tables in docs/ again from the code
	$(GO) test ./core ./core/call ./core/alert -update

bench: ## ours and the peers in one run: one table, and bench/results.json
	@mkdir -p build/bench
	cd bench && $(GO) run . -dir ../build/bench

bench-enqueue: ## a million contacts from CSV onto the queue: time, memory, CPU profile
	@mkdir -p build/bench
	cd bench && TMPDIR=$(CURDIR)/build/bench $(GO) run ./scale -enqueue -contacts 1000000 -profile ../build/enqueue.pprof

bench-run: ## 10,000 contacts against the simulator in a process of its own
	@mkdir -p build/bench
	cd bench && TMPDIR=$(CURDIR)/build/bench $(GO) run ./scale -contacts 10000 -profile ../build/run.pprof

clean: ## remove what the other targets made
	rm -rf build
