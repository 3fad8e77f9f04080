package engine

import (
	"testing"

	"github.com/tvmexport/tvmexport"
)

func TestPlacerAgreesWithContains(t *testing.T) {
	partitions := []tvmexport.Partition{"0", "3~", "30", "3f", "3fa~", "~", "5"}
	place := newPartitionIndex(partitions)
	for _, key := range []string{"", "0", "01", "3", "3x", "30a", "3f", "3fa", "3fz", "3fab", "zz", "5", "6", "#"} {
		want := -1
		for i, p := range partitions {
			if p.Contains(key) {
				want = i
				break
			}
		}
		if got := place.find([]byte(key)); got != want {
			t.Errorf("find(%q) = %d, want %d", key, got, want)
		}
	}
}
