"""The official Graph SDK for Python, unmodified, against the emulator: answers come as
the SDK's types. Reads where the emulator is from the file that EMULATOR_READY names.
Prints one line per case and ends with 1 if any failed.
"""

import asyncio
import json
import os
import sys
import traceback
import uuid
from datetime import datetime, timezone

from azure.identity import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.security.hunting_query_results import HuntingQueryResults
from msgraph.generated.models.security.hunting_row_result import HuntingRowResult
from msgraph.generated.models.security.single_property_schema import SinglePropertySchema
from msgraph.generated.security.microsoft_graph_security_run_hunting_query import run_hunting_query_post_request_body as body

with open(os.environ["EMULATOR_READY"], encoding="utf-8") as file:
    READY = json.load(file)


async def hunt(query, timespan=None, version="v1.0"):
    credential = ClientSecretCredential(
        READY["tenantId"], READY["clientId"], READY["clientSecret"], authority=READY["authority"], disable_instance_discovery=True
    )
    sign_in = AzureIdentityAuthenticationProvider(credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["127.0.0.1"])
    client = GraphServiceClient(request_adapter=GraphRequestAdapter(sign_in))
    client.request_adapter.base_url = READY["graph"] + "/" + version
    request = body.RunHuntingQueryPostRequestBody(query=query, timespan=timespan)
    return await client.security.microsoft_graph_security_run_hunting_query.post(request)


def same(want, got):
    assert want == got, f"got {got!r}, want {want!r}"


async def types():
    answer = await hunt(
        'print b = true, n = 9007199254740993, r = 1.5, x = "Grüße", t = datetime(2026-11-23T05:06:07Z), '
        "g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), a = dynamic([1, 'x']), d = dynamic({'k': 1}), none = long(null)"
    )
    assert isinstance(answer, HuntingQueryResults) and all(isinstance(c, SinglePropertySchema) for c in answer.schema)
    same(
        [("b", "SByte"), ("n", "Int64"), ("r", "Double"), ("x", "String"), ("t", "DateTime"), ("g", "Guid"), ("a", "Object"), ("d", "Object"), ("none", "Int64")],
        [(c.name, c.type) for c in answer.schema],
    )
    (row,) = answer.results
    assert isinstance(row, HuntingRowResult)
    values = row.additional_data
    same((1, 9007199254740993, 1.5, "Grüße"), tuple(values[k] for k in "bnrx"))
    same(datetime(2026, 11, 23, 5, 6, 7, tzinfo=timezone.utc), values["t"])
    same(uuid.UUID("74be27de-1e4e-49d9-b579-fe0b331d3642"), values["g"])
    same([1, "x"], values["a"])
    same(1, values["d"]["k"])
    same({}, values["none"])


async def table():
    answer = await hunt("DeviceTvmSoftwareInventory | project DeviceId, SoftwareName | take 3")
    same(["DeviceId", "SoftwareName"], [c.name for c in answer.schema])
    same(3, len(answer.results))
    assert all(isinstance(r.additional_data["DeviceId"], str) for r in answer.results)


async def nothing():
    answer = await hunt("DeviceTvmSoftwareInventory | where false | project DeviceId")
    same([], answer.results)
    same(1, len(answer.schema))


async def beta():
    same(1, len((await hunt("print 1", version="beta")).results))


async def timespan():
    same(1, len((await hunt("DeviceInfo | count", timespan="P1D")).results))


async def refused():
    try:
        await hunt("NoSuchTable | take 1")
    except ODataError as e:
        same(400, e.response_status_code)
        same("BadRequest", e.error.code)
        assert "NoSuchTable" in e.error.message, e.error.message
        return
    raise AssertionError("no exception")


CASES = {
    "a value of each type": types,
    "rows of a table": table,
    "an answer without rows": nothing,
    "the beta version": beta,
    "a timespan": timespan,
    "an error of the query": refused,
}

failed = 0
for name, case in CASES.items():
    try:
        asyncio.run(case())
        print("ok  ", name)
    except Exception:
        failed += 1
        print("FAIL", name)
        traceback.print_exc(file=sys.stdout)
print("all passed" if not failed else f"{failed} failed")
sys.exit(1 if failed else 0)
