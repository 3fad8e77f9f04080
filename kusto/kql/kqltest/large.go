package kqltest

import (
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// LargePublication is a run of a tenant with 100,000 devices: 65,536 partitions, landed
// as 16,384 batches, far more than the source answers in a day.
func LargePublication() tvmexport.Publication {
	p := tvmexport.Publication{Run: Run, Columns: InventoryTable.Columns}
	p.Run.Table, p.Run.Window = InventoryTable, tvmexport.Window{}
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
