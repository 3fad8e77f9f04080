import com.azure.identity.ClientSecretCredentialBuilder;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.microsoft.azure.kusto.data.Client;
import com.microsoft.azure.kusto.data.ClientFactory;
import com.microsoft.azure.kusto.data.ClientRequestProperties;
import com.microsoft.azure.kusto.data.KustoResultSetTable;
import com.microsoft.azure.kusto.data.auth.ConnectionStringBuilder;
import com.microsoft.azure.kusto.data.exceptions.DataClientException;
import com.microsoft.azure.kusto.data.exceptions.DataServiceException;
import com.microsoft.azure.kusto.ingest.IngestClientFactory;
import com.microsoft.azure.kusto.ingest.IngestionMapping.IngestionMappingKind;
import com.microsoft.azure.kusto.ingest.IngestionProperties;
import com.microsoft.azure.kusto.ingest.IngestionProperties.DataFormat;
import com.microsoft.azure.kusto.ingest.IngestionProperties.IngestionReportLevel;
import com.microsoft.azure.kusto.ingest.IngestionProperties.IngestionReportMethod;
import com.microsoft.azure.kusto.ingest.QueuedIngestClient;
import com.microsoft.azure.kusto.ingest.result.IngestionStatus;
import com.microsoft.azure.kusto.ingest.result.OperationStatus;
import com.microsoft.azure.kusto.ingest.source.FileSourceInfo;
import com.microsoft.azure.kusto.ingest.source.StreamSourceInfo;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;

/**
 * The official Java SDK of Kusto, unmodified, against the emulator. Reads where the
 * emulator is from the file that EMULATOR_READY names. Prints one line per case and
 * ends with 1 if any failed.
 */
class Suite {
    static JsonNode ready;
    static String database;
    static Client client;
    static QueuedIngestClient queued;
    static int failures;

    /** Seconds until something queued must have been ingested. */
    static final int PATIENCE = 60;

    interface Case {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        ready = new ObjectMapper().readTree(new File(System.getenv("EMULATOR_READY")));
        database = of("database");
        client = ClientFactory.createClient(signIn(local("kusto")));
        queued = IngestClientFactory.createClient(signIn(local("ingest")));

        run("query: a value of each type", Suite::queryTypes);
        run("query: parameters", Suite::queryParameters);
        run("query: several results", Suite::queryResults);
        run("query: an error of the query is an exception that says so", Suite::queryError);
        run("management: a command, and a query behind a command", Suite::management);
        run("sign-in: the application's key, with the id of the tenant", Suite::applicationKey);
        run("sign-in: a wrong secret is refused", Suite::wrongSecret);
        for (var method : IngestionReportMethod.values()) {
            run("queued: a CSV file, report to " + method + " of failures only", () -> queuedFile(IngestionReportLevel.FAILURES_ONLY, method));
            run("queued: a CSV file, report to " + method + " of all", () -> queuedFile(IngestionReportLevel.FAILURES_AND_SUCCESSES, method));
        }
        run("queued: a CSV file, no report", () -> queuedFile(IngestionReportLevel.NONE, IngestionReportMethod.QUEUE));
        run("queued: JSON lines by a mapping", Suite::queuedJSON);
        run("queued: a mapping that does not exist is reported as a failure", Suite::queuedFailure);
        run("streaming: JSON by a mapping and CSV", Suite::streaming);
        run("streaming: the managed client streams, and queues what is too large", Suite::managed);
        System.out.println(failures == 0 ? "all passed" : failures + " failed");
        System.exit(failures == 0 ? 0 : 1); // the client's threads would keep the process for a while
    }

    static void run(String name, Case c) {
        try {
            c.run();
            System.out.println("ok   " + name);
        } catch (Throwable e) {
            failures++;
            System.out.println("FAIL " + name);
            e.printStackTrace(System.out);
        }
    }

    static String of(String member) {
        return ready.get(member).asText();
    }

    /** The client changes an IP address with a port to ingest-127.0.0.1; it keeps localhost. */
    static String local(String member) {
        return "https://localhost:" + URI.create(of(member)).getPort();
    }

    static ConnectionStringBuilder signIn(String url) {
        return signIn(url, of("clientSecret"));
    }

    static ConnectionStringBuilder signIn(String url, String secret) {
        var credential = new ClientSecretCredentialBuilder().tenantId(of("tenantId")).clientId(of("clientId")).clientSecret(secret)
            .authorityHost(of("authority")).disableInstanceDiscovery().build();
        return ConnectionStringBuilder.createWithTokenCredential(url, credential);
    }

    static void same(Object want, Object got) {
        if (!Objects.equals(want, got)) {
            throw new AssertionError("got " + got + ", want " + want);
        }
    }

    static KustoResultSetTable query(String text) throws Exception {
        return client.executeQuery(database, text).getPrimaryResults();
    }

    static long count(String table) throws Exception {
        var rows = query(table + " | count");
        rows.next();
        return rows.getLong(0);
    }

    static void await(String what, Callable<Boolean> done) throws Exception {
        var end = System.nanoTime() + PATIENCE * 1_000_000_000L;
        while (!done.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError(what + " not within " + PATIENCE + " s");
            }
            Thread.sleep(100);
        }
    }

    /** Makes a table of a name of its own, with a JSON mapping M. */
    static String table() throws Exception {
        var name = "Java" + UUID.randomUUID().toString().replace("-", "").substring(0, 12);
        client.executeMgmt(database, ".create table " + name + " (Number:int, Text:string, Bag:dynamic)");
        client.executeMgmt(database, ".create table " + name + " ingestion json mapping 'M' '["
            + "{\"column\":\"Number\",\"Properties\":{\"Path\":\"$.n\"}},{\"column\":\"Text\",\"Properties\":{\"Path\":\"$.t\"}},"
            + "{\"column\":\"Bag\",\"Properties\":{\"Path\":\"$.b\"}}]'");
        return name;
    }

    static final String LINES = "{\"n\":1,\"t\":\"Grüße\",\"b\":{\"x\":[1,null]}}\n{\"n\":2}\n";
    static final String CSV = "1,one,{}\n2,\"two, 2\",\n3,,[]\n";

    static Path file(String ending, String text) throws Exception {
        var file = Files.createTempFile("interop", ending);
        file.toFile().deleteOnExit();
        return Files.writeString(file, text);
    }

    static StreamSourceInfo stream(String text) {
        return new StreamSourceInfo(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    static void queryTypes() throws Exception {
        var rows = query("print b = true, i = int(-1), l = 9007199254740993, r = 1.5, m = decimal(12345678901234567890.5), "
            + "t = datetime(2026-11-23T05:06:07.1234567Z), s = 1d + 2h, x = 'Grüße', g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), "
            + "d = dynamic({\"a\": [1, null]}), nl = long(null), nt = datetime(null)");
        same(true, rows.next());
        same(true, rows.getBoolean("b"));
        same(-1, rows.getInt("i"));
        same(9007199254740993L, rows.getLong("l"));
        same(1.5, rows.getDouble("r"));
        same("12345678901234567890.5", rows.getBigDecimal("m").toPlainString());
        same("2026-11-23T05:06:07.123456700", rows.getKustoDateTime("t").toString());
        same("1.02:00:00", rows.getString("s"));
        same("Grüße", rows.getString("x"));
        same(UUID.fromString("74be27de-1e4e-49d9-b579-fe0b331d3642"), rows.getUUID("g"));
        same("{\"a\":[1,null]}", rows.getJSONObject("d").toString());
        same(null, rows.getLongObject("nl"));
        same(null, rows.getKustoDateTime("nt"));
        same(false, rows.next());
    }

    static void queryParameters() throws Exception {
        var properties = new ClientRequestProperties();
        properties.setParameter("name", "O'Neil \"quoted\"");
        properties.setParameter("number", 7L);
        properties.setTimeoutInMilliSec(20_000L);
        var rows = client.executeQuery(database, "declare query_parameters(name:string, number:long); print name, number + 1", properties)
            .getPrimaryResults();
        rows.next();
        same("O'Neil \"quoted\"", rows.getString(0));
        same(8L, rows.getLong(1));
    }

    static void queryResults() throws Exception {
        var result = client.executeQuery(database, "print 1; range x from 1 to 3 step 1");
        long primary = result.getResultTables().stream().filter(t -> "PrimaryResult".equals(t.getTableKind().toString())).count();
        same(2L, primary);
    }

    static void queryError() throws Exception {
        try {
            query("NoSuchTable | take 1");
        } catch (DataServiceException e) {
            same(true, e.getMessage().contains("NoSuchTable"));
            same(true, e.isPermanent());
            return;
        }
        throw new AssertionError("no exception");
    }

    static void management() throws Exception {
        var name = table();
        var tables = client.executeMgmt(database, ".show tables | where TableName == '" + name + "' | project TableName").getPrimaryResults();
        same(true, tables.next());
        same(name, tables.getString(0));
        same(1, client.executeMgmt(database, ".show table " + name + " ingestion json mappings").getPrimaryResults().count());
        same(true, client.executeToJsonResult(database, ".show version", null).contains("BuildVersion"));
    }

    static void applicationKey() throws Exception {
        var builder = ConnectionStringBuilder.createWithAadApplicationCredentials(local("kusto"), of("clientId"), of("clientSecret"), of("tenantId"));
        same(1, ClientFactory.createClient(builder).executeQuery(database, "print 1").getPrimaryResults().count());
    }

    static void wrongSecret() throws Exception {
        try {
            ClientFactory.createClient(signIn(local("kusto"), "wrong")).executeQuery(database, "print 1");
        } catch (DataClientException | DataServiceException e) {
            return;
        }
        throw new AssertionError("signed in with a wrong secret");
    }

    static IngestionProperties properties(String table, DataFormat format) {
        var p = new IngestionProperties(database, table);
        p.setDataFormat(format);
        p.setFlushImmediately(true);
        if (format == DataFormat.JSON) {
            p.setIngestionMapping("M", IngestionMappingKind.JSON);
        }
        return p;
    }

    static void queuedFile(IngestionReportLevel level, IngestionReportMethod method) throws Exception {
        var name = table();
        var p = properties(name, DataFormat.CSV);
        p.setReportLevel(level);
        p.setReportMethod(method);
        var result = queued.ingestFromFile(new FileSourceInfo(file(".csv", CSV).toString()), p);
        await("3 rows", () -> count(name) == 3);
        if (method != IngestionReportMethod.QUEUE && level == IngestionReportLevel.FAILURES_AND_SUCCESSES) {
            await("Succeeded", () -> ((IngestionStatus) result.getIngestionStatusCollection().get(0)).status == OperationStatus.Succeeded);
        }
    }

    static void queuedJSON() throws Exception {
        var name = table();
        queued.ingestFromStream(stream(LINES), properties(name, DataFormat.JSON));
        await("2 rows", () -> count(name) == 2);
        var rows = query(name + " | order by Number asc");
        rows.next();
        same("Grüße", rows.getString("Text"));
        same("{\"x\":[1,null]}", rows.getJSONObject("Bag").toString());
        rows.next();
        same("", rows.getString("Text"));
        same(null, rows.getJSONObject("Bag"));
    }

    static void queuedFailure() throws Exception {
        var p = properties(table(), DataFormat.JSON);
        p.setIngestionMapping("NoSuchMapping", IngestionMappingKind.JSON);
        p.setReportLevel(IngestionReportLevel.FAILURES_ONLY);
        p.setReportMethod(IngestionReportMethod.TABLE);
        var result = queued.ingestFromStream(stream(LINES), p);
        await("Failed", () -> ((IngestionStatus) result.getIngestionStatusCollection().get(0)).status == OperationStatus.Failed);
        var status = (IngestionStatus) result.getIngestionStatusCollection().get(0);
        same("BadRequest_MappingReferenceWasNotFound", status.getErrorCode());
        same("Permanent", status.getFailureStatus());
    }

    static void streaming() throws Exception {
        var name = table();
        client.executeMgmt(database, ".alter table " + name + " policy streamingingestion enable");
        client.executeMgmt(database, ".clear table " + name + " cache streamingingestion schema");
        try (var streaming = IngestClientFactory.createStreamingIngestClient(signIn(local("kusto")))) {
            streaming.ingestFromStream(stream(LINES), properties(name, DataFormat.JSON));
            streaming.ingestFromFile(new FileSourceInfo(file(".csv", CSV).toString()), properties(name, DataFormat.CSV));
        }
        same(5L, count(name));
    }

    static void managed() throws Exception {
        var name = table();
        client.executeMgmt(database, ".alter table " + name + " policy streamingingestion enable");
        try (var managed = IngestClientFactory.createManagedStreamingIngestClient(signIn(local("ingest")), signIn(local("kusto")))) {
            managed.ingestFromStream(stream(CSV), properties(name, DataFormat.CSV));
            same(3L, count(name));
            var large = "4,\"" + "x".repeat(500_000) + "\",\n";
            managed.ingestFromStream(stream(large.repeat(24)), properties(name, DataFormat.CSV)); // over the size that is streamed
            await("24 queued rows", () -> count(name) == 27);
        }
    }
}
