# Two commands do everything on a fresh machine: make run, make test. The rest is listed by make help.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export READ_MODEL REPLICAS RELAY OBSERVE PROJECTS SEED FULL
SHELL := /bin/bash
INSTALLED := node_modules/.package-lock.json

.PHONY: help run demo test test-fast lint types generate verify breaking bench chaos rotation teeth doctor
.DEFAULT_GOAL := help

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

$(INSTALLED): package-lock.json
	@echo "installing what is missing: about a minute the first time"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

run: $(INSTALLED) ## start the whole platform here; READ_MODEL=elasticsearch REPLICAS=2 RELAY=off PROJECTS=a,b
	@exec node mesh/dev/src/main.ts run

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
	@buf generate && node contracts/src/generate.ts

breaking: $(INSTALLED) ## compare the contracts with an earlier commit: AGAINST=<ref>
	@buf breaking --against '.git#ref=$(or $(AGAINST),HEAD~1)'

bench: $(INSTALLED) ## print ratios against peers, measured side by side in one run
	@exec node mesh/bench/src/main.ts

chaos: $(INSTALLED) ## kill every process in turn under load and check that nothing is lost: SEED=n
	@exec node mesh/chaos/src/main.ts

rotation: $(INSTALLED) ## five minutes of load while every certificate is renewed again and again: SECONDS=n
	@exec node mesh/chaos/src/rotation.ts

teeth: $(INSTALLED) ## break each promise once, in a copy, and see that its check fails
	@exec node mesh/tidy/src/teeth.ts
