#!/usr/bin/env bash
# One wrong number makes a drift report say that nothing drifted.
#
# Library   evidently 0.7.23 (with pandas 2.3.3, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1)
# Expected  The population stability index of a column whose values all moved is large, and one more row does not
#           change it. The docstring of the binning speaks of quantiles of the reference.
# Happens   Columns of more than 20 values are cut into bins of equal width between the smallest and the largest value
#           of both days. One age of 10^6 puts everybody else into the first bin: 14.8 becomes 0.002, and "drift"
#           becomes "no drift". Over quantiles of the reference the row changes next to nothing.
# Matters   The index is what guards audiences against a broken feed, and a broken feed is where outliers come from:
#           the check is blind exactly then.
# Upstream  evidentlyai/evidently#1400 is of the same lines
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    evidently==0.7.23 pandas==2.3.3 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1

cat > "$work/expected" <<'SEEN'
evidently 0.7.23
the same ages                0.000 drift False  by quantiles   0.00
everybody 40 years older    14.833 drift True   by quantiles   8.28
and one age of 10^6          0.002 drift False  by quantiles   8.28
SEEN

DO_NOT_TRACK=1 "$work/venv/bin/python" -W ignore - > "$work/seen" <<'PY'
import evidently
import numpy as np
import pandas as pd
from evidently import Dataset, Report
from evidently.metrics import ValueDrift

print("evidently", evidently.__version__)
yesterday = [20.0 + i % 40 for i in range(1000)]
today = [60.0 + i % 40 for i in range(1000)]


def psi(reference, current):
    def frame(values):
        return Dataset.from_pandas(pd.DataFrame({"age": values}))

    run = Report([ValueDrift(column="age", method="psi", threshold=0.1)]).run(frame(current), frame(reference))
    return run.dict()["metrics"][0]["value"]


def psi_by_quantiles(reference, current):
    edges = np.quantile(reference, np.linspace(0, 1, 11))[1:-1]
    shares = [np.bincount(np.searchsorted(edges, values), minlength=10) / len(values) for values in (reference, current)]
    a, b = (np.where(share == 0, 0.0001, share) for share in shares)
    return np.sum((a - b) * np.log(a / b))


for what, values in [("the same ages", yesterday), ("everybody 40 years older", today), ("and one age of 10^6", today + [1e6])]:
    value = psi(yesterday, values)
    print(f"{what:26} {value:7.3f} drift {value >= 0.1!s:5}  by quantiles {psi_by_quantiles(yesterday, values):6.2f}")
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
