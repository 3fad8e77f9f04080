package chaos_test

import (
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// storage are failures between an upload and its queue
// (https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes).
var storage = []kind{
	{"storage: 403 of a blob", at(faults.Rule{Endpoint: faults.Blob, Status: 403})},
	{"storage: 503 of a blob", at(faults.Rule{Endpoint: faults.Blob, Status: 503})},
	{"storage: a blob stored, then 500", at(faults.Rule{Endpoint: faults.Blob, Status: 500, Apply: true})},
	{"storage: a blob's signature has expired", at(faults.Rule{Endpoint: faults.Blob, ExpireSAS: true})},
	{"storage: 403 of a queue", at(faults.Rule{Endpoint: faults.Queue, Status: 403})},
	{"storage: 503 of a queue", at(faults.Rule{Endpoint: faults.Queue, Status: 503})},
	{"storage: queued, then 504", at(faults.Rule{Endpoint: faults.Queue, Status: 504, Apply: true})},
	{"storage: a queue's signature has expired", at(faults.Rule{Endpoint: faults.Queue, ExpireSAS: true})},
	{"ingestion: 429 for its resources", at(faults.Rule{Endpoint: faults.IngestMgmt, Status: 429})},
	{"ingestion: 503 for its resources", at(faults.Rule{Endpoint: faults.IngestMgmt, Status: 503})},
	{"ingestion: 520 for its resources", at(faults.Rule{Endpoint: faults.IngestMgmt, Status: 520})},
}

// at lets a rule strike by chance.
func at(r faults.Rule) func(d dice) faults.Rule {
	return func(d dice) faults.Rule { return d.sometimes(r) }
}

// In-band errors: the answer has begun with 200 and holds an error
// (https://learn.microsoft.com/kusto/api/rest/response-v2,
// https://learn.microsoft.com/kusto/api/rest/response).
const (
	inBandV2 = `[{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,"ErrorReportingPlacement":"EndOfTable"}
,{"FrameType":"DataTable","TableId":0,"TableKind":"QueryProperties","TableName":"@ExtendedProperties","Columns":[{"ColumnName":"TableId","ColumnType":"int"},{"ColumnName":"Key","ColumnType":"string"},{"ColumnName":"Value","ColumnType":"dynamic"}],"Rows":[]}
,{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult","Columns":[{"ColumnName":"A","ColumnType":"long"}]}
,{"FrameType":"TableCompletion","TableId":1,"RowCount":0,"OneApiErrors":[{"error":{"code":"LimitsExceeded","message":"Request is invalid and cannot be executed.","@type":"Kusto.Data.Exceptions.KustoServicePartialQueryFailureLimitsExceededException","@message":"Query execution has exceeded the allowed limits.","@context":{},"@permanent":false}}]}
,{"FrameType":"DataSetCompletion","HasErrors":true,"Cancelled":false,"OneApiErrors":[{"error":{"code":"LimitsExceeded","message":"Request is invalid and cannot be executed.","@type":"Kusto.Data.Exceptions.KustoServicePartialQueryFailureLimitsExceededException","@message":"Query execution has exceeded the allowed limits.","@context":{},"@permanent":false}}]}
]
`
	inBandV1 = `{"Tables":[{"TableName":"Table_0","Columns":[{"ColumnName":"A","DataType":"Int64","ColumnType":"long"}],"Rows":[{"Exceptions":["Query execution lacks memory resources to complete (80DA0007): Partial query failure"]}]}]}`
)

// engine are failures of queries and commands.
var engine = []kind{
	{"kusto: 429 for a query", at(faults.Rule{Endpoint: faults.KustoQuery, Status: 429})},
	{"kusto: 503 for a query", at(faults.Rule{Endpoint: faults.KustoQuery, Status: 503})},
	{"kusto: 504 for a query", at(faults.Rule{Endpoint: faults.KustoQuery, Status: 504})},
	{"kusto: 520 for a query", at(faults.Rule{Endpoint: faults.KustoQuery, Status: 520})},
	{"kusto: a query's error in its answer", at(faults.Rule{Endpoint: faults.KustoQuery, Status: 200, Body: inBandV2})},
	{"kusto: a query's answer cut", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.KustoQuery, CutAfter: 1 + d.IntN(3000)})
	}},
	{"kusto: a query's answer ends early", at(faults.Rule{Endpoint: faults.KustoQuery, TruncateJSON: true})},
	{"kusto: a slow query", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.KustoQuery, Delay: d.between(time.Second, 6*time.Minute)})
	}},
	{"kusto: 429 for a command", at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 429})},
	{"kusto: 503 for a command", at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 503})},
	{"kusto: 504 for a command", at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 504})},
	{"kusto: 520 for a command", at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 520})},
	{"kusto: a command carried out, then 504", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: appends, Status: 504, Apply: true})},
	{"kusto: a command carried out, its answer cut", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.KustoMgmt, CutAfter: 1 + d.IntN(600)})
	}},
	{"kusto: a command's error in its answer", at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 200, Body: inBandV1})},
	{"kusto: a command carried out, an error in its answer", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: appends, Status: 200, Body: inBandV1, Apply: true})},
	{"kusto: 504, and the command carried out later", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Match: appends, Status: 504, Late: d.between(time.Second, time.Hour)})
	}},
	{"kusto: a slow command", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Delay: d.between(time.Second, 6*time.Minute)})
	}},
	{"kusto: the token has expired", at(faults.Rule{Endpoint: faults.KustoMgmt, ExpireToken: true})},
}

// publishing are failures between the first and the last of a run's publishing commands.
var publishing = []kind{
	{"publish: 504, and carried out", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: steps, Status: 504, Apply: true})},
	{"publish: 504, and carried out later", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Match: steps, Status: 504, Late: d.between(time.Second, time.Hour)})
	}},
	{"publish: the connection breaks", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: steps, CutAfter: 1})},
	{"publish: from the n-th command on for an hour", func(d dice) faults.Rule {
		return faults.Rule{Endpoint: faults.KustoMgmt, Match: steps, After: d.IntN(3), Status: 503}
	}},
	{"publish: the claim 504, and carried out later", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Match: claims, Status: 504, Late: d.between(time.Second, time.Hour)})
	}},
	{"publish: the tags cannot be read", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: "extents where tags has", Status: 504})},
	{"publish: published, and no commit", func(d dice) faults.Rule {
		return faults.Rule{Endpoint: faults.KustoMgmt, Match: commits, After: d.IntN(3), Status: []int{403, 503, 520}[d.IntN(3)]}
	}},
	{"publish: the commit 504, and carried out later", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Match: commits, Status: 504, Late: d.between(time.Second, time.Hour)})
	}},
}

// records are failures of what is written beside the rows.
var records = []kind{
	{"ledger: partitions refused", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append ExportPartitions", Status: 403})},
	{"ledger: the lease refused", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: `"lease"`, Status: 503})},
	{"configuration: the watermark refused", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append MigrationConfiguration", Status: 403})},
	{"audit: refused", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append MigrationAuditLog", Status: 403})},
	{"audit: written, then 504", at(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append MigrationAuditLog", Status: 504, Apply: true})},
}
