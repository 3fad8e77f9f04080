package faulttable

import (
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// deliveries are what becomes of messages of queued ingestion, which come at
// least once and without a bound in time.
var deliveries = []Fault{
	{Name: "delivery: lost", Way: Empty, Groups: toDelivery, Wide: true, Make: delivery(func(Dice) string { return "lost" })},
	{Name: "delivery: twice", Way: Repeated, Groups: toDelivery, Wide: true, Make: delivery(func(Dice) string { return "duplicate" })},
	{Name: "delivery: again later", Way: Repeated, Groups: toDelivery, Wide: true, Make: delivery(func(d Dice) string {
		return "duplicate:" + time.Duration(d.Between(time.Second, 30*time.Hour)).String()
	})},
	{Name: "delivery: late", Way: Late, Groups: toDelivery, Wide: true, Make: delivery(func(d Dice) string { return "late:" + time.Duration(d.Between(time.Second, 40*time.Minute)).String() })},
	{Name: "delivery: late by hours", Way: Late, Groups: toDelivery, Wide: true, Make: delivery(func(d Dice) string {
		return "late:" + time.Duration(d.Between(time.Hour, 50*time.Hour)).String()
	})},
	{Name: "delivery: a part", Way: Cut, Groups: toDelivery, Wide: true, Make: delivery(func(d Dice) string { return fmt.Sprintf("partial:%d", 1+d.IntN(60)) })},
	{Name: "delivery: a part, later the whole", Way: Cut, Groups: toDelivery, Wide: true, Make: delivery(func(d Dice) string {
		return fmt.Sprintf("partial:%d:%s", 1+d.IntN(60), time.Duration(d.Between(time.Second, 2*time.Hour)))
	})},
	{Name: "delivery: fails at first", Way: Refused, Groups: toDelivery, Wide: true, Make: delivery(func(Dice) string { return "transient" })},
}

func delivery(fate func(d Dice) string) func(d Dice) faults.Rule {
	return func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Delivery, Delivery: fate(d)})
	}
}

// storage are failures between an upload and its queue
// (https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes).
var storage = []Fault{
	{Name: "storage: 403 of a blob", Way: Refused, Groups: toUploads, Wide: true, Make: at(faults.Rule{Endpoint: faults.Blob, Status: 403})},
	{Name: "storage: 503 of a blob", Way: Refused, Groups: toUploads, Wide: true, Make: at(faults.Rule{Endpoint: faults.Blob, Status: 503})},
	{Name: "storage: a blob stored, then 500", Way: Repeated, Groups: toUploads, Wide: true, Make: at(faults.Rule{Endpoint: faults.Blob, Status: 500, Apply: true})},
	{Name: "storage: a blob's signature has expired", Way: Older, Groups: toUploads, Wide: true, Make: at(faults.Rule{Endpoint: faults.Blob, ExpireSAS: true})},
	{Name: "storage: 403 of a queue", Way: Refused, Groups: toMessages, Wide: true, Make: at(faults.Rule{Endpoint: faults.Queue, Status: 403})},
	{Name: "storage: 503 of a queue", Way: Refused, Groups: toMessages, Wide: true, Make: at(faults.Rule{Endpoint: faults.Queue, Status: 503})},
	{Name: "storage: queued, then 504", Way: Repeated, Groups: toMessages, Wide: true, Make: at(faults.Rule{Endpoint: faults.Queue, Status: 504, Apply: true})},
	{Name: "storage: a queue's signature has expired", Way: Older, Groups: toMessages, Wide: true, Make: at(faults.Rule{Endpoint: faults.Queue, ExpireSAS: true})},
	{Name: "ingestion: 429 for its resources", Way: Refused, Groups: toResources, Wide: true, Make: at(faults.Rule{Endpoint: faults.IngestMgmt, Status: 429})},
	{Name: "ingestion: 503 for its resources", Way: Refused, Groups: toResources, Wide: true, Make: at(faults.Rule{Endpoint: faults.IngestMgmt, Status: 503})},
	{Name: "ingestion: 520 for its resources", Way: Refused, Groups: toResources, Wide: true, Make: at(faults.Rule{Endpoint: faults.IngestMgmt, Status: 520})},
}

// at makes a rule apply at random.
func at(r faults.Rule) func(d Dice) faults.Rule {
	return func(d Dice) faults.Rule { return d.Sometimes(r) }
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
var engine = []Fault{
	{Name: "kusto: 429 for a query", Way: Refused, Groups: toReads, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoQuery, Status: 429})},
	{Name: "kusto: 503 for a query", Way: Refused, Groups: toReads, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoQuery, Status: 503})},
	{Name: "kusto: 504 for a query", Way: Refused, Groups: toReads, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoQuery, Status: 504})},
	{Name: "kusto: 520 for a query", Way: Refused, Groups: toReads, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoQuery, Status: 520})},
	{Name: "kusto: a query's error in its answer", Way: TooLarge, Groups: toReads, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoQuery, Status: 200, Body: inBandV2})},
	{Name: "kusto: a query's answer cut", Way: Cut, Groups: toReads, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.KustoQuery, CutAfter: 1 + d.IntN(3000)})
	}},
	{Name: "kusto: a query's answer ends early", Way: Cut, Groups: toReads, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoQuery, TruncateJSON: true})},
	{Name: "kusto: a slow query", Way: Late, Groups: toReads, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.KustoQuery, Delay: d.Between(time.Second, 6*time.Minute)})
	}},
	{Name: "kusto: 429 for a command", Way: Refused, Groups: toCommands, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 429})},
	{Name: "kusto: 503 for a command", Way: Refused, Groups: toCommands, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 503})},
	{Name: "kusto: 504 for a command", Way: Refused, Groups: toCommands, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 504})},
	{Name: "kusto: 520 for a command", Way: Refused, Groups: toCommands, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 520})},
	{Name: "kusto: a command carried out, then 504", Way: Repeated, Groups: toCommands, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: appends, Status: 504, Apply: true})},
	{Name: "kusto: a command carried out, its answer cut", Way: Cut, Groups: toCommands, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.KustoMgmt, CutAfter: 1 + d.IntN(600)})
	}},
	{Name: "kusto: a command's error in its answer", Way: TooLarge, Groups: toCommands, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Status: 200, Body: inBandV1})},
	{Name: "kusto: a command carried out, an error in its answer", Way: Repeated, Groups: toCommands, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: appends, Status: 200, Body: inBandV1, Apply: true})},
	{Name: "kusto: 504, and the command carried out later", Way: Older, Groups: toCommands, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Match: appends, Status: 504, Late: d.Between(time.Second, time.Hour)})
	}},
	{Name: "kusto: a slow command", Way: Late, Groups: toCommands, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Delay: d.Between(time.Second, 6*time.Minute)})
	}},
	{Name: "kusto: the token has expired", Way: Refused, Groups: toCommands, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, ExpireToken: true})},
}

// publishing are failures between the first and the last of a run's publishing commands.
var publishing = []Fault{
	{Name: "publish: 504, and carried out", Way: Repeated, Groups: toSteps, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: steps, Status: 504, Apply: true})},
	{Name: "publish: 504, and carried out later", Way: Older, Groups: toSteps, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Match: steps, Status: 504, Late: d.Between(time.Second, time.Hour)})
	}},
	{Name: "publish: the connection breaks", Way: Cut, Groups: toSteps, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: steps, CutAfter: 1})},
	{Name: "publish: from the n-th command on for an hour", Way: Barred, Groups: toSteps, Wide: true, Make: func(d Dice) faults.Rule {
		return faults.Rule{Endpoint: faults.KustoMgmt, Match: steps, After: d.IntN(3), Status: 503}
	}},
	{Name: "publish: the claim 504, and carried out later", Way: Older, Groups: toWrites, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Match: claims, Status: 504, Late: d.Between(time.Second, time.Hour)})
	}},
	{Name: "publish: the tags cannot be read", Way: Refused, Groups: toShows, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: "extents where tags has", Status: 504})},
	{Name: "publish: published, and no commit", Way: Barred, Groups: toWrites, Wide: true, Make: func(d Dice) faults.Rule {
		return faults.Rule{Endpoint: faults.KustoMgmt, Match: commits, After: d.IntN(3), Status: []int{403, 503, 520}[d.IntN(3)]}
	}},
	{Name: "publish: the commit 504, and carried out later", Way: Older, Groups: toWrites, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.KustoMgmt, Match: commits, Status: 504, Late: d.Between(time.Second, time.Hour)})
	}},
}

// records are failures of what is written in addition to the rows.
var records = []Fault{
	{Name: "ledger: partitions refused", Way: Barred, Groups: toWrites, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append ExportPartitions", Status: 403})},
	{Name: "ledger: the lease refused", Way: Refused, Groups: toWrites, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: `"lease"`, Status: 503})},
	{Name: "configuration: the watermark refused", Way: Barred, Groups: toWrites, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append MigrationConfiguration", Status: 403})},
	{Name: "audit: refused", Way: Barred, Groups: toWrites, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append MigrationAuditLog", Status: 403})},
	{Name: "audit: written, then 504", Way: Repeated, Groups: toWrites, Wide: true, Make: at(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append MigrationAuditLog", Status: 504, Apply: true})},
}

// later are wide faults that came after those that early seeds throw dice for.
var later = []Fault{
	{Name: "delivery: fails permanently", Way: Barred, Groups: toDelivery, Wide: true, Make: delivery(func(Dice) string { return "failed" })},
}
