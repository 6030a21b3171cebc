#!/bin/sh
# make test-interop: other engines read a release's exact files, the real data set's results equal DuckDB's, and the bitmap
# functions answer in the Python package datafusion.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --workspace --bins --lib
python=$(bench/python.sh)
"$python" udfs/python/test.py --library target/release/libtagmill_udfs_python.[sd][oy]* --work target/interop-python
exec "$python" interop/run.py --tagmill target/release/tagmill --work target/interop "$@"
