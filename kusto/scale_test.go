package kusto

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
	"github.com/tvmexport/tvmexport/kusto/ledger"
)

// Each command that records the partitions of a large run stays below 1 MB, and
// together they name every partition once.
func TestCommandsOfALargeRunStaySmall(t *testing.T) {
	const most = 1_000_000
	p := kqltest.LargePublication()
	parts := 0
	for i, command := range ledger.Partitions("publish", p.Run, p.Partitions) {
		text := command.Text()
		if len(text) > most {
			t.Errorf("command %d of the partitions has %d bytes", i, len(text))
		}
		parts += strings.Count(text, ", 380, ")
	}
	if parts != len(p.Partitions) {
		t.Errorf("%d partitions are named, want %d", parts, len(p.Partitions))
	}
}

func BenchmarkCommitRecords(b *testing.B) {
	p := kqltest.LargePublication()
	b.ReportAllocs()
	for b.Loop() {
		ledger.Partitions("publish", p.Run, p.Partitions)
	}
}
