"""Delta tables of this project, read and changed by delta-rs, and read by DuckDB.

suite.py PROGRAM FOLDER: PROGRAM is the one of main.go.
"""

import datetime
import json
import math
import os
import subprocess
import sys
import traceback

import duckdb
from deltalake import DeltaTable, write_deltalake

program, folder = sys.argv[1:]
path = os.path.join(folder, "devices")
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def ours(command):
    """What our program writes or reads: the versions."""
    out = subprocess.run([program, command, folder], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def plain(v):
    """A value of delta-rs or of DuckDB as our program prints it."""
    if isinstance(v, datetime.datetime):
        if v.tzinfo is None:
            v = v.replace(tzinfo=UTC)
        return (v - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(v, float) and math.isinf(v):
        return "+Inf"
    return str(v) if type(v).__name__ == "UUID" else v


def in_order(rows):
    return sorted(([plain(v) for v in row] for row in rows), key=lambda r: r[0])


def by_delta(table):
    import pyarrow

    data = pyarrow.table(table.to_pyarrow_table()) if hasattr(table, "to_pyarrow_table") else table
    return in_order(zip(*(data.column(i).to_pylist() for i in range(data.num_columns))))


def by_duckdb(table):
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.execute("create view files as from read_parquet(?, union_by_name = true, hive_partitioning = false)".replace("?", repr(table.file_uris())))
    names = [f.name for f in table.schema().fields]
    have = {r[0] for r in con.execute("describe files").fetchall()}
    rows = con.execute("select " + ", ".join(f'"{n}"' if n in have else "null" for n in names) + " from files").fetchall()
    return in_order(rows)


def compare(versions):
    """Every version that can be read has the same rows in all three."""
    for v in versions:
        assert "error" not in v, v["error"]
        table = DeltaTable(path, version=v["version"])
        assert len(table.file_uris()) == v["files"], (v["version"], table.file_uris())
        assert by_delta(table) == v["rows"], f"version {v['version']}: delta-rs reads other rows"
        assert by_duckdb(table) == v["rows"], f"version {v['version']}: DuckDB reads other rows"
        assert table.transaction_version("tvmexport/Devices") == v["txn"]


def written():
    versions = ours("write")
    assert len(versions) == 23 and versions[-1]["rows"], versions
    compare(versions)


def statistics():
    rows = DeltaTable(path).get_add_actions(flatten=True)
    import pyarrow

    rows = pyarrow.table(rows).to_pylist()
    assert len(rows) > 5
    for r in rows:
        n = r["path"].split("/")[0].split("=")[1]
        assert r["num_records"] == 50, r
        assert r["null_count.Exposed"] == 5 and r["null_count.DeviceId"] == 0, r
        assert r["min.Score"] == -25 and r["max.Score"] == 23, r
        assert r["min.DeviceId"] == f"device-{n}-0" and r["max.DeviceId"] == f"device-{n}-9", r
        assert r["min.Seen"] <= datetime.datetime(2026, 11, 1, 0, 0, 0, 123456, tzinfo=UTC), r
        assert r["max.Seen"] >= datetime.datetime(2026, 11, 1, 0, 0, 48, 123456, tzinfo=UTC), r


def time_travel():
    """delta-rs uses the time of the file, which is some milliseconds before or after the one in the commit."""
    versions = ours("read")
    for v in versions:
        at = v["millis"] * 1_000_000
        os.utime(os.path.join(path, "_delta_log", f"{v['version']:020d}.json"), ns=(at, at))
    for v in versions[1::5]:
        table = DeltaTable(path)
        table.load_as_version(datetime.datetime.fromtimestamp(v["millis"] / 1000, UTC))
        assert table.version() == v["version"], (table.version(), v["version"])


def filters():
    import pyarrow

    table = DeltaTable(path)
    found = pyarrow.table(table.to_pyarrow_table(filters=[("DeviceId", "=", "device-22-7")]))
    assert found.num_rows == 1, found


def history():
    log = DeltaTable(path).history()
    assert [h["version"] for h in log] == list(range(22, -1, -1)), log
    assert log[0]["tvmexport"]["run"] == "run-22" if isinstance(log[0]["tvmexport"], dict) else "run-22" in str(log[0]["tvmexport"]), log[0]


def vacuum():
    """The retention is a year: delta-rs removes nothing, and refuses less."""
    before = ours("read")
    assert DeltaTable(path).vacuum(dry_run=False) == []
    assert ours("read")[: len(before)] == before


def their_append():
    """delta-rs appends; we read it and append after it."""
    import pyarrow

    table = DeltaTable(path)
    data = pyarrow.table(table.to_pyarrow_table(filters=[("DeviceId", "=", "device-22-7")]))
    data = data.set_column(0, "DeviceId", pyarrow.array(["theirs"]))
    write_deltalake(path, data, mode="append")
    versions = ours("read")
    assert versions[-1]["rows"][-1][0] == "theirs", versions[-1]["rows"][-1]
    compare(versions)
    versions = ours("append")
    compare(versions)


def their_checkpoint():
    DeltaTable(path).create_checkpoint()
    last = json.load(open(os.path.join(path, "_delta_log", "_last_checkpoint")))
    versions = ours("read")
    assert last["version"] == versions[-1]["version"], last
    # Without the commits before it, the checkpoint alone leads to the version.
    for name in os.listdir(os.path.join(path, "_delta_log")):
        if name[:20].isdigit() and (int(name[:20]) < last["version"] or name[:20] != f"{last['version']:020d}"):
            os.rename(os.path.join(path, "_delta_log", name), os.path.join(folder, name))
    alone = ours("read")
    assert alone[-1] == versions[-1], (alone[-1], versions[-1])
    assert all("no commit" in v["error"] for v in alone[:-1]), alone[:-1]
    for name in os.listdir(folder):
        if name[:20].isdigit():
            os.rename(os.path.join(folder, name), os.path.join(path, "_delta_log", name))
    compare(ours("read"))


def their_optimize():
    before = ours("read")
    metrics = DeltaTable(path).optimize.compact()
    assert metrics["numFilesAdded"] == 1, metrics
    versions = ours("read")
    assert versions[-1]["files"] == 1 and versions[-1]["rows"] == before[-1]["rows"]
    compare(versions)
    compare(ours("append"))


def their_vacuum_of_everything():
    """What vacuum deletes is an error that names the file, never fewer rows."""
    newest = ours("read")[-1]
    deleted = DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert deleted, "nothing was deleted"
    versions = ours("read")
    assert versions[-1]["rows"] == newest["rows"]
    gone = [v for v in versions if "error" in v]
    assert gone and all(".parquet" in v["error"] and "does not exist" in v["error"] for v in gone), gone[:1]


failed = 0
for test in [written, statistics, time_travel, filters, history, vacuum, their_append, their_checkpoint, their_optimize, their_vacuum_of_everything]:
    name = test.__name__.replace("_", " ")
    try:
        test()
        print(f"ok   {name}")
    except Exception:
        failed += 1
        print(f"FAIL {name}")
        traceback.print_exc(file=sys.stdout)
sys.exit(failed > 0)
