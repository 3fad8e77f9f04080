package kql_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// synthetic is a million rows of vulnerabilities, one buffer for all of them.
type synthetic struct{ ids, cves []value.Value }

const syntheticRows = 1_000_000

func newSynthetic() *synthetic {
	s := &synthetic{}
	for i := range 4000 {
		s.ids = append(s.ids, value.NewString(fmt.Sprintf("%08x%032x", uint32(i)*2654435761, i)))
	}
	for i := range 5000 {
		s.cves = append(s.cves, value.NewString(fmt.Sprintf("CVE-2026-%05d", i)))
	}
	return s
}

func (*synthetic) Columns() []value.Column {
	return []value.Column{
		{Name: "DeviceId", Kind: value.String},
		{Name: "CveId", Kind: value.String},
		{Name: "Severity", Kind: value.String},
		{Name: "Score", Kind: value.Real},
		{Name: "Seen", Kind: value.DateTime},
	}
}

func (*synthetic) Hidden() []value.Column { return nil }

func (s *synthetic) Scan(context.Context, kql.Request) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		row := make([]value.Value, 5)
		high := value.NewString("High")
		for i := range syntheticRows {
			row[0] = s.ids[i/(syntheticRows/len(s.ids))]
			row[1] = s.cves[i*7919%len(s.cves)]
			row[2] = high
			row[3] = value.NewReal(float64(i%100) / 10)
			row[4] = value.DateTimeFromTicks(value.UnixEpochTicks + int64(i)*value.TicksPerSecond)
			if !yield(row, nil) {
				return
			}
		}
	}
}

// BenchmarkQuery runs queries over a million rows.
func BenchmarkQuery(b *testing.B) {
	c := catalog{tables: map[string]kql.Relation{"T": newSynthetic()}}
	for _, tt := range []struct{ name, query string }{
		{"count", "T | count"},
		{"where prefix", "T | where DeviceId startswith_cs 'a' | count"},
		{"where several", "T | where Score > 5 and Severity == 'High' and CveId has '2026' | count"},
		{"summarize by substring", "T | summarize count() by substring(DeviceId, 0, 3)"},
		{"summarize by two keys", "T | summarize n = count(), max(Score) by CveId, Severity"},
		{"fingerprint", "T | summarize Rows = count(), Print = binary_all_xor(hash_xxhash64(strcat(DeviceId, CveId))) by substring(DeviceId, 0, 2)"},
		{"project", "T | project DeviceId, CveId, Level = strcat(Severity, '!')"},
		{"all columns", "T"},
		{"top", "T | top 100 by Score desc"},
		{"join", "T | join kind=inner (T | summarize n = count() by DeviceId) on DeviceId | count"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			q, err := kql.Compile(tt.query, environment(c))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range q.Statements[0].Rows(context.Background()) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)*syntheticRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
