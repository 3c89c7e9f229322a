# make builds bin/ftsca; make help lists the rest. Everything needs Go and make only.

.DEFAULT_GOAL := build
.PHONY: help build demo test soak check fmt tidy vet lint imports generate generated cross bench fuzz clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

# A repository without a commit, or one of somebody else's, has no version to stamp: then the build goes without.
BUILDVCS := $(shell git rev-parse --verify --quiet HEAD >/dev/null 2>&1 && git status --porcelain >/dev/null 2>&1 \
	&& echo auto || echo false)

build: ## the static binary, bin/ftsca
	CGO_ENABLED=0 go build -trimpath -buildvcs=$(BUILDVCS) -o bin/ftsca$(shell go env GOEXE) ./cmd/ftsca

demo: build ## found a CA, connect two clients, revoke one, see it cut off
	go run ./internal/demo -ftsca bin/ftsca$(shell go env GOEXE)

# The race detector needs a C compiler that really compiles, and a system that it knows.
RACE = $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && go build -race runtime/race runtime/cgo 2>/dev/null && echo -race)
TESTFLAGS =

# The tests write the name of each outside program they miss into the file FTSCA_SKIPS.
test: ## all tests, with the race detector where there is a C compiler
	@race='$(RACE)'; [ -n "$$race" ] || echo 'make test: no C compiler, so without the race detector'; \
	skips=$$(mktemp) || exit 1; status=0; \
	echo go test $$race -timeout 10m $(TESTFLAGS) ./...; \
	FTSCA_SKIPS=$$skips GORACE=atexit_sleep_ms=0 go test $$race -timeout 10m $(TESTFLAGS) ./... || status=$$?; \
	if [ -s "$$skips" ]; then \
		echo "make test: skipped for want of these, and so not tested here:"; \
		sort "$$skips" | uniq -c; \
	else \
		echo 'make test: nothing skipped'; \
	fi; \
	rm -f "$$skips"; exit $$status

FTSCA_SOAK ?= 10m

# Of its two tests the first takes a minute at most, the second all of FTSCA_SOAK.
soak: ## clients that come and go, reloads, revocations and attacks at once, for FTSCA_SOAK (10m)
	FTSCA_SOAK=$(FTSCA_SOAK) GORACE=atexit_sleep_ms=0 go test $(RACE) -count=1 -timeout 2h -v \
		-run '^TestATAKsStayThroughReloadsAndADrain$$|^TestSoak$$' ./internal/endpoint

check: fmt tidy vet lint imports generated cross ## all that is checked without running the product

fmt:
	@files=$$(gofmt -l .) && [ -z "$$files" ] || { echo "gofmt would change: $$files"; exit 1; }

tidy:
	go mod tidy -diff

# What is behind a build tag for another system is compiled nowhere else, tests least of all.
vet:
	go vet ./...
	GOOS=windows go vet ./...
	GOOS=darwin go vet ./...

lint:
	go tool -modfile=tools.mod staticcheck ./...

imports:
	go test -run '^TestImport' ./cmd/ftsca

# The compiler and its plugin are those of tools.mod: no protoc is needed, nor a network once the modules are there.
PROTO = internal/cot/takproto/tak
PROTOGO = go run -modfile=tools.mod internal/cot/takproto/generate.go $(PROTO).proto

generate: ## the code that is made from other files, anew
	@code=$$(mktemp) && $(PROTOGO) >$$code && cat $$code >$(PROTO).pb.go; status=$$?; rm -f "$$code"; exit $$status

generated:
	@code=$$(mktemp) && $(PROTOGO) >$$code && { diff -u $(PROTO).pb.go $$code || \
		{ echo 'make generate would change $(PROTO).pb.go'; false; }; }; status=$$?; rm -f "$$code"; exit $$status

SYSTEMS = linux/amd64 linux/arm64 linux/arm darwin/amd64 darwin/arm64 windows/amd64

cross:
	@for system in $(SYSTEMS); do \
		echo "go build for $$system"; \
		CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} GOARM=7 go build -trimpath -buildvcs=false ./... || exit 1; \
	done

bench: ## the benchmarks, in about half an hour
	go test -run '^$$' -bench . -benchmem -timeout 60m ./...

FUZZTIME = 10s

# go test -list prints the names of a package before its closing line; go test -fuzz takes one of them at a time. Now and
# then it takes the end of its own time for a failure ("context deadline exceeded", golang.org/issue/75804): what it
# really finds it writes down, as a "Failing input".
fuzz: ## each fuzz target for FUZZTIME (10s)
	@list=$$(go test -list '^Fuzz' ./...) || { echo "$$list"; exit 1; }; \
	echo "$$list" | awk '/^Fuzz/ { names[++n] = $$1 } /^ok/ { for (i = 1; i <= n; i++) print names[i], $$2; n = 0 }' | \
	while read -r name package; do \
		echo "$$package $$name"; \
		out=$$(go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package" 2>&1 </dev/null) && status=0 || status=$$?; \
		echo "$$out"; \
		[ $$status = 0 ] && continue; \
		case $$out in \
			*'Failing input'*) exit 1 ;; \
			*'    context deadline exceeded'*) echo "make fuzz: $$name ended with its time" ;; \
			*) exit 1 ;; \
		esac; \
	done

clean: ## remove what make made
	rm -rf bin dist
