#!/bin/sh
# make bench: the night at 5 M users and 50 M events times SCALE, and the same with random dimensions beside it.
#   SCALE=1|10|100          multiplies users and events
#   BENCH_RANDOM_SCALE=N    scale of the random input (default SCALE; 0 leaves it out)
#   BENCH_CLICKHOUSE=0      leaves ClickHouse and the comparison out, for the curve on a small machine
#   BENCH_DATA=DIR          measures the raw data in DIR instead of generating some
#   BENCH_FLOOR=COMMAND     prints {"decode_s", "decode_exchange_s"} for {config}, {day}, {threads}
# More options go to night.py: bench/run.sh --repeat 3 --totals --reuse-clickhouse
set -eu
cd "$(dirname "$0")/.."
scale=${SCALE:-1}
random_scale=${BENCH_RANDOM_SCALE:-$scale}
bin=target/release

cargo build --release --workspace --bins
[ ! -e pipeline/examples/floor.rs ] || cargo build --release --workspace --example floor
python=$(bench/python.sh)

generated() { # preset scale days: the folder, made on first use
    folder=target/bench/data/$1-$2
    if ! [ -e "$folder/complete" ]; then
        rm -rf "$folder"
        "$bin/tagmill-testdata" generate --preset "$1" --scale "$2" --days "$3" --out "$folder" >&2
        touch "$folder/complete"
    fi
    echo "$folder"
}

data=${BENCH_DATA:-$(generated bench "$scale" 2)}
[ "$random_scale" = 0 ] || set -- --random-data "$(generated bench-random "$random_scale" 1)" "$@"
[ "${BENCH_CLICKHOUSE:-1}" = 1 ] || set -- --without-clickhouse "$@"
floor=${BENCH_FLOOR:-$([ ! -x "$bin/examples/floor" ] || echo "$bin/examples/floor {config} {day} {threads}")}
[ -z "$floor" ] || set -- --floor "$floor" "$@"
exec "$python" bench/night.py --data "$data" --tagmill "$bin/tagmill" --work "target/bench/work-$scale" --out target/bench/night.json "$@"
