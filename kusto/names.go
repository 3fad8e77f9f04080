package kusto

import "github.com/tvmexport/tvmexport"

// The control tables. MigrationConfiguration and MigrationAuditLog have the
// names and shapes of the system that this one replaces.
const (
	configurationTable = "MigrationConfiguration"
	auditTable         = "MigrationAuditLog"
	runsTable          = "ExportRuns"
	partitionsTable    = "ExportPartitions"
	latestView         = "VwLatestMigrationConfiguration"
)

// Mappings of JSON ingestion.
const (
	recordsMapping = "DynamicJsonMap" // of Raw tables, for others: publishing needs none
	landingMapping = "LandingMapV1"
)

// folder marks the tables and functions that are ours.
const folder = "tvmexport"

// column is a column of a table at the destination; the type by its Kusto name.
type column struct{ name, kind string }

var configurationColumns = []column{
	{"SourceTable", "string"},
	{"DestinationTable", "string"},
	{"WatermarkColumn", "string"},
	{"LastRefreshedTime", "datetime"},
	{"LoadType", "string"},
	{"IsActive", "bool"},
}

// lastRefreshedText is the column that the seven-column shape of
// MigrationConfiguration has behind LastRefreshedTime.
const lastRefreshedText = "LastRefreshedTimeInString"

var auditColumns = []column{
	{"TableName", "string"},
	{"Timestamp", "datetime"},
	{"Status", "string"},
	{"FailureReason", "string"},
	{"RecordCount", "long"},
}

var runsColumns = []column{
	{"Table", "string"},
	{"RunId", "string"},
	{"State", "string"},
	{"At", "datetime"},
	{"Previous", "string"},
	{"Kind", "string"},
	{"LoadType", "string"},
	{"WatermarkFrom", "datetime"},
	{"Watermark", "datetime"},
	{"Rows", "long"},
	{"Bytes", "long"},
	{"Calls", "long"},
	{"Owner", "string"},
	{"Expires", "datetime"},
	{"Detail", "dynamic"},
}

// partitionsColumns: WindowNull stands for the rows whose watermark is null,
// which no pair of times can say.
var partitionsColumns = []column{
	{"Table", "string"},
	{"RunId", "string"},
	{"Partition", "string"},
	{"WindowFrom", "datetime"},
	{"WindowTo", "datetime"},
	{"Rows", "long"},
	{"WindowNull", "bool"},
	{"Fingerprint", "string"},
}

// rawColumns are those of a Raw table that init makes. Elsewhere there may be
// Records alone, or more.
var rawColumns = []column{
	{"Records", "dynamic"}, {"RunId", "string"}, {"Partition", "string"}, {"ExportedAt", "datetime"},
}

// landingColumns keep a record as the text that was sent: a dynamic would be
// typed on ingestion, and strings that look like a datetime written anew
// (https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic).
var landingColumns = []column{
	{"Records", "string"},
	{"BatchId", "string"},
	{"Line", "long"},
	{"Partition", "string"},
	{"BatchRows", "long"},
	{"RunId", "string"},
	{"Slice", "dynamic"},
}

// landingPaths is the mapping LandingMapV1: where the envelope of a batch
// (tvmexport.Batch) keeps the columns of a landing table.
var landingPaths = []path{
	{"Records", "$.r"},
	{"BatchId", "$.b"},
	{"Line", "$.n"},
	{"Partition", "$.p"},
	{"BatchRows", "$.c"},
	{"RunId", "$.u"},
	{"Slice", "$.s"},
}

var recordsPaths = []path{{"Records", "$"}}

// The states of a ledger row. A run counts when a row says committed.
const (
	leased     = "lease"
	released   = "released"   // with an empty Table: the invocation is over
	spent      = "spent"      // calls of an invocation, in Detail
	ended      = "ended"      // how an invocation ended for a table
	audited    = "audited"    // the audit rows of an invocation are written
	publishing = "publishing" // took its base; its rows go into the published table
	abandoned  = "abandoned"  // a publication that cannot be finished, its landed rows being gone
	committed  = "committed"
	takenover  = "takenover" // what another exporter left of a table whose old rows are no part of what readers see
)

// Tags of extents: whose rows, and which command made them.
func runTag(run tvmexport.RunID) string { return "drop-by:tvmexport:" + string(run) }

func keyTag(key string) string { return "ingest-by:" + key }
