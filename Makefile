# Every target calls a script of deploy/scripts; `make` alone lists them.
SHELL := /bin/bash
SCRIPTS := deploy/scripts
.DEFAULT_GOAL := help
.PHONY: help setup run-all stop status logs-bookstore logs-performance trace trace-logs health-check seed-data \
	dashboards-preview perf-smoke \
	perf-load perf-stress perf-spike perf-soak perf-breakpoint perf-regression perf-errors \
	perf-combinations perf-auth perf-circuit-breaker perf-mixed perf-mixed-heavy perf-ai-smoke \
	perf-ai-load perf-ai-stress perf-ai-spike perf-ai-stream perf-ai-summary perf-ai-relay \
	perf-journeys perf-comprehensive perf-connect perf-p015 \
	perf-smoke-gen perf-load-gen perf-stress-gen perf-spike-gen perf-errors-gen gen-data \
	perf-chaos perf-extreme test test-unit test-system test-smoke test-suites test-chaos test-alerts \
	test-dashboards test-telemetry test-sdks test-web fuzz lint bench images pictures clean

##@ Start here
help: ## List the targets
	@awk -f $(SCRIPTS)/help.awk $(MAKEFILE_LIST)
setup: ## Install the tools that the stack and the tests need
	@$(SCRIPTS)/install-tools.sh runtime test

##@ Run
run-all: ## Start everything and wait until it is ready (RUN_MODE=native|docker)
	@$(SCRIPTS)/run-all.sh
stop: ## End what run-all started
	@$(SCRIPTS)/stop.sh
status: ## Show what runs
	@$(SCRIPTS)/status.sh
logs-bookstore: ## Show the log of the BookStore API (LINES=100, FOLLOW=1)
	@$(SCRIPTS)/logs.sh bookstore-api
logs-performance: ## Show the log of the performance service (LINES=100, FOLLOW=1)
	@$(SCRIPTS)/logs.sh performance-service
trace: ## Show a trace with its times, tokens and dollars (ID=trace id)
	@$(SCRIPTS)/trace.sh spans "$(ID)"
trace-logs: ## Show the log lines of a trace or a request, from all processes (ID=trace or request id)
	@$(SCRIPTS)/trace.sh logs "$(ID)"
health-check: ## Ask every part whether it is ready
	@$(SCRIPTS)/health-check.sh
seed-data: ## Store the sample books and authors
	@$(SCRIPTS)/seed-data.sh
dashboards-preview: ## Draw the dashboards without Grafana (PREVIEW_PORT=3001)
	@$(SCRIPTS)/dashboards-preview.sh

##@ Load tests (SCALE=0.1 SCENARIO=p015-load MODEL=open PROVIDER=claude VUS=5 DURATION=30s TARGET_URL=... RUNNER=direct)
perf-smoke: ## Walk through every route with one user
	@$(SCRIPTS)/perf.sh tests/smoke.js --scenario Smoke
perf-load: ## Put the expected load on the catalogue
	@$(SCRIPTS)/perf.sh tests/load.js --scenario Load
perf-stress: ## Put more and more users on the catalogue
	@$(SCRIPTS)/perf.sh tests/stress.js --scenario Stress
perf-spike: ## Put a sudden peak on the catalogue
	@$(SCRIPTS)/perf.sh tests/spike.js --scenario Spike
perf-soak: ## Keep the expected load on for half an hour
	@$(SCRIPTS)/perf.sh tests/soak.js --scenario Soak
perf-breakpoint: ## Look for the rate at which the limits break
	@$(SCRIPTS)/perf.sh tests/breakpoint.js
perf-regression: ## Measure a build in a minute, for gates
	@$(SCRIPTS)/perf.sh tests/regression.js
perf-errors: ## Make every mistake that a caller can make
	@$(SCRIPTS)/perf.sh tests/errors.js
perf-combinations: ## Cross thousands of values with the routes
	@$(SCRIPTS)/perf.sh tests/combinations.js
perf-auth: ## Try callers with and without rights on a guarded API
	@$(SCRIPTS)/perf-auth.sh
perf-circuit-breaker: ## Let a simulated provider fail under load
	@$(SCRIPTS)/perf-circuit-breaker.sh
perf-mixed: ## Let 20 of 100 visits ask for a summary
	@$(SCRIPTS)/perf.sh tests/mixed.js
perf-mixed-heavy: ## Let half of the visits ask for a summary
	@$(SCRIPTS)/perf.sh tests/mixed-heavy.js
perf-ai-smoke: ## Ask for summaries by Claude, simulated when there is no key
	@$(SCRIPTS)/perf.sh tests/ai-smoke.js --scenario Smoke --env PROVIDER=claude
perf-ai-load: ## Put the expected load on the models
	@$(SCRIPTS)/perf.sh tests/ai-load.js
perf-ai-stress: ## Put more and more readers on the models
	@$(SCRIPTS)/perf.sh tests/ai-stress.js --scenario Stress
perf-ai-spike: ## Put a sudden peak on the models
	@$(SCRIPTS)/perf.sh tests/ai-spike.js --scenario Spike
perf-ai-stream: ## Have summaries streamed
	@$(SCRIPTS)/perf.sh tests/ai-stream.js
perf-ai-summary: ## Put any of these loads on the models (SCENARIO=llmload)
	@$(SCRIPTS)/perf.sh tests/ai-summary.js
perf-ai-relay: ## Ask a foreign model's server through the relay (MODEL_URL=..., else the simulator)
	@SUITES=ai-relay $(SCRIPTS)/perf-comprehensive.sh
perf-journeys: ## Do everything at once: catalogue, models, mistakes
	@$(SCRIPTS)/perf.sh tests/comprehensive.js
perf-comprehensive: ## Run every suite in turn (SCALE=0.05)
	@$(SCRIPTS)/perf-comprehensive.sh
perf-connect: ## Hold a platform's four tests against their targets, 44 min (SCALE=0.05)
	@$(SCRIPTS)/perf-targets.sh connect
perf-p015: ## Hold a suite's five scenarios against their objectives, 76 min (SCALE=0.05)
	@$(SCRIPTS)/perf-targets.sh p015
perf-smoke-gen: ## The same over 50 generated books
	@COUNT=$${COUNT:-50} $(SCRIPTS)/perf.sh tests/smoke.js --scenario Smoke --env SCENARIO=gen-smoke
perf-load-gen: ## The same over 100 generated books
	@COUNT=$${COUNT:-100} $(SCRIPTS)/perf.sh tests/load.js --scenario Load --env SCENARIO=gen-load
perf-stress-gen: ## The same over 150 generated books
	@COUNT=$${COUNT:-150} $(SCRIPTS)/perf.sh tests/stress.js --scenario Stress --env SCENARIO=gen-stress
perf-spike-gen: ## The same over 150 generated books
	@COUNT=$${COUNT:-150} $(SCRIPTS)/perf.sh tests/spike.js --scenario Spike --env SCENARIO=gen-spike
perf-errors-gen: ## The same over 50 generated books
	@COUNT=$${COUNT:-50} $(SCRIPTS)/perf.sh tests/errors.js
perf-chaos: ## Break stacks of its own under load, plan by plan (PLANS="game-day" SMALL=1 YES=1)
	@$(SCRIPTS)/perf-chaos.sh
perf-extreme: ## Put more load on a stack of its own than it can carry (SMALL=1 YES=1)
	@$(SCRIPTS)/perf-chaos.sh load-extreme
gen-data: ## Write made-up books and authors (VARIANT=load COUNT=100 SEED=1 COMPACT=1)
	@k6/data/generate.mjs "$${VARIANT:-smoke}"

##@ Check
test: ## Install the tools and run all tests, with real servers
	@$(SCRIPTS)/test.sh all
test-unit: ## Run the tests that need no server
	@$(SCRIPTS)/test.sh unit
test-system: ## Check all that is no Rust: scripts, guides, suites, alerts, dashboards, pages, plans of faults
	@$(SCRIPTS)/test-system.sh
test-smoke: ## Walk through the API with Postman's collections
	@$(SCRIPTS)/test-smoke.sh
test-suites: ## Run every load suite, scaled down, and show that each can fail
	@$(SCRIPTS)/test-suites.sh
test-chaos: ## Run every plan of faults, small, and hold acknowledged writes against the store
	@$(SCRIPTS)/test-chaos.sh
test-alerts: ## Plant a fault and wait until its alert arrives, and until it is over
	@$(SCRIPTS)/test-alerts.sh
test-dashboards: ## Put faulty load on the services, and ask every panel for its data
	@$(SCRIPTS)/test-dashboards.sh
test-telemetry: ## Hold metrics, ids of load tests and secrets against what is told of them
	@$(SCRIPTS)/test-telemetry.sh
test-sdks: ## Run the official clients of the model vendors against the simulator
	@$(SCRIPTS)/test-sdks.sh
test-web: ## Run the pages in a browser (WEB_TESTS_SCREENSHOTS=DIRECTORY keeps pictures)
	@$(SCRIPTS)/test-web.sh
fuzz: ## Feed made-up bytes to what reads strangers' data (TARGET=..., SECONDS=60 for each)
	@$(SCRIPTS)/fuzz.sh
lint: ## Check format, clippy, scripts and dependencies
	@$(SCRIPTS)/lint.sh
bench: ## Measure the speed of the release build
	@$(SCRIPTS)/bench.sh

##@ Build
images: ## Build the container images (RUNTIME_BASE=...)
	@$(SCRIPTS)/images.sh
pictures: ## Make the README's pictures anew from the pages as they are
	@$(SCRIPTS)/make-pictures.sh
clean: ## Stop everything, remove builds and the state directory (not its data: DATA=1 does)
	@$(SCRIPTS)/clean.sh
