# Two commands do everything on a fresh machine with Go:
#   make run    the required outage, from a contact list to its outcomes
#   make test   all tests
# make local and make integration install what they need into .tools/.

GO ?= go
BIN := build/callagent
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

EMULATOR := localstack/emulator

.PHONY: help run build test proof promises explore explore-update fuzz lint fmt scenarios diagrams bench bench-enqueue bench-run bench-startup fleet soak soak-broken sizes cost clean
.PHONY: integration browser evidence local local-enqueue local-logs local-down compose-up compose-down sam-validate sam-build sam-invoke

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

run: build ## rehearse the required scenario in real time: ElevenLabs answers 503
	$(BIN) simulate --scenario elevenlabs-503

build: ## build the command into build/
	@mkdir -p build
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/callagent

test: ## all tests, with the race detector and in random order
	./.ci/test

integration: ## the AWS adapters, the deployed set and each function, against emulators (installs them)
	./.ci/integration

browser: ## the dashboard in a real Chromium (installs it): screenshots in build/screenshots/
	./.ci/browser

evidence: build ## docs/evidence: the required scenario in real time, seen from every side (installs Chromium; 2 minutes)
	$(EMULATOR)/install chromium
	$(GO) run ./localstack/evidence

fuzz: ## every parser that meets the outside gets inputs that a fuzzer thinks of, TIME=30s each (KEEP=20: into the corpus)
	$(GO) run ./.ci/fuzz -time $(or $(TIME),30s) -keep $(or $(KEEP),0)

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo "run: make fmt"; exit 1; }
	$(GO) vet ./... && $(GO) vet -tags integration,e2e,browser ./...
	$(GO) run $(STATICCHECK) ./... && $(GO) run $(STATICCHECK) -tags integration,e2e,browser ./...
	cd bench && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...

fmt: ## format all code
	gofmt -w .

scenarios: build ## every scenario, twenty times as fast, with its expected summary; logs in build/scenarios/
	@ls examples/scenarios | sed 's/\.toml$$//' | xargs -P 2 -I NAME sh -c \
	  'mkdir -p build/scenarios/NAME && cd build/scenarios/NAME && rm -f app* && ../../callagent simulate --scenario NAME --speed 20 --check'

proof: ## the proofs in a short form, under ten minutes: what CI runs
	$(MAKE) promises explore
	$(MAKE) soak SEEDS=5000
	$(MAKE) fuzz TIME=2s

promises: ## each line that keeps a promise is removed, and its test has to fail
	cd bench && $(GO) run ./promises

diagrams: ## write the diagrams and tables in docs/ again from the code
	$(GO) test ./core ./core/call ./core/alert ./infra/settings ./infra/wiring/doctor ./cmd/callagent/cli ./docs -run ThePage -update
	cd bench && $(GO) test ./promises ./fleet -run ThePage -update

bench: ## ours and the peers in one run: one table, and bench/results.json
	@mkdir -p build/bench
	cd bench && $(GO) run . -dir ../build/bench

bench-enqueue: ## a million contacts from CSV onto the queue: time, memory, CPU profile
	@mkdir -p build/bench
	cd bench && TMPDIR=$(CURDIR)/build/bench $(GO) run ./scale -enqueue -contacts 1000000 -profile ../build/enqueue.pprof

bench-run: ## 10,000 contacts against the simulator in a process of its own
	@mkdir -p build/bench
	cd bench && TMPDIR=$(CURDIR)/build/bench $(GO) run ./scale -contacts 10000 -profile ../build/run.pprof

bench-startup: ## how long each function takes to its first answer, its memory and size, against LocalStack
	$(EMULATOR)/install localstack
	@export LOCALSTACK_PORT=4602; trap '$(EMULATOR)/down localstack' EXIT; $(EMULATOR)/up localstack && \
	  (cd bench && AWS_ENDPOINT_URL=http://127.0.0.1:$$LOCALSTACK_PORT $(GO) run ./startup)

explore: ## every order of things within bounds, on the shipped code and on it with 31 mistakes, each of which has to be seen
	cd bench && $(GO) run ./explore

explore-update: ## the same, and keep the traces of the mistakes
	cd bench && $(GO) run ./explore -update

fleet: ## outages in a whole fleet, in virtual time, beside AWS Powertools: one table, and bench/fleet.json (SEEDS=100)
	cd bench && $(GO) run ./fleet -seeds $(or $(SEEDS),100) -out fleet.json

soak: ## histories of a whole fleet under faults, each drawn from a number: SEEDS=100000 FROM=1; one alone is told in full
	cd bench && $(GO) run ./soak -seeds $(or $(SEEDS),10000) -from $(or $(FROM),1)

soak-broken: ## the same with the code broken in many ways, one at a time: each has to be seen
	cd bench && $(GO) run ./soak -broken

sizes: ## the zip files of the functions, none of them too large
	cd bench && $(GO) run ./startup -sizes

cost: ## count what the functions use of AWS, against LocalStack: what callagent cost and docs/cost.md say
	$(EMULATOR)/install localstack
	@export LOCALSTACK_PORT=4604; trap '$(EMULATOR)/down localstack' EXIT; $(EMULATOR)/up localstack && \
	  AWS_ENDPOINT_URL=http://127.0.0.1:$$LOCALSTACK_PORT AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
	  $(GO) test -tags integration -count 1 -run CountedCosts ./infra/wiring/cloud -update
	$(GO) test -count 1 ./cmd/callagent/cli -run ThePage -update

local: ## the serverless set on this machine, without an account: emulator, simulator, functions (AUTH=true: with its roles)
	$(EMULATOR)/install ministack sam
	$(EMULATOR)/up ministack
	$(EMULATOR)/up simulator
	$(EMULATOR)/deploy ministack
	@echo "Go on with make local-enqueue, then make local-logs; make local-down ends it."
	@echo "Any command with the environment of the stack: $(EMULATOR)/with ministack build/callagent status --store aws"

local-enqueue: build ## send examples/contacts.csv to it
	$(EMULATOR)/with ministack $(BIN) enqueue --store aws examples/contacts.csv

local-logs: ## what its functions have logged in the last ten minutes
	@$(EMULATOR)/logs

local-down: ## end it
	$(EMULATOR)/down ministack simulator docker

compose-up: ## the serverless set in containers, with LocalStack
	$(EMULATOR)/install sam
	GOARCH=$$($(GO) env GOARCH) $(EMULATOR)/sam build --parameter-overrides Architecture=$$(uname -m | sed s/aarch64/arm64/)
	docker compose -f localstack/compose.yaml up --detach
	docker compose -f localstack/compose.yaml logs --follow localstack

compose-down: ## end it and forget it
	docker compose -f localstack/compose.yaml down --volumes

sam-validate: ## lint template.yaml
	$(EMULATOR)/install sam
	$(EMULATOR)/sam validate --lint

sam-build: ## build the functions for Lambda into .aws-sam/
	$(EMULATOR)/install sam
	$(EMULATOR)/sam build

sam-invoke: ## each function with its events in a container, against the stack of make local
	$(EMULATOR)/install sam docker
	$(EMULATOR)/up docker
	$(EMULATOR)/invoke

clean: ## remove what the other targets made
	rm -rf build
