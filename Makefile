# Every target sets up what it needs. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -o errexit -o nounset -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Node 24 comes with the packages: everything of ours runs on Lambda's own version, whatever the host has.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# Which cluster: a file, which must be there. Without one it is cluster.yaml, and without that the defaults.
ifneq ($(CONFIG),)
export DROWSE_CONFIG := $(abspath $(CONFIG))
endif

local_flags = $(if $(KEEP),--keep) $(if $(VERBOSE),--verbose) $(if $(PORT),--port $(PORT)) \
	$(if $(SPEEDUP),--speedup $(SPEEDUP)) $(if $(FAULT),--fault '$(FAULT)') $(if $(AUTH),--auth) $(if $(JSON),--json)

##@ Begin

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { echo 'npm was not found: install Node.js 20 or newer.' >&2; exit 1; }
	@echo 'Installing npm packages …'
	@npm ci --no-progress || { echo 'npm ci failed: check the network (or npm’s proxy settings), then run the command again.' >&2; exit 1; }
	@touch $@

.PHONY: setup
setup: node_modules/.package-lock.json ## Install the npm packages

##@ Without an account

.PHONY: local
local: setup ## Run a whole life of the cluster on an embedded AWS (KEEP=1, VERBOSE=1, CONFIG=…, PORT=…, SPEEDUP=…, FAULT=…, AUTH=1, JSON=1)
	@exec node --import tsx local/main.ts up $(local_flags)

.PHONY: local-down
local-down: setup ## Stop the embedded AWS that `make local KEEP=1` left up
	@node --import tsx local/main.ts down

lab_config = lab/clusters/$(if $(filter 3,$(SEATS)),three-seats,one-seat).yaml

.PHONY: lab
lab: setup ## Run a whole life with real nodes, as root on Linux (SEATS=3, KEEP=1, BOOT=1: seats alone, LAB_DOWNLOAD=1: programs as they are published)
	@exec node --import tsx lab/main.ts $(if $(BOOT),boot,up) --config $(lab_config) $(if $(KEEP),--keep) $(if $(PORT),--port $(PORT))

.PHONY: lab-cache
lab-cache: setup ## Build what the lab's machines start from, and nothing else (LAB_DOWNLOAD=1: download what is published)
	@node --import tsx lab/main.ts cache

.PHONY: lab-lock
lab-lock: setup ## Read the digests that LAB_DOWNLOAD=1 goes by from the lists of the programs' makers (lab/binaries/released.json)
	@node --import tsx lab/binaries/main.ts raise

.PHONY: lab-down
lab-down: setup ## Stop the lab that `make lab KEEP=1` left up
	@node --import tsx lab/main.ts down

.PHONY: lab-measure
lab-measure: setup ## Give the twin the times of the last life in the lab (local/out/lab.json → sim/measured.json)
	@node --import tsx lab/main.ts measure

.PHONY: test-lab
test-lab: setup ## Prove the node scripts on real nodes, with faults, as root on Linux (SEATS=3, BOOT=1: seats alone, FROM=1.35.4: upgraded from there, SEED=…)
	@exec node --import tsx lab/main.ts test --config $(lab_config) $(if $(BOOT),--no-platform) $(if $(FROM),--from $(FROM)) $(if $(SEED),--seed $(SEED))

.PHONY: synth
synth: setup ## Synthesize the CloudFormation templates into cdk.out
	@cdk synth --quiet

##@ The cluster
# Each is what the command drowse does: docs/command.md.

.PHONY: init
init: setup ## Write a cluster.yaml, by questions (ARGS='--my-ip --hours 08:00-19:00')
	@bin/drowse init $(ARGS)

.PHONY: deploy apply
deploy: setup ## Deploy the cluster of cluster.yaml into your AWS account
	@bin/drowse deploy
apply: deploy ## The same

.PHONY: diff
diff: setup ## Show what a deploy would change in your account
	@bin/drowse diff

.PHONY: destroy
destroy: setup ## Put the cluster to sleep and delete its stacks; its data stays (DATA=1: delete that too; FORCE=1: without sleeping)
	@bin/drowse destroy $(if $(DATA),--data) $(if $(CONFIRM),--confirm $(CONFIRM)) $(if $(FORCE),--force)

.PHONY: bootstrap
bootstrap: setup ## Make a deployed cluster for the first time, and follow the steps
	@bin/drowse bootstrap

.PHONY: status
status: setup ## Say how the cluster is, what it does and what comes next (JSON=1)
	@bin/drowse status $(if $(JSON),--json)

.PHONY: wake
wake: setup ## Wake the cluster, and follow its steps (JSON=1)
	@bin/drowse wake $(if $(JSON),--json)

.PHONY: sleep
sleep: setup ## Put the cluster to sleep, and follow its steps (JSON=1)
	@bin/drowse sleep $(if $(JSON),--json)

.PHONY: cost
cost: setup ## Show what the cluster costs awake, asleep and by the month (CONFIG=…, JSON=1; ACTUAL=1: this month so far)
	@bin/drowse cost $(if $(ACTUAL),--actual) $(if $(JSON),--json)

.PHONY: schedule
schedule: setup ## Show what the schedules do in the next two weeks (CONFIG=…, JSON=1)
	@bin/drowse schedule $(if $(JSON),--json)

.PHONY: kubeconfig
kubeconfig: setup ## Put a context of the cluster into your kubeconfig
	@bin/drowse kubeconfig

.PHONY: install-platform monitoring-all install-gpu-plugin
install-platform: setup ## Bring what runs in the cluster to what its tree says: ingress, monitoring, GPU plugin, app
	@bin/drowse platform
monitoring-all: install-platform ## The same: monitoring is a part of it
install-gpu-plugin: install-platform ## The same: the GPU plugin is a part of it

.PHONY: grafana
grafana: setup ## Open Grafana at http://127.0.0.1:3000, user admin (its password is printed first), until Ctrl-C
	@bin/drowse kubectl -- -n monitoring get secret grafana-admin -o 'go-template={{index .data "admin-password" | base64decode}}{{"\n"}}'
	@bin/drowse kubectl -- -n monitoring port-forward svc/grafana 3000:80

.PHONY: prometheus
prometheus: setup ## Open Prometheus at http://127.0.0.1:9090, until Ctrl-C
	@bin/drowse kubectl -- -n monitoring port-forward svc/monitoring-prometheus 9090

.PHONY: dashboard
dashboard: setup ## Open the cluster's UI at http://127.0.0.1:8080 (a token is printed first), until Ctrl-C
	@bin/drowse kubectl -- -n headlamp create token viewer
	@bin/drowse kubectl -- -n headlamp port-forward svc/headlamp 8080:80

.PHONY: gpu-test
gpu-test: setup ## Run nvidia-smi in a Job on a free GPU (ALL=1: check the rest of the cluster, too; JSON=1)
	@bin/drowse gpu-test $(if $(ALL),--all) $(if $(JSON),--json)

.PHONY: diagnostics
diagnostics: setup ## Bring logs and states of all nodes home
	@bin/drowse diagnostics

.PHONY: doctor
doctor: setup ## Look at all that the next wake needs (JSON=1)
	@bin/drowse doctor $(if $(JSON),--json)

.PHONY: app-deploy
app-deploy: setup ## Build, push and roll out the app (IMAGE=…, CONTEXT=…, DRY_RUN=1)
	@bin/drowse app $(if $(IMAGE),--image $(IMAGE)) $(if $(CONTEXT),--context $(CONTEXT)) $(if $(DRY_RUN),--dry-run)

##@ Checks and tests

.PHONY: lint
lint: setup ## Check types, style and format
	@tsc --project .
	@tsc --project apps/ghibli/page
	@tsc --project web
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
	@test/access/evaluator/install.sh

.PHONY: test-unit
test-unit: setup ## Configuration, constructs, stacks, steps, workflows
	@node --import tsx local/python.ts local/requirements-dev.txt
	@test/access/evaluator/install.sh
	@nice jest --selectProjects unit --maxWorkers=2

.PHONY: test-aws
test-aws: setup ## The embedded AWS's own tests (Python)
	@node --import tsx local/python.ts local/requirements-dev.txt
	@.venv/bin/ruff check --config local/aws/pyproject.toml local/aws test/local/aws scripts/facts
	@.venv/bin/ruff format --check --quiet --config local/aws/pyproject.toml local/aws test/local/aws scripts/facts
	@.venv/bin/mypy --config-file local/aws/pyproject.toml local/aws/drowse_aws test/local/aws scripts/facts/generate.py
	@.venv/bin/pytest -c local/aws/pyproject.toml --rootdir . test/local/aws

.PHONY: test-platform
test-platform: setup ## What runs in the cluster: manifests, values, rules
	@node --import tsx local/python.ts local/requirements-dev.txt
	@nice jest --selectProjects platform

.PHONY: test-platform-server
test-platform-server: setup ## The tree on a real API server (needs Go 1.26; CHARTS=folder of unpacked charts, KUBERNETES=version)
# Compiles for many minutes at first, into ~/.cache/drowse; no part of `make test`.
	@nice node --import tsx test/server/main.ts

.PHONY: sbom
sbom: setup ## Print what the cluster is made of (packages, charts, images) as CycloneDX
	@node --import tsx scripts/sbom.ts

.PHONY: platform-check
platform-check: setup ## Check the Flux tree, and print what it holds as JSON
	@node --import tsx scripts/platform-check.ts

.PHONY: platform-render
platform-render: setup ## Render every chart of the tree, and say what changed (CHARTS=folder, HELM=helm, RELEASE=name)
	@node --import tsx scripts/platform-render.ts $(if $(CHARTS),--charts '$(CHARTS)') $(if $(HELM),--helm '$(HELM)') $(if $(RELEASE),--release '$(RELEASE)')

.PHONY: test-apps
test-apps: setup ## The app's server, page (in Chromium) and deploy command
	@test/apps/install-chromium.sh
	@jest --selectProjects apps

.PHONY: test-nodes
test-nodes: setup ## The node scripts (as root: loop devices, network namespaces)
	@test/userdata/install-debian-packages.sh
	@test/userdata/install-etcd.sh
	@nice jest --selectProjects nodes --maxWorkers=3

.PHONY: test-e2e
test-e2e: setup ## A whole life on the embedded AWS, and its faults
	@test/apps/install-chromium.sh
# One file after the other: all runs share local/out.
	@jest --selectProjects e2e --runInBand

.PHONY: bench
bench: setup ## Measure synth, life, memory, bundles, the app and the tests, as JSON (QUICK=1: not the tests)
	@node --import ./bench/es-modules.mjs --import tsx bench/main.ts $(if $(QUICK),--without-tests)

.PHONY: bench-orchestration
bench-orchestration: setup ## Measure what workflows and steps use, and what that costs a month, as JSON
	@node --import ./bench/es-modules.mjs --import tsx bench/orchestration.ts
