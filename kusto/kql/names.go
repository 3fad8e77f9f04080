package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport"
)

// The control tables. MigrationConfiguration and MigrationAuditLog have the
// names and shapes of the system that this one replaces.
const (
	ConfigurationTable = "MigrationConfiguration"
	AuditTable         = "MigrationAuditLog"
	RunsTable          = "ExportRuns"
	PartitionsTable    = "ExportPartitions"
	LatestView         = "VwLatestMigrationConfiguration"
)

// Mappings of JSON ingestion.
const (
	RecordsMapping = "DynamicJsonMap" // of Raw tables, for others: publishing needs none
	LandingMapping = "LandingMapV1"
)

// Folder marks the tables and functions that are ours.
const Folder = "tvmexport"

// Column is a column of a table at the destination; the type by its Kusto name.
type Column struct{ Name, Kind string }

// ConfigurationColumns are the columns of MigrationConfiguration that init creates, in
// the order of the system that this one replaces.
var ConfigurationColumns = []Column{
	{"SourceTable", "string"},
	{"DestinationTable", "string"},
	{"WatermarkColumn", "string"},
	{"LastRefreshedTime", "datetime"},
	{LastRefreshedText, "string"},
	{"LoadType", "string"},
	{"IsActive", "bool"},
}

// NeededColumns are the columns of MigrationConfiguration without which it cannot be
// read. Databases of the original system, and those that earlier versions made, have
// these alone.
var NeededColumns = slices.DeleteFunc(slices.Clone(ConfigurationColumns), func(c Column) bool { return c.Name == LastRefreshedText })

// NoWatermark is the WatermarkColumn of a table that has no watermark column.
const NoWatermark = "None"

// LastRefreshedText is the column behind LastRefreshedTime that holds the same time as
// text, for people and other programs. LastRefreshedTime alone counts.
const LastRefreshedText = "LastRefreshedTimeInString"

// AuditColumns are the columns of MigrationAuditLog. Those that earlier versions made
// have a RecordCount of the type long.
var AuditColumns = []Column{
	{"TableName", "string"},
	{"Timestamp", "datetime"},
	{"Status", "string"},
	{"FailureReason", "string"},
	{"RecordCount", "int"},
}

// RunsColumns are the columns of ExportRuns.
var RunsColumns = []Column{
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

// PartitionsColumns are the columns of ExportPartitions. WindowNull marks the
// rows whose watermark is null, which no pair of times can express.
var PartitionsColumns = []Column{
	{"Table", "string"},
	{"RunId", "string"},
	{"Partition", "string"},
	{"WindowFrom", "datetime"},
	{"WindowTo", "datetime"},
	{"Rows", "long"},
	{"WindowNull", "bool"},
	{"Fingerprint", "string"},
}

// RawColumns are those of a Raw table that init makes. Elsewhere there may be
// Records alone, or more.
var RawColumns = []Column{
	{"Records", "dynamic"}, {"RunId", "string"}, {"Partition", "string"}, {"ExportedAt", "datetime"},
}

// LandingColumns keep a record as the text that was sent: a dynamic would be
// typed on ingestion, and strings that look like a datetime rewritten
// (https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic).
var LandingColumns = []Column{
	{"Records", "string"},
	{"BatchId", "string"},
	{"Line", "long"},
	{"Partition", "string"},
	{"BatchRows", "long"},
	{"RunId", "string"},
	{"Slice", "dynamic"},
}

// LandingPaths is the mapping LandingMapV1: where the envelope of a batch
// (tvmexport.Batch) keeps the columns of a landing table.
var LandingPaths = []MappingPath{
	{"Records", "$.r"},
	{"BatchId", "$.b"},
	{"Line", "$.n"},
	{"Partition", "$.p"},
	{"BatchRows", "$.c"},
	{"RunId", "$.u"},
	{"Slice", "$.s"},
}

// RecordsPaths is the mapping DynamicJsonMap: the whole record in Records.
var RecordsPaths = []MappingPath{{"Records", "$"}}

// The states of a ledger row. A run counts when a row says committed.
const (
	LeaseState      = "lease"
	ReleasedState   = "released"   // with an empty Table: the invocation has ended
	SpentState      = "spent"      // calls of an invocation, in Detail
	EndedState      = "ended"      // how an invocation ended for a table
	AuditedState    = "audited"    // the audit rows of an invocation are written
	PublishingState = "publishing" // took its base; its rows go into the published table
	AbandonedState  = "abandoned"  // a publication that cannot be finished, its landed rows being gone
	CommittedState  = "committed"
	ShapeState      = "shape"     // the number of the stored shape, in Detail; Owner is the version of the program
	TakenOverState  = "takenover" // what another exporter left of a table whose old rows are no part of what readers see
)

// RunTag is the extent tag that names the run whose rows an extent holds.
func RunTag(run tvmexport.RunID) string { return "drop-by:tvmexport:" + string(run) }

// RefillTag is the extent tag of rows that one command of a refill rebuilt.
func RefillTag(id string) string { return "drop-by:tvmexport-refill:" + id }

// KeyTag is the extent tag that names the command that made an extent; a
// command guarded by it runs once.
func KeyTag(key string) string { return "ingest-by:" + key }
