"""Bitmap cells read with the library RoaringBitmap of other languages, by the calls that docs/other-engines.md names.

A language that this machine does not have is left out, and said to be.
"""

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import release
from published import Published
from pyroaring import BitMap64

NODE = """
const { RoaringBitmap32, roaringLibraryInitialize } = require('roaring-wasm');
roaringLibraryInitialize().then(() => {
  const cells = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  console.log(JSON.stringify(cells.map((hex) => {
    const cell = Buffer.from(hex, 'hex');
    const shard = BigInt(cell.readUInt32LE(8));
    const ordinals = RoaringBitmap32.deserialize('portable', cell.subarray(12));
    return Array.from(ordinals, (ordinal) => String((shard << 32n) | BigInt(ordinal)));
  })));
});
"""

JAVA = """
import java.io.*;
import java.util.*;
import org.roaringbitmap.longlong.Roaring64NavigableMap;

public class Cells {
  public static void main(String[] none) throws IOException {
    for (String hex : new BufferedReader(new InputStreamReader(System.in)).lines().toList()) {
      Roaring64NavigableMap users = new Roaring64NavigableMap();
      users.deserializePortable(new DataInputStream(new ByteArrayInputStream(HexFormat.of().parseHex(hex))));
      StringJoiner uids = new StringJoiner(" ");
      users.forEach(uid -> uids.add(Long.toUnsignedString(uid)));
      System.out.println(uids);
    }
  }
}
"""
# The package of PyPI that has the library RoaringBitmap of Java in it; only that is kept of it.
SPARK = "pyspark==4.3.0"


def cells_of(published: Published) -> dict[str, list[int]]:
    """Cells in hex with their uids, decoded bucket by bucket."""
    cells = {}
    for path in map(Path, published.run("files", "--artifact", "groups").split()):
        table = pq.read_table(path, columns=["shard", "bitmap"])
        for shard, cell in zip(table["shard"].to_pylist(), table["bitmap"].to_pylist()):
            if int.from_bytes(cell[:8], "little") == 1:
                cells[cell.hex()] = [shard << 32 | int(ordinal) for ordinal in release.ordinals(cell, shard)]
    assert len(cells) > 10 and any(uid >> 32 for uids in cells.values() for uid in uids)
    return cells


def test_pyroaring_reads_cells_with_bitmap64(published: Published) -> None:
    for cell, uids in cells_of(published).items():
        assert list(BitMap64.deserialize(bytes.fromhex(cell))) == uids


def test_node_reads_the_bucket_of_a_cell(published: Published) -> None:
    if shutil.which("npm") is None:
        print("left out: this machine has no npm")
        return
    folder = published.folder.parent / "node"
    folder.mkdir(exist_ok=True)
    subprocess.run(["npm", "install", "--silent", "--no-fund", "--no-audit", "roaring-wasm@1.1.0"], cwd=folder, check=True)
    cells = cells_of(published)
    given = json.dumps(list(cells))
    done = subprocess.run(["node", "-e", NODE], cwd=folder, input=given, capture_output=True, text=True, check=True)
    assert [[int(uid) for uid in uids] for uids in json.loads(done.stdout)] == list(cells.values())


def java_library(folder: Path) -> Path:
    """The jar of RoaringBitmap."""
    jars = folder / "jars"
    if not list(jars.glob("*.jar")):
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, SPARK], check=True)
        for package in folder.glob("pyspark-*.tar.gz"):
            with tarfile.open(package) as files:
                for member in files:
                    name = Path(member.name).name
                    if name.startswith("RoaringBitmap-") and name.endswith(".jar"):
                        jars.mkdir(exist_ok=True)
                        (jars / name).write_bytes(files.extractfile(member).read())
            package.unlink()
    return next(jars.glob("*.jar"))


def test_java_reads_cells_as_portable(published: Published) -> None:
    if shutil.which("java") is None:
        print("left out: this machine has no java")
        return
    folder = published.folder.parents[1] / "interop-java"
    folder.mkdir(exist_ok=True)
    source = folder / "Cells.java"
    source.write_text(JAVA)
    cells = cells_of(published)
    command = ["java", "-cp", str(java_library(folder)), str(source)]
    done = subprocess.run(command, input="\n".join(cells), capture_output=True, text=True, check=True)
    assert [[int(uid) for uid in line.split()] for line in done.stdout.splitlines()] == list(cells.values())
