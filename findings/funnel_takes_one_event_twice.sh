#!/usr/bin/env bash
# One event passes a whole funnel, and a funnel runs backwards within a second.
#
# Library   chdb 4.4.0 (ClickHouse 26.9.2)
# Expected  Two steps of a funnel are two events, the second of them later.
# Happens   windowFunnel lets one event pass all the steps whose conditions it meets. Steps of equal times count in
#           the order of the funnel, whichever way they are asked for: viewed then paid and paid then viewed are both
#           complete. The mode strict_once cures the first only, strict_increase both, strict_order and
#           strict_deduplication neither. sequenceMatch takes an event once, and equal times in the order of the rows.
# Matters   A funnel is an audience ("paid after a view"). Steps such as any order, then an order over 100, let
#           everybody through who ordered once; times in whole seconds do the other half.
# Upstream  ClickHouse/ClickHouse#21835 (closed by the mode strict_once), ClickHouse/ClickHouse#93789
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0

cat > "$work/expected" <<'SEEN'
ClickHouse 26.9.2.1
one order of 150: ordered, then ordered for 100 or more
    windowFunnel(60): 2 steps
    windowFunnel(60, 'strict_once'): 1 steps
    windowFunnel(60, 'strict_increase'): 1 steps
    windowFunnel(60, 'strict_order'): 2 steps
    windowFunnel(60, 'strict_deduplication'): 2 steps
    sequenceMatch: 0
a payment and a view in the same second: viewed, then paid
    windowFunnel(60): 2 steps
    windowFunnel(60, 'strict_once'): 2 steps
    windowFunnel(60, 'strict_increase'): 1 steps
    windowFunnel(60, 'strict_order'): 2 steps
    windowFunnel(60, 'strict_deduplication'): 2 steps
    sequenceMatch: 0
the same two events: paid, then viewed
    windowFunnel(60): 2 steps
    windowFunnel(60, 'strict_once'): 2 steps
    windowFunnel(60, 'strict_increase'): 1 steps
    windowFunnel(60, 'strict_order'): 2 steps
    windowFunnel(60, 'strict_deduplication'): 2 steps
    sequenceMatch: 1
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
import chdb

print("ClickHouse", chdb.query("SELECT version()", "TSV").data().strip())
MODES = ["", ", 'strict_once'", ", 'strict_increase'", ", 'strict_order'", ", 'strict_deduplication'"]


def show(title, events, first, second):
    print(title)
    for mode in MODES:
        steps = chdb.query(f"SELECT windowFunnel(60{mode})(t, {first}, {second}) FROM {events}", "TSV").data().strip()
        print(f"    windowFunnel(60{mode}): {steps} steps")
    matches = chdb.query(f"SELECT sequenceMatch('(?1)(?2)')(toDateTime(t), {first}, {second}) FROM {events}", "TSV")
    print(f"    sequenceMatch: {matches.data().strip()}")


show("one order of 150: ordered, then ordered for 100 or more",
     "values('t UInt32, amount UInt32', (10, 150))", "amount > 0", "amount >= 100")
two = "values('t UInt32, event String', (10, 'pay'), (10, 'view'))"
show("a payment and a view in the same second: viewed, then paid", two, "event = 'view'", "event = 'pay'")
show("the same two events: paid, then viewed", two, "event = 'pay'", "event = 'view'")
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
