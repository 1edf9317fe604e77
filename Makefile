# Every target calls a script of deploy/scripts; `make` alone lists them.
SHELL := /bin/bash
SCRIPTS := deploy/scripts
.DEFAULT_GOAL := help
.PHONY: help setup run-all stop status logs-bookstore logs-performance health-check seed-data \
	perf-smoke perf-load perf-ai-smoke test test-unit test-system test-sdks fuzz lint bench images clean

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
health-check: ## Ask every part whether it is ready
	@$(SCRIPTS)/health-check.sh
seed-data: ## Store the sample books and authors
	@$(SCRIPTS)/seed-data.sh

##@ Load tests (VUS=5 DURATION=30s SCALE=0.1 THRESHOLDS='{"http_req_duration":["p(95)<500"]}')
perf-smoke: ## Walk through every route with one user
	@$(SCRIPTS)/perf.sh tests/smoke.js --scenario Smoke
perf-load: ## Put the expected load on the catalogue
	@$(SCRIPTS)/perf.sh tests/load.js --scenario Load
perf-ai-smoke: ## Ask for summaries by Claude, simulated when there is no key
	@$(SCRIPTS)/perf.sh tests/ai-summary.js --scenario Smoke --env PROVIDER=claude

##@ Check
test: ## Install the tools and run all tests, with real servers
	@$(SCRIPTS)/test.sh all
test-unit: ## Run the tests that need no server
	@$(SCRIPTS)/test.sh unit
test-system: ## Check scripts, pins, compose file, suites and dashboards
	@$(SCRIPTS)/test-system.sh
test-sdks: ## Run the official clients of the model vendors against the simulator
	@$(SCRIPTS)/test-sdks.sh
fuzz: ## Feed made-up bytes to what reads strangers' data (TARGET=..., SECONDS=60 for each)
	@$(SCRIPTS)/fuzz.sh
lint: ## Check format, clippy, scripts and dependencies
	@$(SCRIPTS)/lint.sh
bench: ## Measure the speed of the release build
	@$(SCRIPTS)/bench.sh

##@ Build
images: ## Build the container images (RUNTIME_BASE=...)
	@$(SCRIPTS)/images.sh
clean: ## Stop everything, remove builds and the state directory (not its data: DATA=1 does)
	@$(SCRIPTS)/clean.sh
