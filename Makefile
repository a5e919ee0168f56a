# refmatrix: every target is one line of help behind ##.
SHELL := /bin/sh
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 30s
BUILD = $(GO) build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)"
TOOL = $(GO) tool -modfile=.ci/tools.mod
FLEET = cmd/demofleet

.DEFAULT_GOAL := help
.PHONY: help build demo example test cover lint bench soak fuzz docs clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: ## build bin/refmatrix
	$(BUILD) -o bin/refmatrix ./cmd/refmatrix

bin/demofleet: $(wildcard $(FLEET)/*.go $(FLEET)/fleet/*.go $(FLEET)/go.mod)
	cd $(FLEET) && $(GO) build -buildvcs=false -o ../../bin/demofleet .

demo: build bin/demofleet ## run real registries on loopback, scan them, leave the reports in reports/
	@bin/demofleet --dir bin/demo -- sh -c 'bin/refmatrix scan -i "$$REFMATRIX_DEMO_INVENTORY" --probe full --write-probe --fail-on never -f all'

example: build bin/demofleet ## make reports/example/ again from the demo
	@rm -rf reports/example
	@bin/demofleet --dir bin/demo --base-port 5100 -- sh -c 'bin/refmatrix scan -i "$$REFMATRIX_DEMO_INVENTORY" --probe full --write-probe --fail-on never -q -f all -o reports/example >reports/table.txt'
	@mv reports/table.txt reports/example/table.txt && rm -rf reports/example/history

test: build ## run all tests with the race detector, the demo fleet's and the browser's with them
	@.ci/chromium
	$(GO) test -race ./...
	cd $(FLEET) && REFMATRIX=$(CURDIR)/bin/refmatrix $(GO) test -race ./...

cover: ## print the coverage of the scanner and matrix packages, the demo fleet's tests counted
	@rm -rf bin/cover && mkdir -p bin/cover
	@$(GO) build -cover -o bin/cover/refmatrix ./cmd/refmatrix
	@$(GO) test -coverprofile=coverage.txt -coverpkg=./scanner/...,./matrix/... ./... >/dev/null
	@cd $(FLEET) && GOCOVERDIR=$(CURDIR)/bin/cover REFMATRIX=$(CURDIR)/bin/cover/refmatrix $(GO) test -count=1 . >/dev/null
	@$(GO) tool covdata textfmt -i=bin/cover -o bin/cover/fleet.txt
	@grep -E '^refmatrix/(scanner|matrix)/' bin/cover/fleet.txt >>coverage.txt
	@$(GO) tool cover -func=coverage.txt | tail -n 1

lint: ## gofmt, go vet, staticcheck, actionlint, go mod verify, govulncheck
	@bad=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$bad" || { echo "not gofmt'd: $$bad"; exit 1; }
	$(GO) vet ./... && cd $(FLEET) && $(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) actionlint -no-color deploy/github-actions.yml
	$(GO) mod verify
	@.ci/vulncheck

bench: build ## measure the scan against a bare client, side by side in one run
	cd $(FLEET) && $(GO) run ./bench $(BENCH)
	@.ci/chromium
	cd $(FLEET) && REFMATRIX=$(CURDIR)/bin/refmatrix $(GO) test -run '^$$' -bench Page -benchtime 3x .

soak: ## scan 2,000 registries with random faults for five minutes
	$(GO) test -run TestSoak -v -timeout 15m ./scanner -soak 5m -soak-registries 2000 -soak-seed $${SEED:-1}

fuzz: ## run every fuzz target for FUZZTIME (default 30s)
	@.ci/fuzz $(FUZZTIME)

docs: build ## write the tables in docs/ again from the code and from the demo fleet
	$(GO) test ./matrix -run Documented -update
	cd $(FLEET) && REFMATRIX=$(CURDIR)/bin/refmatrix $(GO) test -count=1 -run 'TestAssess|TestPost' . -update
	cd $(FLEET) && REFMATRIX=$(CURDIR)/bin/refmatrix $(GO) test -count=1 ./hostile -update

clean: ## remove what the other targets made
	rm -rf bin coverage.txt reports/history reports/matrix.* reports/refmatrix.prom
