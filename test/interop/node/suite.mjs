// The official Node SDKs of Kusto, unmodified, against the emulator.
//
// Reads where the emulator is from the file that EMULATOR_READY names. Prints one
// line per case and ends with 1 if any failed.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { ClientCertificateCredential, ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential } from "@azure/identity";
import { Client, ClientRequestProperties, KustoConnectionStringBuilder } from "azure-kusto-data";
import {
    BlobDescriptor,
    CompressionType,
    DataFormat,
    IngestClient,
    IngestionProperties,
    IngestStatusQueues,
    JsonColumnMapping,
    ManagedStreamingIngestClient,
    ReportLevel,
    ReportMethod,
    StreamDescriptor,
    StreamingIngestClient,
} from "azure-kusto-ingest";

const ready = JSON.parse(await readFile(process.env.EMULATOR_READY, "utf8"));
const database = ready.database;
const patience = 60_000; // ms until something queued must have been ingested

const schema =
    "Number:int, Bool:bool, Int:int, Long:long, Real:real, Decimal:decimal, Datetime:datetime, Timespan:timespan, String:string, Guid:guid, Dynamic:dynamic";
const names = schema.split(", ").map((column) => column.split(":")[0]);
const mapping = JSON.stringify(names.map((column) => ({ column, Properties: { Path: `$.${column.toLowerCase()}` } })));
const guid = "74be27de-1e4e-49d9-b579-fe0b331d3642";
const rows = [
    {
        number: 1,
        bool: true,
        int: -2147483648,
        long: 9007199254740991,
        real: 1.5,
        decimal: "12345678901234567890.123456789",
        datetime: "2026-11-23T05:06:07.1234567Z",
        timespan: "1.02:03:04.005",
        string: 'Grüße, "quoted"\n日本',
        guid: guid.toUpperCase(),
        dynamic: { list: [1, 2.5, null], text: "x", empty: {} },
    },
    { number: 2 },
    { number: 3, bool: false, int: 1.5, long: "x", real: "NaN", string: 12, dynamic: "plain", timespan: "-00:00:01" },
];
const wanted = [
    [
        1,
        true,
        -2147483648,
        9007199254740991,
        1.5,
        "12345678901234567890.123456789",
        new Date("2026-11-23T05:06:07.123Z"),
        ((26 * 60 + 3) * 60 + 4) * 1000 + 5,
        'Grüße, "quoted"\n日本',
        guid,
        { list: [1, 2.5, null], text: "x", empty: {} },
    ],
    [2, null, null, null, null, null, null, null, "", null, null],
    [3, false, null, null, "NaN", null, null, -1000, "12", null, "plain"],
];

function signIn(url, secret = ready.clientSecret) {
    const credential = new ClientSecretCredential(ready.tenantId, ready.clientId, secret, {
        authorityHost: ready.authority,
        disableInstanceDiscovery: true,
    });
    return KustoConnectionStringBuilder.withTokenCredential(url, credential);
}

const kustoScope = "https://kusto.kusto.windows.net/.default";

// signedInAs: the credential's token is taken by the cluster, as that application.
async function signedInAs(id, credential) {
    const other = new Client(KustoConnectionStringBuilder.withTokenCredential(ready.kusto, credential));
    const roles = JSON.stringify(list((await other.executeMgmt(database, ".show principal roles")).primaryResults[0]));
    assert.ok(roles.includes(id), roles);
    other.close();
}

const client = new Client(signIn(ready.kusto));
const defaults = { reportLevel: ReportLevel.FailuresAndSuccesses, reportMethod: ReportMethod.Queue };
// The ingestion URI is given as it is: "ingest-" in front of an address makes no host.
const ingest = new IngestClient(signIn(ready.ingest), new IngestionProperties({ database, ...defaults }), false);
const status = new IngestStatusQueues(ingest);

const list = (table) => [...table.rows()].map((row) => row.toJSON());
const mgmt = async (text) => list((await client.executeMgmt(database, text)).primaryResults[0]);
const query = async (text, properties) => list((await client.executeQuery(database, text, properties)).primaryResults[0]);
const count = async (table) => (await query(`${table} | count`))[0].Count;
const lines = (data = rows) => data.map((row) => JSON.stringify(row) + "\n").join("");
const stream = (text) => Readable.from([Buffer.from(text)], { objectMode: false });

// table makes a table of a name of its own, with a JSON mapping M.
async function table(columns = schema, jsonMapping = mapping) {
    const name = "Node" + randomUUID().replaceAll("-", "").slice(0, 12);
    await mgmt(`.create table ${name} (${columns})`);
    if (jsonMapping) await mgmt(`.create-or-alter table ${name} ingestion json mapping 'M' '${jsonMapping}'`);
    return name;
}

function properties(name, more = {}) {
    const fields = { database, table: name, format: DataFormat.JSON, ...defaults, ...more };
    const isJSON = [DataFormat.JSON, DataFormat.MULTIJSON].includes(fields.format);
    if (isJSON && !fields.ingestionMappingColumns) fields.ingestionMappingReference ??= "M";
    return new IngestionProperties(fields);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seen = new Map(); // status messages by source id

// outcome waits for the message about a queued source.
async function outcome(sourceId) {
    const deadline = Date.now() + patience;
    for (;;) {
        for (const kind of ["success", "failure"]) {
            for (const message of await status[kind].pop(16)) seen.set(message.IngestionSourceId, { kind, message });
        }
        if (seen.has(sourceId)) return seen.get(sourceId);
        assert.ok(Date.now() < deadline, `nothing was reported about ${sourceId} within ${patience} ms`);
        await pause(100);
    }
}

async function succeed(sourceId) {
    const { kind, message } = await outcome(sourceId);
    assert.equal(kind, "success", `${message.ErrorCode}: ${message.Details}`);
    return message;
}

// queue sends text and gives the source id.
async function queue(text, props) {
    const id = randomUUID();
    const blob = await ingest.uploadToBlobWithRetry(new StreamDescriptor(stream(text), id), `${id}.json`);
    await ingest.ingestFromBlob(new BlobDescriptor(blob, text.length, id), props);
    return id;
}

async function checkRows(name) {
    const got = await query(`${name} | order by Number asc`);
    assert.deepEqual(
        got.map((row) => names.map((column) => row[column])),
        wanted
    );
}

// problem is what the service says is wrong.
const problem = (error) => error.response?.data?.error;

async function refused(call) {
    try {
        await call();
    } catch (error) {
        return error;
    }
    assert.fail("nothing was refused");
}

const cases = {
    "the service is described": async () => {
        assert.equal((await mgmt(".show version"))[0].ServiceType, "Engine");
        const dm = new Client(signIn(ready.ingest));
        const version = (await dm.executeMgmt("NetDefaultDB", ".show version")).primaryResults[0];
        assert.equal(list(version)[0].ServiceType, "DataManagement");
        dm.close();
    },
    "an application key signs in": async () => {
        // With the tenant name adfs the client does not ask login.microsoftonline.com
        // whether the authority is one of Microsoft's.
        process.env.AZURE_AUTHORITY_HOST = ready.authority;
        const kcsb = KustoConnectionStringBuilder.withAadApplicationKeyAuthentication(ready.kusto, ready.clientId, ready.clientSecret, "adfs");
        const keyed = new Client(kcsb);
        assert.deepEqual(list((await keyed.execute(database, "print x = 1")).primaryResults[0]), [{ x: 1 }]);
        keyed.close();
    },
    "sign-in is checked": async () => {
        const wrong = new Client(signIn(ready.kusto, "wrong"));
        const error = await refused(() => wrong.executeQuery(database, "print 1"));
        assert.match(error.toString() + error.inner, /AADSTS7000215/);
        const stranger = new Client(KustoConnectionStringBuilder.withAccessToken(ready.kusto, "no.such.token"));
        assert.equal((await refused(() => stranger.executeQuery(database, "print 1"))).response.status, 401);
    },
    "a file is queued and read back": async () => {
        const name = await table();
        const folder = await mkdtemp(join(tmpdir(), "interop-"));
        try {
            const path = join(folder, "rows with ünïcode + signs.json");
            await writeFile(path, lines());
            await ingest.ingestFromFile(path, properties(name));
        } finally {
            await rm(folder, { recursive: true });
        }
        const deadline = Date.now() + patience;
        while ((await count(name)) === 0 && Date.now() < deadline) await pause(100);
        await checkRows(name);
    },
    "a stream is queued": async () => {
        const name = await table();
        const id = randomUUID();
        await ingest.ingestFromStream(new StreamDescriptor(stream(lines()), id), properties(name));
        const deadline = Date.now() + patience;
        while ((await count(name)) === 0 && Date.now() < deadline) await pause(100);
        await checkRows(name);
    },
    "a compressed stream is queued": async () => {
        const name = await table();
        await ingest.ingestFromStream(new StreamDescriptor(stream(gzipSync(lines())), null, CompressionType.GZIP), properties(name));
        const deadline = Date.now() + patience;
        while ((await count(name)) === 0 && Date.now() < deadline) await pause(100);
        await checkRows(name);
    },
    "a blob is queued by its address": async () => {
        const name = await table();
        const message = await succeed(await queue(lines(), properties(name)));
        assert.equal(message.Table, name);
        await checkRows(name);
    },
    "the status is in the table": async () => {
        const name = await table();
        const result = await ingest.ingestFromStream(stream(lines()), properties(name, { reportMethod: ReportMethod.Table }));
        const deadline = Date.now() + patience;
        let state;
        do {
            await pause(100);
            state = await result.getIngestionStatusCollection();
        } while (state.Status === "Pending" && Date.now() < deadline);
        assert.equal(state.Status, "Succeeded");
        await checkRows(name);
        const failing = await ingest.ingestFromStream(
            stream(lines()),
            properties(name, { reportMethod: ReportMethod.Table, ingestionMappingReference: "NoSuchMapping" })
        );
        do {
            await pause(100);
            state = await failing.getIngestionStatusCollection();
        } while (state.Status === "Pending" && Date.now() < deadline);
        assert.deepEqual([state.Status, state.ErrorCode, state.FailureStatus], ["Failed", "BadRequest_MappingReferenceWasNotFound", "Permanent"]);
    },
    "a mapping is sent along": async () => {
        const name = await table("A:long, B:string, L:long", null);
        const ingestionMappingColumns = [
            JsonColumnMapping.withPath("A", "$.a"),
            JsonColumnMapping.withConstantValue("B", "constant"),
            JsonColumnMapping.withTransform("L", "SourceLineNumber"),
        ];
        await succeed(await queue('{"a":1}\n{"a":2}\n', properties(name, { ingestionMappingColumns })));
        assert.deepEqual(await query(`${name} | order by A asc`), [
            { A: 1, B: "constant", L: 1 },
            { A: 2, B: "constant", L: 2 },
        ]);
    },
    "CSV with a header": async () => {
        const name = await table("A:long, B:string", null);
        await succeed(await queue('a,b\n1,"x, ""y"""\n', properties(name, { format: DataFormat.CSV, ignoreFirstRecord: true })));
        assert.deepEqual(await query(name), [{ A: 1, B: 'x, "y"' }]);
    },
    "tags keep doubles out": async () => {
        const name = await table();
        const more = { ingestByTags: ["batch-1"], dropByTags: ["day"], ingestIfNotExists: '["batch-1"]' };
        await succeed(await queue(lines(), properties(name, more)));
        const { kind, message } = await outcome(await queue(lines(), properties(name, more)));
        assert.ok(kind === "success" || message.ErrorCode === "Skipped_IngestByTagAlreadyExists", message.Details);
        assert.equal(await count(name), rows.length);
    },
    "a wrong mapping fails": async () => {
        const name = await table();
        const { kind, message } = await outcome(await queue(lines(), properties(name, { ingestionMappingReference: "NoSuchMapping" })));
        assert.deepEqual([kind, message.ErrorCode, message.FailureStatus], ["failure", "BadRequest_MappingReferenceWasNotFound", "Permanent"]);
        assert.match(message.Details, /NoSuchMapping/);
        assert.equal(await count(name), 0);
    },
    "malformed multijson fails": async () => {
        const name = await table();
        const { kind, message } = await outcome(await queue('[{"number":1},{"number":', properties(name, { format: DataFormat.MULTIJSON })));
        assert.deepEqual([kind, message.ErrorCode], ["failure", "BadRequest_InvalidBlob"]);
    },
    streaming: async () => {
        const name = await table();
        await mgmt(`.alter table ${name} policy streamingingestion enable`);
        const streaming = new StreamingIngestClient(signIn(ready.kusto), properties(name), false);
        await streaming.ingestFromStream(stream(lines()), properties(name));
        await checkRows(name);
        const error = await refused(() => streaming.ingestFromStream(stream(lines()), properties(name, { ingestionMappingReference: "No" })));
        assert.equal(problem(error)["@permanent"], true);
        streaming.close();
    },
    "managed streaming": async () => {
        const name = await table();
        await mgmt(`.alter table ${name} policy streamingingestion enable`);
        const managed = new ManagedStreamingIngestClient(signIn(ready.kusto), signIn(ready.ingest), new IngestionProperties({ database }), false);
        await managed.ingestFromStream(stream(lines()), properties(name));
        await checkRows(name);
        // Over 4 MiB it queues instead; a stream so large, unlike a buffer, never ends in this client.
        const data = Buffer.from(lines(Array.from({ length: 4000 }, (_, number) => ({ number, string: randomBytes(1500).toString("hex") }))));
        await managed.ingestFromStream(new StreamDescriptor(data, null, CompressionType.None, data.length), properties(name));
        const deadline = Date.now() + patience;
        while ((await count(name)) < rows.length + 4000 && Date.now() < deadline) await pause(100);
        assert.equal(await count(name), rows.length + 4000);
        managed.close();
    },
    "query parameters and options": async () => {
        const p = new ClientRequestProperties({ truncationmaxrecords: 5 }, { text: "a'b\"c", n: 3 }, "interop;" + randomUUID());
        p.setTimeout(60_000);
        assert.deepEqual(await query("declare query_parameters(text:string, n:long); print text = text, n = n + 1", p), [{ text: "a'b\"c", n: 4 }]);
        await refused(() => query("range x from 1 to 10 step 1", p));
    },
    "version 1 of the query": async () => {
        const response = await client.executeQueryV1(database, "print a = 1, b = 'x'; range x from 1 to 2 step 1");
        assert.deepEqual(response.primaryResults.map(list), [[{ a: 1, b: "x" }], [{ x: 1 }, { x: 2 }]]);
        assert.deepEqual(list((await client.executeQueryV1(database, "print d = dynamic({\"a\":[1]}), t = 1d")).primaryResults[0]), [
            { d: { a: [1] }, t: 86_400_000 },
        ]);
    },
    "a raw answer": async () => {
        const p = new ClientRequestProperties();
        p.raw = true;
        const frames = await client.executeQuery(database, "print long(9223372036854775807)", p);
        const kinds = frames.map((frame) => frame.FrameType);
        assert.deepEqual(kinds, ["DataSetHeader", "DataTable", "DataTable", "DataTable", "DataSetCompletion"]);
    },
    "other ways to sign in": async () => {
        const options = { authorityHost: ready.authority, disableInstanceDiscovery: true };
        await signedInAs(ready.clientId, new ClientCertificateCredential(ready.tenantId, ready.clientId, { certificatePath: ready.certificate }, { ...options, sendCertificateChain: true }));
        const expired = new ClientCertificateCredential(ready.tenantId, ready.clientId, { certificatePath: ready.expiredCertificate }, options);
        assert.match((await refused(() => expired.getToken(kustoScope))).message, /AADSTS700027.*The key used is expired/);
        await signedInAs(ready.clientId, new WorkloadIdentityCredential({ tenantId: ready.tenantId, clientId: ready.clientId, tokenFilePath: ready.federatedToken, ...options }));
        process.env.IDENTITY_ENDPOINT = ready.identityEndpoint;
        process.env.IDENTITY_HEADER = ready.identityHeader;
        try {
            await signedInAs(ready.identityClientId, new ManagedIdentityCredential({ clientId: ready.identityClientId }));
            await signedInAs(ready.identityClientId, new ManagedIdentityCredential({ resourceId: ready.identityResourceId }));
            await signedInAs("", new ManagedIdentityCredential());
        } finally {
            delete process.env.IDENTITY_ENDPOINT;
            delete process.env.IDENTITY_HEADER;
        }
    },
    refusals: async () => {
        const missing = problem(await refused(() => query("NoSuchTable | take 1")));
        assert.match(missing["@message"], /NoSuchTable/);
        assert.equal(missing["@permanent"], true);
        assert.equal((await refused(() => query("print x = "))).response.status, 400);
        assert.equal((await refused(() => mgmt(".show tabels"))).response.status, 400);
        assert.equal((await refused(() => query(".show tables"))).response.status, 400);
        const forbidden = await refused(() => mgmt(`.drop database ['${database}'] users ('aadapp=${ready.clientId}')`));
        assert.equal(forbidden.response.status, 403);
    },
};

let failed = 0;
let running = "";
// A promise that never settles leaves Node with nothing to do.
process.on("exit", () => running && console.log(`FAIL ${running}\nit never came to an end`));
for (const [name, run] of Object.entries(cases)) {
    const started = Date.now();
    running = name;
    try {
        await run();
        console.log(`ok   ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    } catch (error) {
        failed++;
        const said = problem(error);
        console.log(`FAIL ${name}\n${error.stack ?? error}${said ? "\n" + JSON.stringify(said) : ""}`);
    }
}
running = "";
ingest.close();
client.close();
console.log(`${Object.keys(cases).length - failed} of ${Object.keys(cases).length} cases passed`);
process.exit(failed ? 1 : 0);
