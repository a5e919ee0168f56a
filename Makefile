# refmatrix: every target is one line of help behind ##.
SHELL := /bin/sh
GO ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
FUZZTIME ?= 30s
BUILD = $(GO) build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)"
TOOLS = $(CURDIR)/bin/tools
FLEET = cmd/demofleet
COSIGN = $(CURDIR)/bin/cosign
GORELEASER = v2.15.1

.DEFAULT_GOAL := help
.PHONY: help build demo example test cover lint sbom release-check bench soak fuzz docs fixtures clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## build bin/refmatrix
	$(BUILD) -o bin/refmatrix ./cmd/refmatrix

bin/demofleet: $(wildcard $(FLEET)/*.go $(FLEET)/fleet/*.go $(FLEET)/testca/*.go $(FLEET)/go.mod)
	cd $(FLEET) && $(GO) build -buildvcs=false -o ../../bin/demofleet .

demo: build bin/demofleet ## run everyday and difficult registries on loopback, scan them, leave the reports in reports/
	@bin/demofleet --dir bin/demo --difficult -- sh -c '\
		export COLUMNS="$${COLUMNS:-$$({ stty size </dev/tty | cut -d" " -f2; } 2>/dev/null)}"; \
		scan() { bin/refmatrix scan -i "$$REFMATRIX_DEMO_INVENTORY" --probe full --write-probe --fail-on never -f all "$$@"; }; \
		scan -l group=everyday && scan --progress none -l group=difficult -o reports/difficult >bin/demo/difficult.txt 2>bin/demo/difficult.log && \
		printf "\nDifficult registries, details in reports/difficult (bin/demofleet --difficult\nsays what each is):\n\n" && \
		sed -n "/^SEV/,/^\$$/p" bin/demo/difficult.txt'

example: build bin/demofleet ## make reports/example/ again from the demo
	@rm -rf reports/example
	@bin/demofleet --dir bin/demo --base-port 5100 -- sh -c 'bin/refmatrix scan -i "$$REFMATRIX_DEMO_INVENTORY" --probe full --write-probe --fail-on never --progress none -f all -o reports/example >reports/table.txt'
	@mv reports/table.txt reports/example/table.txt && rm -rf reports/example/history

# The tests of e2e and hostile run the built command, which is a process of its own: the race
# detector would look at the tests and at the clients alone, and double their time. Those of
# matrix/report render in one goroutine and take six times as long under it; the scripts of
# the command, which render several reports at once, are run with it.
test: build ## run all tests, the demo fleet's and the browser's with them; the code's with the race detector
	@.ci/packages
	$(GO) test -race $$($(GO) list ./... | grep -v matrix/report)
	$(GO) test ./matrix/report
	cd $(FLEET) && $(GO) test -race ./fleet ./testca
	cd $(FLEET) && REFMATRIX=$(CURDIR)/bin/refmatrix $(GO) test -count=1 ./e2e ./hostile # a result kept would be of an older binary

cover: ## print the coverage of the scanner and matrix packages, the demo fleet's tests counted
	@rm -rf bin/cover && mkdir -p bin/cover
	@$(GO) build -cover -o bin/cover/refmatrix ./cmd/refmatrix
	@$(GO) test -coverprofile=coverage.txt -coverpkg=./scanner/...,./matrix/... ./... >/dev/null
	@cd $(FLEET) && GOCOVERDIR=$(CURDIR)/bin/cover REFMATRIX=$(CURDIR)/bin/cover/refmatrix $(GO) test -count=1 ./e2e >/dev/null
	@$(GO) tool covdata textfmt -i=bin/cover -o bin/cover/fleet.txt
	@grep -E '^refmatrix/(scanner|matrix)/' bin/cover/fleet.txt >>coverage.txt
	@$(GO) tool cover -func=coverage.txt | tail -n 1

$(TOOLS): .ci/tools.mod .ci/tools.sum
	GOBIN=$@ $(GO) install -modfile=.ci/tools.mod tool
	@touch $@

lint: $(TOOLS) sbom ## gofmt, go vet, staticcheck, deadcode, actionlint, go mod verify, govulncheck
	@bad=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$bad" || { echo "not gofmt'd: $$bad"; exit 1; }
	for module in . $(FLEET); do (cd $$module && $(GO) vet ./... && $(TOOLS)/staticcheck ./... && $(GO) mod verify) || exit 1; done
	@for module in . $(FLEET); do dead=$$(cd $$module && $(TOOLS)/deadcode -test ./...) && test -z "$$dead" || { echo "dead code in $$module: $$dead"; exit 1; }; done
	$(TOOLS)/actionlint -no-color deploy/github-actions.yml
	@.ci/vulncheck $(TOOLS)/govulncheck

sbom: build $(TOOLS) ## write bin/refmatrix.cdx.json: what the binary is built of, in CycloneDX
	@$(TOOLS)/cyclonedx-gomod bin -json -version $(VERSION) -output bin/refmatrix.cdx.json bin/refmatrix 2>/dev/null
	@test "$$(grep -c '"type": "library"' bin/refmatrix.cdx.json)" = "$$($(GO) version -m bin/refmatrix | grep -c '^	dep')" || { echo "bin/refmatrix.cdx.json lacks modules of bin/refmatrix"; exit 1; }

release-check: ## check .goreleaser.yaml with goreleaser itself, which takes minutes to build
	$(GO) run github.com/goreleaser/goreleaser/v2@$(GORELEASER) check

bench: build ## measure the scan against a bare client, side by side in one run
	cd $(FLEET) && $(GO) run ./bench $(BENCH)
	$(GO) test -run '^$$' -bench History -benchtime 3x ./cmd/refmatrix
	@if .ci/packages; then cd $(FLEET) && REFMATRIX=$(CURDIR)/bin/refmatrix $(GO) test -run '^$$' -bench Page -benchtime 3x ./e2e; \
	else echo "the HTML report is not measured"; fi

soak: ## scan 2,000 registries with random faults for five minutes
	$(GO) test -run TestSoak -v -timeout 15m ./scanner -soak 5m -soak-registries 2000 -soak-seed $${SEED:-1}

fuzz: ## run every fuzz target for FUZZTIME (default 30s)
	@.ci/fuzz $(FUZZTIME)

docs: build ## write the tables in docs/ again from the code and from the demo fleet
	$(GO) test ./matrix/verdict -run Documented -update
	cd $(FLEET) && REFMATRIX=$(CURDIR)/bin/refmatrix $(GO) test -count=1 -run 'TestAssess|TestPost|TestTranscript' ./e2e -update
	cd $(FLEET) && REFMATRIX=$(CURDIR)/bin/refmatrix $(GO) test -count=1 ./hostile -update

$(COSIGN): .ci/cosign.mod .ci/cosign.sum
	GOBIN=$@ $(GO) install -modfile=.ci/cosign.mod tool
	@touch $@

fixtures: $(COSIGN) ## have the real cosign, which takes minutes to build, write its forms again and verify the demo fleet's
	cd $(FLEET) && $(GO) test -count=1 -run TestCosignForms ./fleet -cosign $(COSIGN)/cosign

clean: ## remove what the other targets made
	rm -rf bin coverage.txt reports/difficult reports/history reports/matrix.* reports/registries.csv reports/refmatrix.prom
