# Thin on purpose: the work is in CMake presets, CTest and scripts/. docs/hacking.md explains each.
PRESET ?= dev
PREFIX ?= /usr/local
SEEDS ?= 1000

.PHONY: help demo test build bench sim lint format install clean

help: ## print this
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## install what is missing, configure and build
	@scripts/install-dependencies
	@scripts/build $(PRESET)

demo: build ## run the example evaluations through a real broker, end to end
	@scripts/demo build/$(PRESET)/bin

test: build ## run every test that needs no cluster
	@ctest --preset $(PRESET)

bench: ## measure, and write bench/results/latest.json: make bench QUESTION=durable
	@scripts/install-dependencies
	@scripts/bench $(QUESTION)

sim: ## run SEEDS fresh seeds of the simulation: make sim SEEDS=100000
	@scripts/install-dependencies
	@scripts/build $(PRESET) simulation
	@build/$(PRESET)/tests/sim/simulation --seeds $(SEEDS)

lint: ## clang-format and clang-tidy, without a warning
	@scripts/install-dependencies --lint
	@$(MAKE) --no-print-directory build
	@scripts/lint

format: ## rewrite the sources with clang-format
	@scripts/install-dependencies --lint
	@git ls-files '*.h' '*.cc' | xargs clang-format -i

install: ## build the release preset and install it under PREFIX
	@$(MAKE) --no-print-directory build PRESET=release
	@cmake --install build/release --prefix $(PREFIX)

clean: ## remove what was built
	@rm -rf build
