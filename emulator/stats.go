package emulator

import (
	"time"

	"github.com/tvmexport/tvmexport/emulator/entra"
)

// Stats is what the services were asked and did since the start.
type Stats struct {
	Defender  map[string]HuntingStats `json:"defender"` // by front: graph, xdr, mde
	Exports   map[string]ExportStats  `json:"exports"`  // of the export assessment APIs, by data set
	Entra     entra.Stats             `json:"entra"`
	Kusto     KustoStats              `json:"kusto"`
	Ingestion IngestionStats          `json:"ingestion"`
	TenantNow time.Time               `json:"tenantNow"` // the clock of the data
}

// KustoStats is what the engine was asked.
type KustoStats struct {
	Queries      int64            `json:"queries"`
	Commands     map[string]int64 `json:"commands"`     // by keywords, such as ".set-or-append"
	RowsIngested int64            `json:"rowsIngested"` // by any way of ingestion
	RowsScanned  int64            `json:"rowsScanned"`  // rows that tables yielded for queries
}

// IngestionStats is what became of uploads.
type IngestionStats struct {
	Blobs    int64 `json:"blobs"` // uploaded
	Bytes    int64 `json:"bytes"` // of them
	Messages int64 `json:"messages"`

	Ingested     int64 `json:"ingested"` // blobs
	Batches      int64 `json:"batches"`
	Rows         int64 `json:"rows"`
	Skipped      int64 `json:"skipped"`      // blobs whose ingest-by tag was there
	Failed       int64 `json:"failed"`       // blobs
	SkippedLines int64 `json:"skippedLines"` // malformed, left out in silence
	Streams      int64 `json:"streams"`
}

// Stats is what was done so far.
func (e *Emulator) Stats() Stats {
	asked, uploaded := e.engine.Stats(), e.kusto.accounts.Stats()
	done := e.kusto.dataManagement.Stats()
	commands := asked.Commands
	if commands == nil {
		commands = map[string]int64{}
	}
	return Stats{
		Defender:  e.hunting.Stats(),
		Exports:   e.assessment.Stats(),
		Entra:     e.entra.Stats(),
		Kusto:     KustoStats{Queries: asked.Queries, Commands: commands, RowsIngested: asked.RowsIngested, RowsScanned: asked.RowsScanned},
		TenantNow: e.tenant.Now(),
		Ingestion: IngestionStats{
			Blobs: uploaded.Blobs, Bytes: uploaded.BlobBytes, Messages: uploaded.Messages,
			Ingested: done.Blobs, Batches: done.Batches, Rows: done.Rows, Skipped: done.Skipped,
			Failed: done.Failed, SkippedLines: done.SkippedLines, Streams: done.Streams,
		},
	}
}
