package kusto

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/publish"
)

// largeRun is a run of a tenant with 100,000 devices: 65,536 partitions, landed
// as 16,384 batches, far more than the source answers in a day.
func largeRun() tvmexport.Publication {
	t := softwareTable
	p := tvmexport.Publication{Run: runOfTable(t, "20261123T050000Z-aaaaaaaaaaaa", "20261122T050000Z-aaaaaaaaaaaa", tvmexport.DeltaRun), Columns: t.Columns}
	for i := range 1 << 16 {
		if i%(1<<14) == 0 {
			p.Steps = append(p.Steps, tvmexport.PublicationStep{})
		}
		s := &p.Steps[len(p.Steps)-1]
		if i%4 == 0 {
			s.Batches = append(s.Batches, tvmexport.BatchID(fmt.Sprintf("%s.%05d", p.Run.ID, i/4)))
		}
		s.Rows += 380
		p.Rows += 380
		p.Partitions = append(p.Partitions, tvmexport.PartitionRecord{
			Partition: tvmexport.Partition(fmt.Sprintf("%04x", i)), Rows: 380,
			Fingerprint: tvmexport.Fingerprint{Known: true, Sums: [3]int64{1 << 45, 1 << 46, 1 << 47}},
		})
	}
	return p
}

// Each command of a large run stays below 1 MB, and together they name every
// partition and batch once.
func TestCommandsOfALargeRunStaySmall(t *testing.T) {
	const most = 1_000_000
	p := largeRun()
	parts := 0
	for i, text := range ledger.PartitionTexts(p.Run, p.Partitions) {
		if len(text) > most {
			t.Errorf("command %d of the partitions has %d bytes", i, len(text))
		}
		parts += strings.Count(text, ", 380, ")
	}
	if parts != len(p.Partitions) {
		t.Errorf("%d partitions are named, want %d", parts, len(p.Partitions))
	}
	batches := 0
	for i, s := range p.Steps {
		text := publish.LandedLines(p.Run.Table, s.Batches)
		if len(text) > most {
			t.Errorf("step %d has %d bytes", i, len(text))
		}
		batches += strings.Count(text, string(p.Run.ID)+".")
	}
	if want := len(p.Partitions) / 4; batches != want {
		t.Errorf("%d batches are named, want %d", batches, want)
	}
}

func BenchmarkCommitRecords(b *testing.B) {
	p := largeRun()
	b.ReportAllocs()
	for b.Loop() {
		ledger.PartitionTexts(p.Run, p.Partitions)
	}
}

func BenchmarkPublishTexts(b *testing.B) {
	p := largeRun()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := kql.Document(p); err != nil {
			b.Fatal(err)
		}
		for _, s := range p.Steps {
			publish.LandedLines(p.Run.Table, s.Batches)
		}
	}
}
