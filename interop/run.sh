#!/bin/sh
# make test-interop: other engines read a release's exact files, and the real data set's results equal DuckDB's.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --workspace --bins
exec "$(bench/python.sh)" interop/run.py --tagmill target/release/tagmill --work target/interop "$@"
