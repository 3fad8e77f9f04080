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
	TenantNow time.Time               `json:"tenantNow"` // the clock of the data; of several tenants, of the first
	// Tenants are the parts of the tenants, by name, where there are several. Defender and Exports are their sums,
	// apart from the busiest times.
	Tenants map[string]TenantStats `json:"tenants,omitempty"`
}

// TenantStats is what was asked about one tenant.
type TenantStats struct {
	Defender  map[string]HuntingStats `json:"defender"`
	Exports   map[string]ExportStats  `json:"exports"`
	TenantNow time.Time               `json:"tenantNow"`
}

func (o *organisation) stats() TenantStats {
	return TenantStats{o.hunting.Stats(), o.assessment.Stats(), o.data.Now()}
}

// addUp adds the counters of tenants up.
func addUp[S interface{ Add(S) S }](total, part map[string]S) {
	for name, s := range part {
		if t, ok := total[name]; ok {
			s = t.Add(s)
		}
		total[name] = s
	}
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
	all := Stats{
		Defender:  map[string]HuntingStats{},
		Exports:   map[string]ExportStats{},
		Entra:     e.entra.Stats(),
		Kusto:     KustoStats{Queries: asked.Queries, Commands: commands, RowsIngested: asked.RowsIngested, RowsScanned: asked.RowsScanned},
		TenantNow: e.tenants.home().data.Now(),
		Ingestion: IngestionStats{
			Blobs: uploaded.Blobs, Bytes: uploaded.BlobBytes, Messages: uploaded.Messages,
			Ingested: done.Blobs, Batches: done.Batches, Rows: done.Rows, Skipped: done.Skipped,
			Failed: done.Failed, SkippedLines: done.SkippedLines, Streams: done.Streams,
		},
	}
	for _, o := range e.tenants.list {
		part := o.stats()
		addUp(all.Defender, part.Defender)
		addUp(all.Exports, part.Exports)
		if len(e.tenants.list) > 1 {
			if all.Tenants == nil {
				all.Tenants = map[string]TenantStats{}
			}
			all.Tenants[o.Name] = part
		}
	}
	return all
}
