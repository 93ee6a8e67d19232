# The words a newcomer tries first. `make help` lists them.

SHELL        := /bin/bash
.SHELLFLAGS  := -euo pipefail -c
.DEFAULT_GOAL := help

ARCH     := $(shell uname -m | sed 's/arm64/aarch64/')
TARGET   := $(ARCH)-unknown-linux-musl
BUILT     = $${CARGO_TARGET_DIR:-target}/$(TARGET)
HARNESS  := target/bin/harness
DEMO     := scenarios/logging/tome-log-dest.toml

.PHONY: help demo test bench lint docs engine target images harness entrypoint clean

help: ## List these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: engine harness ## Boot the real bug and catch it, then boot the fix
	@$(HARNESS) images tome tome/shell
	@printf '\n\033[1m$$ harness run --control %s\033[0m\n' $(DEMO)
	@printf 'Tome as it was: a shell entrypoint, the real pino logger, LOG_DEST set.\n\n'
	@status=0; $(HARNESS) run --control $(DEMO) || status=$$?; \
	if [ $$status -ne 1 ]; then echo "demo: the broken Tome should have failed (exit code 1, not $$status)" >&2; exit 1; fi
	@printf '\n\033[1m$$ harness run %s\033[0m\n' $(DEMO)
	@printf 'The same Tome under our entrypoint.\n\n'
	@$(HARNESS) run $(DEMO)

test: engine target ## Run every test: fast ones, and the whole corpus on real containers
	@cargo build --locked -p harness
	@cargo run --locked --quiet -p harness -- images
	@if cargo nextest --version >/dev/null 2>&1; then \
	    cargo nextest run --locked --workspace; \
	    cargo test --locked --workspace --doc; \
	else \
	    echo "make test: cargo-nextest is not installed, so cargo test runs the same tests."; \
	    echo "make test: get it with \`cargo install --locked cargo-nextest\`."; \
	    cargo test --locked --workspace --no-fail-fast; \
	fi

bench: engine harness ## Measure the harness against docker run, in one run
	@cargo run --locked --quiet -p bench

lint: ## Formatting and clippy, warnings are errors
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings

docs: ## Renew what is generated from the types: the schema and the reference of scenario files
	@cargo build --locked --quiet -p harness
	@cargo run --locked --quiet -p harness -- schema > harness/scenario.schema.json
	@cargo run --locked --quiet -p harness -- reference > docs/reference.md

engine: ## See to it that a Docker engine answers; on Debian or Ubuntu as root, install and start one
	@fixtures/engine

target: ## Install what static binaries are compiled with
	@if command -v rustup >/dev/null && ! rustup target list --installed | grep -qx $(TARGET); then \
	    rustup target add $(TARGET); \
	fi

images: engine harness ## Build the fixture images ahead of a run
	@$(HARNESS) images

harness: target ## Build target/bin/harness, static
	@fixtures/engine musl-tools
	@cargo build --locked --release --target $(TARGET) -p harness
	@install -D $(BUILT)/release/harness target/bin/harness

entrypoint: target ## Build target/bin/entrypoint, static
	@cargo build --locked --profile image --target $(TARGET) -p entrypoint
	@install -D $(BUILT)/image/entrypoint target/bin/entrypoint

clean: harness ## Remove what interrupted runs have left in the engine, and the fixture images
	@$(HARNESS) clean --images
