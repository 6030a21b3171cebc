#!/usr/bin/env bash
# Java reads a portable 64-bit bitmap as the empty set, without an error.
#
# Library   RoaringBitmap 1.6.10 for Java (the jar of pyspark 4.3.0), bytes of pyroaring 1.2.0; needs a JDK of 17 or newer
# Expected  deserialize reads the portable format of the specification, which CRoaring, Go and Rust write, or fails.
# Happens   Roaring64NavigableMap.deserialize reads an older layout of Java's own. The first five bytes of portable
#           bytes with fewer than 256 buckets are a sign flag and the number 0 in it: an empty map, 47 bytes left.
#           deserializePortable is right. serialize has the same twin: what Java writes by it nobody else reads.
# Matters   Cells of one system are read in another. A job that counts an audience gets 0, with exit 0, and a sum
#           over shards just gets smaller.
# Upstream  RoaringBitmap/RoaringBitmap#598
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check pyspark==4.3.0 pyroaring==1.2.0

cat > "$work/expected" <<'SEEN'
RoaringBitmap-1.6.10
pyroaring             0200000000000000000000003a3000000100000000000000100000000100010000003a3000000100000000000000100000000500
deserialize           [], bytes left 47
deserializePortable   [1, 4294967301], bytes left 0
serialize             0000000002000000003a3000000100000000000000100000000100000000013a3000000100000000000000100000000500
serializePortable     0200000000000000000000003a3000000100000000000000100000000100010000003a3000000100000000000000100000000500
SEEN

jar=$(find "$work/venv" -name 'RoaringBitmap-*.jar')
cat > "$work/Read.java" <<'JAVA'
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.Arrays;
import java.util.HexFormat;
import org.roaringbitmap.longlong.Roaring64NavigableMap;

class Read {
    public static void main(String[] cell) throws Exception {
        byte[] bytes = HexFormat.of().parseHex(cell[0]);
        System.out.println("pyroaring             " + cell[0]);

        var in = new DataInputStream(new ByteArrayInputStream(bytes));
        var plain = new Roaring64NavigableMap();
        plain.deserialize(in);
        System.out.println("deserialize           " + Arrays.toString(plain.toArray()) + ", bytes left " + in.available());

        in = new DataInputStream(new ByteArrayInputStream(bytes));
        var portable = new Roaring64NavigableMap();
        portable.deserializePortable(in);
        System.out.println("deserializePortable   " + Arrays.toString(portable.toArray()) + ", bytes left " + in.available());

        var out = new ByteArrayOutputStream();
        portable.serialize(new DataOutputStream(out));
        System.out.println("serialize             " + HexFormat.of().formatHex(out.toByteArray()));
        out = new ByteArrayOutputStream();
        portable.serializePortable(new DataOutputStream(out));
        System.out.println("serializePortable     " + HexFormat.of().formatHex(out.toByteArray()));
    }
}
JAVA
cell=$("$work/venv/bin/python" -c 'import pyroaring; print(pyroaring.BitMap64([1, 2**32 + 5]).serialize().hex())')
{
    basename "$jar" .jar
    java -cp "$jar" "$work/Read.java" "$cell"
} > "$work/seen"

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
