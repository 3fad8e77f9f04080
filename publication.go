package tvmexport

import (
	"cmp"
	"slices"
)

// publishBytes is how much one publishing command moves: Kusto advises up to
// 1 GB for a command that ingests from a query
// (https://learn.microsoft.com/kusto/management/data-ingestion/ingest-from-query).
const publishBytes = 1_000_000_000

// publicationSteps gathers batches, in their order, into steps of at most about 1 GB,
// and adds up their rows. Empty batches take no part.
func publicationSteps(batches []BatchInfo) (steps []PublicationStep, rows int64) {
	var size int64
	for _, b := range batches {
		if b.Rows == 0 {
			continue
		}
		rows += b.Rows
		if len(steps) == 0 || size+b.Bytes > publishBytes {
			steps = append(steps, PublicationStep{})
			size = 0
		}
		last := &steps[len(steps)-1]
		last.Batches = append(last.Batches, b.ID)
		last.Rows += b.Rows
		size += b.Bytes
	}
	return steps, rows
}

// recordsOf lists what the run knows of each partition. In a full run, one
// that the previous run knew and that was not found again is listed with no
// rows: it vanished.
func recordsOf(found map[recordKey]int64, known []PartitionRecord, full bool) []PartitionRecord {
	out := make([]PartitionRecord, 0, len(found))
	held := make(map[Partition]bool, len(found))
	for k, rows := range found {
		if rows == 0 {
			continue
		}
		out = append(out, PartitionRecord{Partition: k.partition, Window: k.window, Rows: rows})
		held[k.partition] = true
	}
	if full {
		for _, k := range known {
			if k.Rows > 0 && !held[k.Partition] && k.Window == (Window{}) {
				out = append(out, PartitionRecord{Partition: k.Partition})
			}
		}
	}
	slices.SortFunc(out, func(a, b PartitionRecord) int {
		return cmp.Or(a.Window.From.Compare(b.Window.From), cmp.Compare(a.Partition, b.Partition))
	})
	return out
}
