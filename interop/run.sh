#!/bin/sh
# make test-interop: other engines read a release's exact files, the real data set's results equal DuckDB's, the bitmap functions
# answer in the Python package datafusion, and a server of S3 passes the kit that every store has to pass.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --workspace --bins --lib
cargo test --release --workspace --test warehouse --no-run
python=$(bench/python.sh)
"$python" interop/on_s3.py --seconds 120 -- cargo test --release --workspace --test warehouse -- --ignored a_server_conforms
"$python" udfs/python/test.py --library target/release/libtagmill_udfs_python.[sd][oy]* --work target/interop-python
exec "$python" interop/run.py --tagmill target/release/tagmill --work target/interop "$@"
