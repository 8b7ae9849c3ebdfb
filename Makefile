# Two commands do everything on a fresh machine: make run, make test. The rest is listed by make help.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export READ_MODEL REPLICAS RELAY OBSERVE PROJECTS SEED FULL BREAK ONLY
SHELL := /bin/bash
INSTALLED := node_modules/.package-lock.json

.PHONY: help run gate demo test test-fast lint generate pacts breaking release bench chaos missions rotation recovery teeth audit doctor
.DEFAULT_GOAL := help

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

$(INSTALLED): package-lock.json
	@echo "installing what is missing: about a minute the first time"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

run: $(INSTALLED) ## start the whole platform here; READ_MODEL=elasticsearch REPLICAS=2 OBSERVE=1 RELAY=off PROJECTS=a,b
	@exec node mesh/dev/src/main.ts run

gate: $(INSTALLED) ## the integration gate, six steps on Elasticsearch, Prometheus and Alertmanager; BREAK=each shows its teeth
	@exec node mesh/gate/src/main.ts

demo: $(INSTALLED) ## give a running platform a varied load to look at
	@exec node mesh/dev/src/main.ts demo

doctor: $(INSTALLED) ## say what is wrong here, and where it is explained
	@exec node mesh/dev/src/main.ts doctor

test: $(INSTALLED) ## every check there is, on real parts; installs what it needs
	@exec node mesh/tidy/src/check-all.ts

test-fast: $(INSTALLED) ## what needs no server, in under 30 seconds
	@exec node mesh/tidy/src/check-all.ts --fast

lint: $(INSTALLED) ## format, lint rules, import rules, proto style
	@exec node mesh/tidy/src/check-all.ts --only lint

generate: $(INSTALLED) ## write all generated files anew
	@buf generate && node contracts/src/generate.ts && node mesh/observability/src/generate.ts && node mesh/deploy/src/generate.ts
	@node contracts/src/constitution/write-readme.ts

pacts: $(INSTALLED) ## record anew what consumers need of their providers: contracts/pacts
	@PACTS=write SELECT=fast NODE_OPTIONS='--experimental-vm-modules --disable-warning=ExperimentalWarning' \
	  jest -c mesh/tidy/jest/jest.config.mjs '(event|edge)-contract'

breaking: $(INSTALLED) ## which promises of the newest release a change breaks, or of a commit: AGAINST=<ref>
	@exec node contracts/src/diff/main.ts $(if $(AGAINST),--against $(AGAINST))

release: $(INSTALLED) ## cut a release of the contracts, which every later change is held against: VERSION=1.0.0
	@exec node contracts/src/release.ts $(VERSION)

bench: $(INSTALLED) ## print ratios measured side by side in one run; ONLY=peers, missions, edge or telemetry runs one section
	@exec node mesh/bench/src/main.ts

chaos: $(INSTALLED) ## kill every process that a job passes, under load, and check that nothing is lost: SEED=n
	@exec node mesh/chaos/src/main.ts

missions: $(INSTALLED) ## 500 missions with a failure at every step in turn, under kill -9: SEED=n
	@exec node mesh/chaos/src/missions.ts

rotation: $(INSTALLED) ## five minutes of load while every certificate is renewed again and again: SECONDS=n
	@exec node mesh/chaos/src/rotation.ts

recovery: $(INSTALLED) ## kill each service once and print how long until it answers again
	@exec node mesh/chaos/src/recovery.ts

teeth: $(INSTALLED) ## break each promise once, in a copy, and see that its check fails; SEED=n: ten rules drawn
	@exec node mesh/tidy/src/teeth.ts

audit: $(INSTALLED) ## which rules of the constitution are held, by what, and which waivers end soon
	@exec node contracts/src/constitution/audit.ts
