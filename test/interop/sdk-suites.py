"""Prepares the database for the suites of the official SDKs, and judges their results.

  sdk-suites.py prepare READY
  sdk-suites.py judge KNOWN RESULTS SUITE...

KNOWN has a line `SUITE TEST: REASON` for each test that cannot pass here, where TEST is a
pattern. RESULTS is a folder with the reports of the test runners.
"""

import fnmatch
import json
import pathlib
import ssl
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree


def prepare(file):
    with open(file, encoding="utf-8") as f:
        ready = json.load(f)
    trust = ssl.create_default_context(cafile=ready["ca"])

    def post(url, data, **headers):
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), context=trust) as answer:
            return json.load(answer)

    form = {"grant_type": "client_credentials", "client_id": ready["adminClientId"], "client_secret": ready["adminClientSecret"]}
    form["scope"] = ready["kusto"] + "/.default"
    token = post(f"{ready['authority']}/{ready['tenantId']}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode())["access_token"]
    database = ready["database"]
    for command in [
        # The Java suite streams into a table that it makes without a policy, and looks for its application among the principals.
        f".alter database {database} policy streamingingestion enable",
        f".add database {database} admins ('aadapp={ready['adminClientId']};{ready['tenantId']}')",
        # The Go suite queues into this table with a mapping that does not exist.
        ".create table goe2e_queued_reader_logs (header_time: datetime)",
    ]:
        body = json.dumps({"db": database, "csl": command}).encode()
        post(ready["kusto"] + "/v1/rest/mgmt", body, **{"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    # A test of the Python suite wants no row after a second: the service takes longer, the emulator does not by itself.
    late = {"endpoint": "delivery", "match": "json_ingestion_ingest_by_tag", "delivery": "late:10s"}
    post(ready["control"] + "/faults", json.dumps([late]).encode(), **{"Content-Type": "application/json"})


def tests(file):
    """The tests of a report: (name, "passed" | "failed" | "skipped")."""
    text = file.read_text(encoding="utf-8", errors="replace")
    if file.suffix == ".jsonl":  # go test -json
        outcomes = {"pass": "passed", "fail": "failed", "skip": "skipped"}
        events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        found = {e["Test"]: outcomes[e["Action"]] for e in events if "Test" in e and e["Action"] in outcomes}
        begun = {e["Test"] for e in events if "Test" in e} - found.keys()
        found |= {name: "failed" for name in begun}
        # A test with parts fails with them; the parts are what is counted.
        return [(name, outcome) for name, outcome in found.items() if not any(other.startswith(name + "/") for other in found)]
    if file.suffix == ".json":  # jest
        outcomes = {"passed": "passed", "failed": "failed", "pending": "skipped"}
        suites = [s for s in json.loads(text)["testResults"] if "e2eTest" in s["name"]]
        return [(t["fullName"], outcomes[t["status"]]) for s in suites for t in s["assertionResults"]]
    cases = ElementTree.fromstring(text).iter("testcase")  # pytest, surefire
    kinds = {"failure": "failed", "error": "failed", "skipped": "skipped"}
    return [(c.get("name"), next((kinds[x.tag] for x in c if x.tag in kinds), "passed")) for c in cases]


def judge(known, results, suites):
    reasons = []
    for line in pathlib.Path(known).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, reason = line.split(": ", 1)
            reasons.append((*name.split(" ", 1), reason))
    unknown = 0
    for suite in suites:
        files = sorted(f for f in pathlib.Path(results).iterdir() if f.stem.split("-")[0] == suite and f.stem != "log")
        found = [t for f in files for t in tests(f)]
        count = {outcome: sum(1 for _, o in found if o == outcome) for outcome in ("passed", "failed", "skipped")}
        print(f"{suite}: {count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
        if not count["passed"]:
            unknown += 1
            print("  no test passed")
            for log in pathlib.Path(results).glob(f"log.{suite}*"):
                print(log.read_text(encoding="utf-8", errors="replace")[-4000:])
        for name, outcome in sorted(found):
            if outcome != "failed":
                continue
            reason = next((r for s, pattern, r in reasons if s == suite and fnmatch.fnmatchcase(name, pattern)), None)
            unknown += reason is None
            print(f"  {'known' if reason else 'FAIL '} {name}{': ' + reason if reason else ''}")
    return unknown


if sys.argv[1] == "prepare":
    prepare(sys.argv[2])
else:
    sys.exit(1 if judge(sys.argv[2], sys.argv[3], sys.argv[4:]) else 0)
