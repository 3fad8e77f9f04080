package publish

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
)

// The steps of a large run stay below 1 MB each, and together they name every batch
// once.
func TestStepsOfALargeRunStaySmall(t *testing.T) {
	const most = 1_000_000
	p := kqltest.LargePublication()
	batches := 0
	for i, s := range p.Steps {
		text := landedLines(p.Run.Table, s.Batches)
		if len(text) > most {
			t.Errorf("step %d has %d bytes", i, len(text))
		}
		batches += strings.Count(text, string(p.Run.ID)+".")
	}
	if want := len(p.Partitions) / 4; batches != want {
		t.Errorf("%d batches are named, want %d", batches, want)
	}
}

func BenchmarkPublishTexts(b *testing.B) {
	p := kqltest.LargePublication()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := kql.Document(p); err != nil {
			b.Fatal(err)
		}
		for _, s := range p.Steps {
			landedLines(p.Run.Table, s.Batches)
		}
	}
}
