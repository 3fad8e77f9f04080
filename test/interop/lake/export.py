"""An export into a lake, read by DuckDB and by delta-rs: the rows are those of the source, now, as of each day, and in
the differences of days.

export.py PROGRAM FOLDER: PROGRAM is tvmexport. DEVICES and DAYS are the size of the tenant and how often it is exported;
EVENTS is the number of devices of a second tenant, whose event tables are exported.
"""

import collections
import datetime
import json
import math
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import duckdb
import pyarrow
from deltalake import DeltaTable

program, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
DAYS = int(os.environ.get("DAYS", "3"))
UTC = datetime.timezone.utc
LINEAGE = {"RunId", "Partition", "ExportedAt", "RecordRest"}


class Emulator:
    """A tenant of synthetic devices."""

    def __init__(self, name, devices):
        self.home = os.path.join(folder, name)
        os.makedirs(self.home)
        self.process = subprocess.Popen(
            [program, "emulator", "--devices", str(devices), "--quota", "off", "--dir", self.home],
            stdout=subprocess.PIPE, stderr=open(os.path.join(self.home, "log"), "w"), text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.trust = ssl.create_default_context(cafile=os.path.join(self.home, "ca.pem"))

    def call(self, path, body=None):
        request = urllib.request.Request(self.ready["control"] + path, data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, context=self.trust) as answer:
            return answer.read().decode()

    def truth(self, table):
        return [json.loads(line) for line in self.call("/truth?rows=1&q=" + urllib.parse.quote(table)).split("\n") if line]

    def tvmexport(self, *args):
        ready = self.ready
        environment = dict(os.environ, AZURE_TENANT_ID=ready["tenantId"], AZURE_CLIENT_ID=ready["clientId"], AZURE_CLIENT_SECRET=ready["clientSecret"],
                           TVMEXPORT_AUTH_METHOD="secret", TVMEXPORT_AUTH_AUTHORITY=ready["authority"], TVMEXPORT_DEFENDER_ENDPOINT=ready["graph"],
                           TVMEXPORT_DEFENDER_SHARE="1", TVMEXPORT_CA_FILE=os.path.join(self.home, "ca.pem"),
                           TVMEXPORT_DESTINATION="lake", TVMEXPORT_LAKE_PATH=os.path.join(self.home, "tvm"))
        return subprocess.run([program, *args], env=environment, cwd=self.home, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    def end(self):
        self.process.terminate()
        self.process.wait()


# The source's rows are compared with every text that is a time in one form, also in dynamic values.
MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?Z")


def bare(v):
    """A value without members that are null, and with numbers in their shortest form, as the source's rows are compared."""
    if isinstance(v, dict):
        return {k: bare(x) for k, x in v.items() if x is not None}
    if isinstance(v, str) and (m := MOMENT.fullmatch(v)):
        return m[1] + "." + (m[2] or "")[:6].ljust(6, "0")
    if isinstance(v, float) and v == math.floor(v) and abs(v) < 2**53:
        return int(v)  # numbers in their shortest form
    return [bare(x) for x in v] if isinstance(v, list) else v


def canonical(row, kinds):
    """A row in one form: without null, times to the microsecond, dynamic values parsed."""
    out = {}
    for name, v in row.items():
        kind = kinds.get(name)
        if v is None:
            continue
        if kind == "datetime":
            v = v.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") if isinstance(v, datetime.datetime) else bare(v)
        elif kind == "dynamic":
            v = bare(json.loads(v))
        else:
            v = bare(v)
        out[name] = v
    return json.dumps(out, sort_keys=True)


class Truth:
    """What the source had of a table on a day."""

    def __init__(self, rows, kinds):
        self.rows = collections.Counter()
        for row in rows:
            out = {}
            for name, v in row.items():
                # Delta ignores case: of LogonId and LogonID, the second one has its type in its name.
                out[name if name in kinds else name + "_long"] = json.dumps(v) if kinds.get(name) == "dynamic" and v is not None else v
            self.rows[canonical(out, kinds)] += 1


def kinds_of(table):
    """The types of columns, as the program noted them in the schema."""
    fields = json.loads(table.schema().to_json())["fields"]
    return {f["name"]: f["metadata"].get("tvmexport.type", "string") for f in fields if f["name"] not in LINEAGE}


failures = 0


def same(what, got, want):
    global failures
    if got == want:
        return
    failures += 1
    more, less = got - want, want - got
    print(f"FAIL {what}: {sum(more.values())} rows too many, {sum(less.values())} missing")
    for title, rows in (("too many", more), ("missing", less)):
        for row in list(rows)[:1]:
            print(f"     {title}: {row[:300]}")


def by_duckdb(con, query, kinds):
    result = con.execute(query)
    names = [d[0] for d in result.description]
    out = collections.Counter()
    while rows := result.fetchmany(10000):
        for row in rows:
            out[canonical(dict(zip(names, row)), kinds)] += 1
    return out


def by_delta(table, kinds):
    data = pyarrow.table(table.to_pyarrow_table()) if hasattr(table, "to_pyarrow_table") else table
    data = data.drop_columns([c for c in data.column_names if c in LINEAGE])
    out = collections.Counter()
    for batch in data.to_batches():
        for row in batch.to_pylist():
            out[canonical(row, kinds)] += 1
    return out


def story(name, devices, tables):
    """Exports the tables on each day, and then reads all days."""
    began = time.time()
    e = Emulator(name, devices)
    try:
        lake = os.path.join(e.home, "tvm")
        e.tvmexport("init", *[a for t in tables for a in ("--table", t)])
        tables = tables or sorted(json.loads(l)["table"] for l in e.tvmexport("status", "--json").split("\n") if l)
        days = []
        for day in range(DAYS):
            if day:
                e.call("/advance", {"days": 1})
            e.tvmexport("run")
            time.sleep(0.01)  # the log has milliseconds
            days.append((datetime.datetime.now(UTC), {t: e.truth(t) for t in tables}))
            time.sleep(0.01)
        exported = time.time()
        con = duckdb.connect()
        con.execute("SET TimeZone = 'UTC'")
        con.execute(open(os.path.join(lake, "init.sql")).read())
        rows = 0
        for t in tables:
            kinds = kinds_of(DeltaTable(os.path.join(lake, t)))
            truths = [Truth(truth[t], kinds).rows for _, truth in days]
            rows += sum(sum(truth.values()) for truth in truths)
            same(f"DuckDB, {t}", by_duckdb(con, f'FROM "{t}"', kinds), truths[-1])
            same(f"delta-rs, {t}", by_delta(DeltaTable(os.path.join(lake, t)), kinds), truths[-1])
            for i, (at, _) in enumerate(days[:-1]):
                same(f"DuckDB, {t} as of day {i + 1}", by_duckdb(con, f"""FROM "{t}_as_of"('{at.isoformat()}')""", kinds), truths[i])
                version = DeltaTable(os.path.join(lake, t))
                version.load_as_version(at)
                same(f"delta-rs, {t} as of day {i + 1}", by_delta(version, kinds), truths[i])
            for i, j in {(k, k + 1) for k in range(len(days) - 1)} | {(0, len(days) - 1)}:
                if i >= j:
                    continue
                want = collections.Counter()
                for word, more in (("removed", truths[i] - truths[j]), ("added", truths[j] - truths[i])):
                    for row, n in more.items():
                        want[json.dumps(dict(json.loads(row), Change=word), sort_keys=True)] += n
                got = by_duckdb(con, f"""FROM "{t}_changes"('{days[i][0].isoformat()}', '{days[j][0].isoformat()}')""", kinds)
                same(f"DuckDB, changes of {t} from day {i + 1} to {j + 1}", got, want)
        runs = con.execute('SELECT count(*) FROM "ExportRuns"').fetchone()[0]
        if runs != DAYS * len(tables):
            same("ExportRuns", collections.Counter([runs]), collections.Counter([DAYS * len(tables)]))
        print(f"ok   {len(tables)} tables of {devices} devices on {DAYS} days, {rows} rows: DuckDB {duckdb.__version__} and delta-rs read what the source had "
              f"({exported - began:.0f} s to export, {time.time() - exported:.0f} s to read)" if not failures else f"{failures} comparisons failed")
    finally:
        e.end()


story("state", int(os.environ.get("DEVICES", "200")), [])
story("events", int(os.environ.get("EVENTS", "8")), ["DeviceProcessEvents", "DeviceNetworkEvents"])
sys.exit(1 if failures else 0)
