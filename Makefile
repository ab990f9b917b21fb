# Every target sets up what it needs. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -o errexit -o nounset -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Node 24 comes with the packages: everything of ours runs on Lambda's own version, whatever the host has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

CONFIG ?= cluster.yaml
export DROWSE_CONFIG ?= $(CURDIR)/$(CONFIG)

local_flags = --config $(CONFIG) $(if $(KEEP),--keep) $(if $(VERBOSE),--verbose) $(if $(PORT),--port $(PORT)) \
	$(if $(SPEEDUP),--speedup $(SPEEDUP)) $(if $(AUTH),--auth) $(if $(JSON),--json)

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-14s %s\n", $$1, $$2 }'

node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { echo 'npm was not found: install Node.js 20 or newer.' >&2; exit 1; }
	@echo 'Installing npm packages …'
	@npm ci --no-progress || { echo 'npm ci failed: check the network (or npm’s proxy settings), then run the command again.' >&2; exit 1; }
	@touch $@

.PHONY: setup
setup: node_modules/.package-lock.json ## Install the npm packages

.PHONY: local
local: setup ## Run a whole life of the cluster on an embedded AWS (KEEP=1, VERBOSE=1, CONFIG=…, PORT=…, SPEEDUP=…, AUTH=1, JSON=1)
	@exec node --import tsx local/main.ts up $(local_flags)

.PHONY: local-down
local-down: setup ## Stop the embedded AWS that `make local KEEP=1` left up
	@node --import tsx local/main.ts down

.PHONY: synth
synth: setup ## Synthesize the CloudFormation templates into cdk.out
	@cdk synth --quiet

.PHONY: diff
diff: setup ## Show what a deploy would change in your account
	@cdk diff --all

.PHONY: deploy
deploy: setup ## Deploy the cluster of cluster.yaml into your AWS account
	@cdk synth --quiet
	@node --import tsx scripts/adopt.ts cdk.out
	@cdk deploy --all --app cdk.out

.PHONY: schedule
schedule: setup ## Show what the schedules do in the next two weeks (CONFIG=…, JSON=1)
	@node --import tsx scripts/schedule.ts $(if $(JSON),--json)

.PHONY: lint
lint: setup ## Check types, style and format
	@tsc --project .
	@tsc --project apps/ghibli/page
	@nice oxlint
	@nice prettier --check --log-level warn .

.PHONY: format
format: setup ## Format every file
	@prettier --write --log-level warn .

ifneq (,$(filter test test-% bench,$(MAKECMDGOALS)))
export TMPDIR := $(shell test/scratch-folder.sh)
endif

.PHONY: test
test: test-setup ## Run every test
# Longest first, two side by side. One that waits now and then (for the embedded AWS, for a browser) has the cores when it wants
# them; one that is always busy takes what is left (nice).
	@$(MAKE) --no-print-directory --keep-going --jobs=2 test-e2e test-nodes test-apps test-aws test-unit lint test-platform

.PHONY: test-setup
test-setup: setup ## Install what the tests need: Python packages, Debian packages, etcd, Chromium
	@node --import tsx local/python.ts local/requirements.txt
	@node --import tsx local/python.ts local/requirements-dev.txt
	@test/userdata/install-debian-packages.sh
	@test/userdata/install-etcd.sh
	@test/apps/install-chromium.sh

.PHONY: test-unit
test-unit: setup ## Configuration, constructs, stacks, steps, workflows
	@nice jest --selectProjects unit --maxWorkers=2

.PHONY: test-aws
test-aws: setup ## The embedded AWS's own tests (Python)
	@node --import tsx local/python.ts local/requirements-dev.txt
	@.venv/bin/ruff check --config local/aws/pyproject.toml local/aws test/local/aws
	@.venv/bin/ruff format --check --quiet --config local/aws/pyproject.toml local/aws test/local/aws
	@.venv/bin/mypy --config-file local/aws/pyproject.toml local/aws/drowse_aws test/local/aws
	@.venv/bin/pytest -c local/aws/pyproject.toml --rootdir . test/local/aws

.PHONY: test-platform
test-platform: setup ## What runs in the cluster: manifests, values, rules
	@nice jest --selectProjects platform

.PHONY: platform-check
platform-check: setup ## Check the Flux tree, and print what it holds as JSON
	@node --import tsx scripts/platform-check.ts

.PHONY: test-apps
test-apps: setup ## The app's server, page (in Chromium) and deploy command
	@test/apps/install-chromium.sh
	@jest --selectProjects apps

.PHONY: app-deploy
app-deploy: setup ## Build, push and roll out the app (IMAGE=…, DRY_RUN=1)
	@node --import tsx cli/app-deploy/main.ts --config $(CONFIG) $(if $(IMAGE),--image $(IMAGE)) $(if $(CONTEXT),--context $(CONTEXT)) $(if $(DRY_RUN),--dry-run)

.PHONY: test-nodes
test-nodes: setup ## The node scripts (as root: loop devices, network namespaces)
	@test/userdata/install-debian-packages.sh
	@test/userdata/install-etcd.sh
	@nice jest --selectProjects nodes --maxWorkers=3

.PHONY: test-e2e
test-e2e: setup ## A whole life on the embedded AWS, and its faults
# One file after the other: all runs share local/out.
	@jest --selectProjects e2e --runInBand

.PHONY: bench
bench: setup ## Measure synth, life, memory, bundles, the app and the tests, as JSON (QUICK=1: not the tests)
	@node --import tsx bench/main.ts $(if $(QUICK),--without-tests)
