package metrics_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/metrics"
)

// Values that do not fit are counted by table and column.
func TestUnreadValues(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	h := metrics.New(reg, "v1").Hooks()
	run := tvmexport.Run{ID: "R1", Table: tvmexport.Table{Name: "T"}}
	for range 2 {
		h.Fetched(run, tvmexport.Slice{}, tvmexport.Answer{Unread: []tvmexport.Unread{{Column: "At", Values: 2}, {Column: "Count", Values: 1}}})
	}
	want := `
# HELP tvmexport_values_unread_total Values in complete answers of Defender that do not match the type of their column; records keep them as text.
# TYPE tvmexport_values_unread_total counter
tvmexport_values_unread_total{column="At",table="T"} 4
tvmexport_values_unread_total{column="Count",table="T"} 2
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "tvmexport_values_unread_total"); err != nil {
		t.Error(err)
	}
}
