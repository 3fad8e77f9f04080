"""The official Python SDK of Kusto, unmodified, against the emulator.

Reads where the emulator is from the file that EMULATOR_READY names. Prints one
line per case and ends with 1 if any failed.
"""

import asyncio
import contextlib
import gzip
import io
import json
import logging
import math
import os
import sys
import tempfile
import time
import traceback
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from azure.kusto.data import ClientRequestProperties, DataFormat, KustoClient, KustoConnectionStringBuilder
from azure.kusto.data.aio import KustoClient as AsyncKustoClient
from azure.kusto.data.exceptions import KustoApiError, KustoAuthenticationError, KustoServiceError
from azure.kusto.ingest import (
    BlobDescriptor,
    ColumnMapping,
    FileDescriptor,
    IngestionProperties,
    KustoStreamingIngestClient,
    ManagedStreamingIngestClient,
    QueuedIngestClient,
    ReportLevel,
    StreamDescriptor,
    TransformationMethod,
)
from azure.kusto.ingest.status import KustoIngestStatusQueues

with open(os.environ["EMULATOR_READY"], encoding="utf-8") as file:
    READY = json.load(file)

logging.getLogger("azure").setLevel(logging.CRITICAL)  # refusals are part of the cases

DATABASE = READY["database"]
PATIENCE = 60  # seconds until something queued must have been ingested

SCHEMA = (
    "Number:int, Bool:bool, Int:int, Long:long, Real:real, Decimal:decimal, Datetime:datetime, "
    "Timespan:timespan, String:string, Guid:guid, Dynamic:dynamic"
)
NAMES = [column.strip().split(":")[0] for column in SCHEMA.split(",")]
MAPPING = json.dumps([{"column": name, "Properties": {"Path": f"$.{name.lower()}"}} for name in NAMES])
GUID = "74be27de-1e4e-49d9-b579-fe0b331d3642"
ROWS = [
    {
        "number": 1,
        "bool": True,
        "int": -2147483648,
        "long": 9007199254740993,
        "real": 1.5,
        "decimal": "12345678901234567890.123456789",
        "datetime": "2026-11-23T05:06:07.1234567Z",
        "timespan": "1.02:03:04.0000010",
        "string": 'Grüße, "quoted"\n日本',
        "guid": GUID.upper(),
        "dynamic": {"list": [1, 2.5, None], "text": "x", "empty": {}},
    },
    {"number": 2},
    {"number": 3, "bool": False, "int": 1.5, "long": "x", "real": "NaN", "string": 12, "dynamic": "plain", "timespan": "-00:00:01"},
]
WANTED = [
    [
        1,
        True,
        -2147483648,
        9007199254740993,
        1.5,
        Decimal("12345678901234567890.123456789"),
        datetime(2026, 11, 23, 5, 6, 7, 123456, tzinfo=timezone.utc),
        timedelta(days=1, hours=2, minutes=3, seconds=4, microseconds=1),
        'Grüße, "quoted"\n日本',
        GUID,
        {"list": [1, 2.5, None], "text": "x", "empty": {}},
    ],
    [2, None, None, None, None, None, None, None, "", None, None],
    [3, False, None, None, "NaN", None, None, timedelta(seconds=-1), "12", None, "plain"],
]


def sign_in(builder_url, secret=READY["clientSecret"], client=READY["clientId"]):
    credential = ClientSecretCredential(
        READY["tenantId"], client, secret, authority=READY["authority"], disable_instance_discovery=True
    )
    return KustoConnectionStringBuilder.with_azure_token_credential(builder_url, credential)


CLIENT = KustoClient(sign_in(READY["kusto"]))
INGEST = QueuedIngestClient(sign_in(READY["ingest"]))
STATUS = KustoIngestStatusQueues(INGEST)


def mgmt(text, client=CLIENT):
    return client.execute_mgmt(DATABASE, text).primary_results[0]


def query(text, properties=None, client=CLIENT):
    return client.execute_query(DATABASE, text, properties).primary_results[0]


def count(table):
    return query(f"{table} | count")[0][0]


def table(schema=SCHEMA, mapping=MAPPING):
    """Makes a table of a name of its own, with a JSON mapping M."""
    name = "Py" + uuid.uuid4().hex[:12]
    mgmt(f".create table {name} ({schema})")
    if mapping:
        mgmt(f".create-or-alter table {name} ingestion json mapping 'M' '{mapping}'")
    return name


def lines(rows=None):
    return "".join(json.dumps(row) + "\n" for row in rows or ROWS).encode()


def properties(name, **more):
    more.setdefault("data_format", DataFormat.JSON)
    if more["data_format"].ingestion_mapping_kind == DataFormat.JSON.ingestion_mapping_kind and "column_mappings" not in more:
        more.setdefault("ingestion_mapping_reference", "M")
    return IngestionProperties(DATABASE, name, report_level=ReportLevel.FailuresAndSuccesses, **more)


seen = {}  # status messages by source id


def outcome(result):
    """Waits for the message about a queued source: ("success" | "failure", message)."""
    source = str(result.source_id)
    deadline = time.monotonic() + PATIENCE
    while source not in seen:
        for kind in ("success", "failure"):
            for message in getattr(STATUS, kind).pop(16):
                seen[message.IngestionSourceId] = (kind, message)
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing was reported about {source} within {PATIENCE} s")
        if source not in seen:
            time.sleep(0.1)
    return seen[source]


def succeed(result):
    kind, message = outcome(result)
    assert kind == "success", f"{message.ErrorCode}: {message.Details}"
    return message


def same(got, wanted):
    assert got == wanted, f"got {got!r}, want {wanted!r}"


def refused(kind, call):
    try:
        call()
    except kind as refusal:
        return refusal
    raise AssertionError(f"no {kind.__name__} was raised")


def check_rows(name):
    got = [list(row) for row in query(f"{name} | order by Number asc")]
    for row, wanted in zip(got, WANTED, strict=True):
        for column, value, want in zip(NAMES, row, wanted, strict=True):
            if want == "NaN" and (value == "NaN" or isinstance(value, float) and math.isnan(value)):
                continue
            assert value == want and type(value) is type(want), f"{column}: got {value!r}, want {want!r}"


def file_is_queued_and_read_back():
    name = table()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows with ünïcode + signs.json")
        with open(path, "wb") as out:
            out.write(lines())
        result = INGEST.ingest_from_file(FileDescriptor(path), properties(name))
    message = succeed(result)
    same((message.Database, message.Table), (DATABASE, name))
    check_rows(name)


def compressed_stream_is_queued():
    name = table()
    stream = StreamDescriptor(io.BytesIO(gzip.compress(lines())), is_compressed=True)
    succeed(INGEST.ingest_from_stream(stream, properties(name)))
    check_rows(name)


def blob_is_queued_by_its_address():
    first, second = table(), table()
    result = INGEST.ingest_from_stream(io.BytesIO(lines()), properties(first))
    succeed(result)
    succeed(INGEST.ingest_from_blob(BlobDescriptor(result.blob_uri, len(lines())), properties(second)))
    check_rows(second)


def large_blob_goes_up_in_blocks():
    name = table("Number:int, Text:string", '[{"column":"Number","Properties":{"Path":"$.n"}},{"column":"Text","Properties":{"Path":"$.t"}}]')
    rows = lines([{"n": n, "t": uuid.uuid4().hex * 40} for n in range(60_000)])
    stream = StreamDescriptor(io.BytesIO(gzip.compress(rows, 1)), is_compressed=True, size=len(rows))
    succeed(INGEST.ingest_from_stream(stream, properties(name)))
    same(list(query(f"{name} | summarize count(), dcount(Number), max(strlen(Text))")[0]), [60_000, 60_000, 1280])


def formats():
    name = table("A:long, B:string, C:dynamic", None)
    for data_format, data in {
        DataFormat.CSV: b'1,"a ""b"", c","{""k"":1}"\r\n',
        DataFormat.TSV: b"2\tb\t[1]\n",
        DataFormat.PSV: b"3|c|x\n",
        DataFormat.SCSV: b"4;d;\n",
    }.items():
        succeed(INGEST.ingest_from_stream(io.BytesIO(data), properties(name, data_format=data_format)))
    got = [list(row) for row in query(f"{name} | order by A asc")]
    same(got, [[1, 'a "b", c', {"k": 1}], [2, "b", [1]], [3, "c", "x"], [4, "d", None]])


def multijson():
    name = table()
    data = json.dumps(ROWS, indent=2).encode()
    succeed(INGEST.ingest_from_stream(io.BytesIO(data), properties(name, data_format=DataFormat.MULTIJSON)))
    check_rows(name)


def inline_mapping():
    name = table("A:long, B:string, T:datetime, L:long", None)
    mapping = [
        ColumnMapping("A", "long", path="$.a"),
        ColumnMapping("B", "string", const_value="constant"),
        ColumnMapping("T", "datetime", path="$.t", transform=TransformationMethod.DATE_TIME_FROM_UNIX_MILLISECONDS),
        ColumnMapping("L", "long", transform=TransformationMethod.SOURCE_LINE_NUMBER),
    ]
    data = b'{"a":1,"t":1546300800123}\n{"a":2}\n'
    succeed(INGEST.ingest_from_stream(io.BytesIO(data), properties(name, column_mappings=mapping)))
    got = [list(row) for row in query(f"{name} | order by A asc")]
    same(got, [[1, "constant", datetime(2019, 1, 1, 0, 0, 0, 123000, tzinfo=timezone.utc), 1], [2, "constant", None, 2]])


def tags_keep_doubles_out():
    name = table()
    more = {"ingest_by_tags": ["batch-1"], "drop_by_tags": ["day"], "additional_tags": ["other"], "ingest_if_not_exists": ["batch-1"]}
    succeed(INGEST.ingest_from_stream(io.BytesIO(lines()), properties(name, **more)))
    kind, message = outcome(INGEST.ingest_from_stream(io.BytesIO(lines()), properties(name, **more)))
    assert kind == "success" or message.ErrorCode == "Skipped_IngestByTagAlreadyExists", f"{kind}: {message}"
    same(count(name), len(ROWS))
    tags = set(mgmt(f".show table {name} extents")[0]["Tags"].split())
    same(tags, {"ingest-by:batch-1", "drop-by:day", "other"})


def wrong_mapping_fails():
    name = table()
    kind, message = outcome(INGEST.ingest_from_stream(io.BytesIO(lines()), properties(name, ingestion_mapping_reference="NoSuchMapping")))
    same((kind, message.ErrorCode, message.FailureStatus), ("failure", "BadRequest_MappingReferenceWasNotFound", "Permanent"))
    assert "NoSuchMapping" in message.Details, message.Details
    same(count(name), 0)
    failures = [row for row in mgmt(".show ingestion failures") if row["Table"] == name]
    same([(row["ErrorCode"], row["FailureKind"]) for row in failures], [("BadRequest_MappingReferenceWasNotFound", "Permanent")])


def missing_table_fails():
    kind, message = outcome(INGEST.ingest_from_stream(io.BytesIO(lines()), properties("NoSuchTable")))
    same((kind, message.ErrorCode), ("failure", "BadRequest_TableNotExist"))


def malformed_data():
    name = table()
    result = INGEST.ingest_from_stream(io.BytesIO(b'{"number":1}\n{"number":\n{"number":3}\n'), properties(name))
    succeed(result)  # a malformed line of json is left out in silence
    same(count(name), 2)
    kind, message = outcome(INGEST.ingest_from_stream(io.BytesIO(b'[{"number":1},{"number":'), properties(name, data_format=DataFormat.MULTIJSON)))
    same((kind, message.ErrorCode), ("failure", "BadRequest_InvalidBlob"))
    same(count(name), 2)


def streaming():
    name = table()
    mgmt(f".alter table {name} policy streamingingestion enable")
    with KustoStreamingIngestClient(sign_in(READY["kusto"])) as client:
        client.ingest_from_stream(io.BytesIO(lines()), properties(name))
        check_rows(name)
        refusal = refused(KustoApiError, lambda: client.ingest_from_stream(io.BytesIO(lines()), properties(name, ingestion_mapping_reference="No")))
        assert refusal.get_api_error().permanent, refusal
        result = INGEST.ingest_from_stream(io.BytesIO(lines()), properties(table()))
        client.ingest_from_blob(BlobDescriptor(result.blob_uri), properties(name))
    same(count(name), 2 * len(ROWS))


def managed_streaming():
    name = table()
    mgmt(f".alter table {name} policy streamingingestion enable")
    with ManagedStreamingIngestClient(sign_in(READY["kusto"]), sign_in(READY["ingest"])) as client:
        same(client.ingest_from_stream(io.BytesIO(lines()), properties(name)).status.name, "SUCCESS")
        check_rows(name)
        # Over 4 MiB after compression it queues instead.
        data = lines([{"number": n, "string": os.urandom(1500).hex()} for n in range(4000)])
        result = client.ingest_from_stream(io.BytesIO(data), properties(name))
        same(result.status.name, "QUEUED")
        succeed(result)
    same(count(name), len(ROWS) + 4000)


def query_parameters_and_options():
    properties = ClientRequestProperties()
    properties.set_parameter("text", "a'b\"c")
    properties.set_parameter("n", "3")
    properties.set_option("servertimeout", timedelta(minutes=1))
    properties.application = "interop"
    properties.client_request_id = "interop;" + str(uuid.uuid4())
    row = query("declare query_parameters(text:string, n:long); print text, n + 1", properties)[0]
    same(list(row), ["a'b\"c", 4])
    properties = ClientRequestProperties()
    properties.set_option("truncationmaxrecords", 5)
    refused(KustoServiceError, lambda: query("range x from 1 to 10 step 1", properties))
    same(len(query("set notruncation; range x from 1 to 600000 step 1")), 600_000)


def every_type_of_a_query():
    text = (
        "print true, int(null), long(-9223372036854775808), real(nan), real(+inf), decimal(0.1), datetime(0001-01-01), "
        "timespan(null), -1.5d, '', guid(null), dynamic({\"a\":null}), dynamic([]), 1h"
    )
    got = list(query(text)[0])
    same(got[:3], [True, None, -9223372036854775808])
    assert got[3] == "NaN" or math.isnan(got[3]), got[3]
    assert got[4] == "Infinity" or got[4] == math.inf, got[4]
    same(got[5:9], [Decimal("0.1"), datetime(1, 1, 1, tzinfo=timezone.utc), None, timedelta(days=-1.5)])
    same(got[9:], ["", None, {"a": None}, [], timedelta(hours=1)])


def several_statements():
    response = CLIENT.execute_query(DATABASE, "print a=1; range x from 1 to 3 step 1; print c='z' | where false")
    same([[list(row) for row in result] for result in response.primary_results], [[[1]], [[1], [2], [3]], []])


def streamed_query():
    response = CLIENT.execute_streaming_query(DATABASE, "range x from 1 to 20000 step 1 | extend t = strcat('row ', x)")
    total = 0
    for result in response.iter_primary_results():
        for row in result:
            total += row["x"]
            same(row["t"], f"row {row['x']}")
    same(total, 200_010_000)


def asynchronous_client():
    async def run():
        credential = AsyncClientSecretCredential(
            READY["tenantId"], READY["clientId"], READY["clientSecret"], authority=READY["authority"], disable_instance_discovery=True
        )
        kcsb = KustoConnectionStringBuilder.with_azure_token_credential(READY["kusto"], credential)
        async with credential, AsyncKustoClient(kcsb) as client:
            response = await client.execute(DATABASE, "print x = 6 * 7")
            same(response.primary_results[0][0]["x"], 42)
            response = await client.execute(DATABASE, ".show tables | count")
            assert response.primary_results[0][0][0] > 0

    asyncio.run(run())


def refusals():
    refusal = refused(KustoApiError, lambda: query("NoSuchTable | take 1"))
    error = refusal.get_api_error()
    assert refusal.is_semantic_error() and error.permanent and "NoSuchTable" in error.description, error
    assert refused(KustoApiError, lambda: query("print x = ")).get_api_error().permanent
    refused(KustoServiceError, lambda: mgmt(".show tabels"))
    refused(KustoServiceError, lambda: query(".show tables"))
    refused(KustoServiceError, lambda: CLIENT.execute_query("NoSuchDatabase", "print 1"))
    forbidden = refused(KustoApiError, lambda: mgmt(f".drop database ['{DATABASE}'] users ('aadapp={READY['clientId']}')"))
    same(forbidden.http_response.status_code, 403)


def sign_in_is_checked():
    with KustoClient(sign_in(READY["kusto"], secret="wrong")) as client:
        refusal = refused(KustoAuthenticationError, lambda: query("print 1", client=client))
        assert "AADSTS7000215" in repr(refusal), refusal
    stranger = KustoConnectionStringBuilder.with_aad_application_token_authentication(READY["kusto"], "no.such.token")
    with KustoClient(stranger) as client:
        refusal = refused(KustoServiceError, lambda: query("print 1", client=client))
        assert "401" in str(refusal), refusal


def application_key_signs_in():
    # The way of most samples. With the tenant name adfs the client does not ask
    # login.microsoftonline.com whether the authority is one of Microsoft's.
    kcsb = KustoConnectionStringBuilder.with_aad_application_key_authentication(
        READY["kusto"], READY["clientId"], READY["clientSecret"], "adfs"
    )
    with KustoClient(kcsb) as client:
        same(query("print 1", client=client)[0][0], 1)
        details = client.execute_mgmt(DATABASE, ".show principal roles").primary_results[0]
        assert any(READY["clientId"] in str(row) for row in details), details


@contextlib.contextmanager
def environment(**variables):
    """Sets variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


KUSTO_SCOPE = "https://kusto.kusto.windows.net/.default"
AUTHORITY = {"authority": READY["authority"], "disable_instance_discovery": True}


def signed_in_as(client_id, credential):
    """The credential's token is taken by the cluster, as that application."""
    with credential, KustoClient(KustoConnectionStringBuilder.with_azure_token_credential(READY["kusto"], credential)) as client:
        roles = client.execute_mgmt(DATABASE, ".show principal roles").primary_results[0]
        assert any(client_id in str(row) for row in roles), roles


def certificates_sign_in():
    for chain in (False, True):
        credential = CertificateCredential(READY["tenantId"], READY["clientId"], READY["certificate"], send_certificate_chain=chain, **AUTHORITY)
        signed_in_as(READY["clientId"], credential)
    expired = CertificateCredential(READY["tenantId"], READY["clientId"], READY["expiredCertificate"], **AUTHORITY)
    refusal = refused(ClientAuthenticationError, lambda: expired.get_token(KUSTO_SCOPE))
    assert "AADSTS700027" in str(refusal) and "The key used is expired" in str(refusal), refusal


def federated_token_signs_in():
    credential = WorkloadIdentityCredential(
        tenant_id=READY["tenantId"], client_id=READY["clientId"], token_file_path=READY["federatedToken"], **AUTHORITY
    )
    signed_in_as(READY["clientId"], credential)


def managed_identities_sign_in():
    imds = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": READY["imds"]}
    app_service = {"IDENTITY_ENDPOINT": READY["identityEndpoint"], "IDENTITY_HEADER": READY["identityHeader"]}
    user = READY["identityClientId"]
    for form in (imds, app_service):
        with environment(**form):
            with ManagedIdentityCredential() as machine:
                token = machine.get_token(KUSTO_SCOPE)
                assert user not in token.token and token.expires_on > time.time() + 23 * 3600, token.expires_on
            signed_in_as(user, ManagedIdentityCredential(client_id=user))
            signed_in_as(user, ManagedIdentityCredential(identity_config={"object_id": READY["identityObjectId"]}))
            signed_in_as(user, ManagedIdentityCredential(identity_config={"resource_id": READY["identityResourceId"]}))
            with ManagedIdentityCredential(client_id=READY["clientId"]) as stranger:
                refused(ClientAuthenticationError, lambda: stranger.get_token(KUSTO_SCOPE))
    with environment(**app_service, AZURE_TOKEN_CREDENTIALS="prod"):
        signed_in_as(user, DefaultAzureCredential(managed_identity_client_id=user))


def service_is_described():
    same(mgmt(".show version")[0]["ServiceType"], "Engine")
    with KustoClient(sign_in(READY["ingest"])) as client:
        same(client.execute_mgmt("NetDefaultDB", ".show version").primary_results[0][0]["ServiceType"], "DataManagement")
    names = {row["ResourceTypeName"] for row in KustoClient(sign_in(READY["ingest"])).execute_mgmt("NetDefaultDB", ".get ingestion resources").primary_results[0]}
    same(names, {"TempStorage", "SecuredReadyForAggregationQueue", "FailedIngestionsQueue", "SuccessfulIngestionsQueue", "IngestionsStatusTable"})


CASES = [
    service_is_described,
    application_key_signs_in,
    sign_in_is_checked,
    certificates_sign_in,
    federated_token_signs_in,
    managed_identities_sign_in,
    file_is_queued_and_read_back,
    compressed_stream_is_queued,
    blob_is_queued_by_its_address,
    large_blob_goes_up_in_blocks,
    formats,
    multijson,
    inline_mapping,
    tags_keep_doubles_out,
    wrong_mapping_fails,
    missing_table_fails,
    malformed_data,
    streaming,
    managed_streaming,
    query_parameters_and_options,
    every_type_of_a_query,
    several_statements,
    streamed_query,
    asynchronous_client,
    refusals,
]


def main():
    failed = 0
    for case in CASES:
        started = time.monotonic()
        name = case.__name__.replace("_", " ")
        try:
            case()
        except Exception:  # whatever it is, the other cases go on
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
        else:
            print(f"ok   {name} ({time.monotonic() - started:.1f} s)", flush=True)
    INGEST.close()
    CLIENT.close()
    print(f"{len(CASES) - failed} of {len(CASES)} cases passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
