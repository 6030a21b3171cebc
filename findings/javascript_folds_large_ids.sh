#!/usr/bin/env bash
# An id of 2^32 and more becomes another user, is dropped, or removes another user.
#
# Library   npm roaring 2.7.0 and roaring-wasm 1.1.0, two ports of CRoaring to JavaScript; needs Node 20 and, where no
#           binary of roaring can be had, a C++ compiler
# Expected  A bitmap of 32 bits refuses 4294967303, as pyroaring does, whichever way it is given.
# Happens   roaring: the constructor and addMany take it modulo 2^32 (user 7), add and has ignore it; NaN is user 0 and
#           -1 is user 4294967295. roaring-wasm: the constructor drops it from an array but folds it from a typed
#           array, and remove(4294967303) removes user 7. Only BigInts are errors.
# Matters   64-bit user numbers are plain JavaScript numbers up to 2^53, so nothing looks wrong: the size of the
#           audience is right and the people in it are strangers. 64-bit cells have to be read bucket by bucket.
# Upstream  SalvatorePreviti/roaring-node#57 (closed)
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm install --silent --no-audit --no-fund --prefix "$work" roaring@2.7.0 roaring-wasm@1.1.0

cat > "$work/expected" <<'SEEN'
roaring 2.7.0
    new ([1, 4294967303])              [1,7]
    new (Float64Array [1, 4294967303]) [1,7]
    new ([1n, 4294967303n])            error, TypeError
    new ([1, NaN, -1])                 [0,1,4294967295]
    {7}.add(4294967303)                [7]
    {7}.has(4294967303)                false
    {}.addMany([1, 4294967303])        [1,7]
    {7}.remove(4294967303)             [7]
roaring-wasm 1.1.0
    new ([1, 4294967303])              [1]
    new (Float64Array [1, 4294967303]) [1,7]
    new ([1n, 4294967303n])            error, TypeError
    new ([1, NaN, -1])                 [1]
    {7}.add(4294967303)                [7]
    {7}.has(4294967303)                false
    {}.addMany([1, 4294967303])        [1]
    {7}.remove(4294967303)             []
SEEN

cat > "$work/folds.mjs" <<'JS'
import { createRequire } from "node:module";
import roaring from "roaring";
import * as wasm from "roaring-wasm";

const version = (name) => createRequire(import.meta.url)(`${name}/package.json`).version;
await wasm.roaringLibraryInitialize();
const ID = 2 ** 32 + 7;

for (const [name, Bitmap] of [["roaring", roaring.RoaringBitmap32], ["roaring-wasm", wasm.RoaringBitmap32]]) {
  const show = (what, value) => console.log(`    ${what.padEnd(34)} ${value}`);
  const members = (values) => {
    try {
      return JSON.stringify(new Bitmap(values).toArray());
    } catch (error) {
      return `error, ${error.constructor.name}`;
    }
  };
  console.log(name, version(name));
  show("new ([1, 4294967303])", members([1, ID]));
  show("new (Float64Array [1, 4294967303])", members(new Float64Array([1, ID])));
  show("new ([1n, 4294967303n])", members([1n, BigInt(ID)]));
  show("new ([1, NaN, -1])", members([1, NaN, -1]));
  const added = new Bitmap([7]);
  added.add(ID);
  show("{7}.add(4294967303)", JSON.stringify(added.toArray()));
  show("{7}.has(4294967303)", new Bitmap([7]).has(ID));
  const many = new Bitmap();
  many.addMany([1, ID]);
  show("{}.addMany([1, 4294967303])", JSON.stringify(many.toArray()));
  const removed = new Bitmap([7]);
  removed.remove(ID);
  show("{7}.remove(4294967303)", JSON.stringify(removed.toArray()));
}
JS
(cd "$work" && node folds.mjs) > "$work/seen"

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
