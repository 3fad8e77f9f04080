package faulttable

import "github.com/tvmexport/tvmexport/emulator/faults"

// Why chaos does not send some requests.
const (
	onlyInit    = "only init, check and import send it, which publish no rows and can be repeated; cmd/tvmexport tests their failures"
	onlyChange  = "a run sends it only when a table's columns have changed, before it fetches rows; the run fails and the next one repeats it"
	onlyRefused = "only init and check send it alone, and a run after its commit was refused, which then fails; runs read the number with leases, history and claims"
	onlyRefill  = "only refill sends it; test/reliability/defects ends refills at each request, and executes the replacement late"
	onlyPlan    = "only plan sends it; without its answer the sample of each table is asked for alone"
	onlyNote    = "only check, plan, verify and import send it, when their work is done; a failure is a warning, and no row depends on it"
	onlyCompare = "only reconcile sends it, which writes nothing and can be repeated"
)

// Requests are the rows of the table. Of two rows of one endpoint whose texts
// both fit a request, the first one counts.
func Requests() []Request {
	const q, m = faults.KustoQuery, faults.KustoMgmt
	return []Request{
		{"hunting: columns", Counts, faults.Graph, "| getschema |", ""},
		{"hunting: columns by a row", Counts, faults.Graph, "\n| take ", ""},
		{"hunting: rows", Rows, faults.Graph, "union (answer", ""},
		{"hunting: counts by time", Counts, faults.Graph, "by Start = bin(", ""},
		{"hunting: counts by key", Counts, faults.Graph, "Low = min(PartitionKey)", ""},
		{"hunting: sizes of rows", Counts, faults.Graph, "tostring(pack_all())", onlyPlan},
		{"hunting: count of a table", Counts, faults.Graph, "summarize Rows = count()", ""},

		{"Entra: token", Tokens, faults.Token, "", ""},
		{"Entra: metadata", Metadata, faults.Discovery, "", ""},
		{"Kusto: sign-in metadata", Metadata, faults.KustoAuth, "", ""},

		{"Kusto: several queries in one", Reads, q, "let Query0 = () {", ""},
		{"Kusto: leases", Reads, q, "Taken = maxif(Seen", ""},
		{"Kusto: history", Reads, q, "let Names = datatable (Table:string)", ""},
		{"Kusto: history's partitions", Reads, q, "LastAt = max(At) by Table;", ""},
		{"Kusto: configuration", Reads, q, "MigrationConfiguration\n| extend WrittenAt", ""},
		{"Kusto: budget spent", Reads, q, `State == "spent"`, ""},
		{"Kusto: layouts", Reads, q, "let Layouts = ExportRuns", ""},
		{"Kusto: losses", Reads, q, "let Runs = materialize(ExportRuns", ""},
		{"Kusto: unaudited runs", Reads, q, "let Recent = ExportRuns", ""},
		{"Kusto: orphaned batches", Reads, q, "let Published = ExportRuns", ""},
		{"Kusto: landed", Reads, q, "Announced = max(BatchRows)", ""},
		{"Kusto: unreadable records", Reads, q, "| distinct BatchId, Line\n| summarize Count = count()", ""},
		{"Kusto: unreadable values", Reads, q, "ParsedRecord = parse_json(Records)", ""},
		{"Kusto: claims", Reads, q, `State in ("publishing", "abandoned")`, ""},
		{"Kusto: stored shape", Reads, q, "At = min(At) by Owner, Shape", onlyRefused},
		{"Kusto: begin of publishing", Reads, q, "summarize Since = min(", ""},
		{"Kusto: a commit", Reads, q, `State == "committed"` + "\n| summarize Count = count()", ""},
		{"Kusto: rows that are seen", Reads, q, " | summarize Rows = count()", ""},
		{"Kusto: rows to replace", Reads, q, "by Bucket = substring(", onlyRefill},
		{"Kusto: rows of two sources", Reads, q, "let Devices = materialize(\n    union (", onlyCompare},
		{"Kusto: earlier states of two sources", Reads, q, "StateAt = coalesce(todatetime(Detail.stateAt)", onlyCompare},
		{"Kusto: published rows", Reads, q, "let FullAt = toscalar(Commits", ""},

		{"Kusto: new or altered entities", Changes, m, ".create", onlyChange},
		{"Kusto: altered entities", Changes, m, ".alter", onlyChange},
		{"Kusto: drop of tables", Changes, m, ".drop table", onlyInit},
		{"Kusto: schema", Shows, m, " schema as json", ""},
		{"Kusto: functions", Shows, m, ".show functions", ""},
		{"Kusto: an operation", Shows, m, "| project State, Status, ShouldRetry", ""},
		{"Kusto: several operations", Shows, m, ".show operations (", ""},
		{"Kusto: operations", Shows, m, ".show operations", ""},
		{"Kusto: extents of several tables by tag", Shows, m, "extents | where Tags contains_cs", ""},
		{"Kusto: old extents of several tables", Shows, m, "extents | where TableName", ""},
		{"Kusto: extents by tag", Shows, m, "extents where tags has", ""},
		{"Kusto: rows of extents", Shows, m, "sum(DeletedRowCount)", ""},
		{"Kusto: old extents", Shows, m, "extents | where MaxCreatedOn", ""},
		{"Kusto: mappings", Shows, m, "ingestion json mappings", ""},
		{"Kusto: policies", Shows, m, " policy ", ""},
		{"Kusto: ingestion failures", Shows, m, ".show ingestion failures", ""},
		{"Kusto: roles", Shows, m, ".show principal roles", onlyInit},

		{"Kusto: lease", Writes, m, "let Others = ExportRuns", ""},
		{"Kusto: release", Writes, m, `State = "released"`, ""},
		{"Kusto: quota that a command used", Writes, m, `State = "spent"`, onlyNote},
		{"Kusto: claims or commits of several runs", Writes, m, "<|\nunion (\nprint Table", ""},
		{"Kusto: partitions of several runs", Writes, m, "<|\nunion (\ndatatable (Partition", ""},
		{"Kusto: claim", Writes, m, `State = "publishing"`, ""},
		{"Kusto: commit", Writes, m, `State = "committed"`, ""},
		{"Kusto: abandonment", Writes, m, `State = "abandoned"`, ""},
		{"Kusto: end of a run", Writes, m, "tvmexport-ended:", ""},
		{"Kusto: partitions", Writes, m, ".set-or-append ExportPartitions", ""},
		{"Kusto: audit", Writes, m, ".set-or-append MigrationAuditLog", ""},
		{"Kusto: watermarks", Writes, m, ".set-or-append MigrationConfiguration", ""},
		{"Kusto: publishing", Steps, m, ".set-or-append async", ""},
		{"Kusto: rebuilt rows", Changes, m, ".set-or-replace async", onlyRefill},
		{"Kusto: replacement of rows", Changes, m, ".update async table", onlyRefill},
		{"Kusto: drop of extents", Changes, m, ".drop extents", ""},

		{"ingestion: resources", Resources, faults.IngestMgmt, ".get ingestion resources", ""},
		{"ingestion: identity token", Resources, faults.IngestMgmt, ".get kusto identity token", ""},
		{"storage: blob", Uploads, faults.Blob, "", ""},
		{"storage: queue", Messages, faults.Queue, "", ""},
		{"ingestion: delivery", Delivery, faults.Delivery, "", ""},
	}
}
