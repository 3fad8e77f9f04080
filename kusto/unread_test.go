package kusto

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

var valuesTable = tvmexport.Table{
	Name: "DeviceValues", Destination: "DeviceValuesRaw", LoadType: tvmexport.Snapshot,
	Key: tvmexport.Key{Column: "DeviceId"},
	Columns: []tvmexport.Column{
		{Name: "DeviceId", Type: "string"},
		{Name: "Exact", Type: "decimal"},
		{Name: "Big", Type: "long"},
		{Name: "Small", Type: "int"},
		{Name: "Flag", Type: "bool"},
		{Name: "Score", Type: "real"},
		{Name: "At", Type: "datetime"},
		{Name: "Took", Type: "timespan"},
		{Name: "Id", Type: "guid"},
		{Name: "Context", Type: "dynamic"},
	},
}

// Values that are text in a record because a dynamic would round them reach
// the typed table with all their digits; values that do not fit are null there,
// never another value, and counted; Raw holds the text of both.
func TestEmulatorValues(t *testing.T) {
	const tiny = "0.1234567890123456789012345678901234"
	rows := []struct{ record, typed string }{
		{`{"DeviceId":"3f1","Exact":"` + tiny + `"}`, "Exact=" + tiny},
		{`{"DeviceId":"3f2","Exact":0.1}`, "Exact=0.1"},
		{`{"DeviceId":"3f3","Big":9223372036854775807,"Small":2147483647,"Flag":true}`, "Big=9223372036854775807 Small=2147483647 Flag=True"},
		{`{"DeviceId":"3f4","Score":"0.1234567890123456789"}`, "Score=0.12345678901234568"},
		{`{"DeviceId":"3f5","Score":"NaN"}`, "Score=NaN"},
		{`{"DeviceId":"3f6","Score":"-Infinity"}`, "Score=-Infinity"},
		{`{"DeviceId":"3f7","At":"2025-04-05T13:59:21Z","Took":"1.02:03:04.5","Id":"74be27de-1e4e-49d9-b579-fe0b331d3642"}`, "At=2025-04-05T13:59:21.0000000Z Took=1.02:03:04.5000000 Id=74be27de-1e4e-49d9-b579-fe0b331d3642"},
		{`{"DeviceId":"3f8","Context":{"n":"12345678901234567890"}}`, `Context={"n":"12345678901234567890"}`},
		{`{"DeviceId":"3f9","Big":"7.5","Small":"3000000000","Flag":"2","Score":"seven","At":"yesterday","Took":"7","Id":"74be","Exact":"x"}`, ""},
	}
	onStage(t, func(s stage) {
		s.setUp(valuesTable)
		run := runOfTable(valuesTable, "20260101T000000Z-1", "", tvmexport.FullRun)
		records := make([]string, len(rows))
		for i, r := range rows {
			records[i] = r.record
		}
		b := batch(run, 1, records...)
		s.land(run, b)
		p := publicationOf(run, b)
		out, err := s.client.Publish(s.Context(), p)
		s.must(err)
		var want []tvmexport.Unread
		for _, c := range valuesTable.Columns[1:9] {
			want = append(want, tvmexport.Unread{Column: c.Name, Type: c.Type, Values: 1})
		}
		if d := cmp.Diff(want, out.Unread); d != "" {
			s.Errorf("not read (-want +got):\n%s", d)
		}
		s.must(s.client.Commit(s.Context(), tvmexport.Commit{
			Run: run, Owner: "me", Rows: out.Rows, Partitions: p.Partitions, Unread: out.Unread, Unlike: []string{"Old"},
		}))

		var shown []string
		for _, c := range valuesTable.Columns[1:] {
			shown = append(shown, "iff(isempty(tostring("+c.Name+")), '', strcat(' "+c.Name+"=', tostring("+c.Name+")))")
		}
		got := s.ask("DeviceValues | order by DeviceId asc | project trim(' ', strcat(" + strings.Join(shown, ", ") + "))")
		for i, r := range rows {
			if got[i] != r.typed {
				s.Errorf("%s\n is %q in the typed table, want %q", r.record, got[i], r.typed)
			}
		}
		raw := s.ask("DeviceValuesRaw | extend Id = tostring(Records.DeviceId) | where Id == '3f9' | project Text = strcat(Records.Big, ' ', Records.Small, ' ', Records.Flag, ' ', Records.Score, ' ', Records.At, ' ', Records.Took, ' ', Records.Exact)")
		if d := cmp.Diff([]string{"7.5 3000000000 2 seven yesterday 7 x"}, raw); d != "" {
			s.Errorf("Raw (-want +got):\n%s", d)
		}

		history, err := s.client.History(s.Context(), []tvmexport.Table{valuesTable})
		s.must(err)
		last := history[valuesTable.Name].Last
		if d := cmp.Diff(out.Unread, last.Unread); d != "" || len(last.Unlike) != 1 {
			s.Errorf("the ledger says %v, %v", last.Unread, last.Unlike)
		}
	})
}

// A record that parse_json does not read stops the run before anything is
// published, with its table, column and place, and is not taken over either.
func TestEmulatorUnparsedRecord(t *testing.T) {
	deep := strings.Repeat("[", 1200) + strings.Repeat("]", 1200)
	for name, tt := range map[string]struct{ record, says string }{
		"deep":                      {`{"DeviceId":"3f2","Context":{"a":` + deep + `},"Big":1}`, "column Context is nested 1202 levels deep"},
		"deep in an unknown column": {`{"DeviceId":"3f2","Secret":` + deep + `}`, "a column of it is nested 1201 levels deep"},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(s stage) {
				s.setUp(valuesTable)
				run := runOfTable(valuesTable, "20260101T000000Z-1", "", tvmexport.FullRun)
				b := batch(run, 1, `{"DeviceId":"3f1"}`, tt.record)
				s.must(s.client.Land(s.Context(), b))
				var err error
				for range 100 {
					if _, err = s.client.Landed(s.Context(), run); err != nil {
						break
					}
					time.Sleep(time.Second) // in the bubble
				}
				for _, says := range []string{"DeviceValues", "1 records of batch 20260101T000000Z-1.0001", "line 2", `partition "3f"`, tt.says} {
					if err == nil || !strings.Contains(err.Error(), says) {
						s.Errorf("%v\ndoes not say %s", err, says)
					}
				}
				if err != nil && (strings.Contains(err.Error(), "3f2") || strings.Contains(err.Error(), "Secret")) {
					s.Errorf("%v quotes the row", err)
				}
				if tvmexport.ActionOf(err) != tvmexport.Stop {
					s.Errorf("%v does not stop the run", err)
				}
				good := batch(run, 2, `{"DeviceId":"3f1"}`)
				s.must(s.client.Land(s.Context(), good))
				left := []string{}
				for range 100 {
					orphans, err := s.client.OrphanedBatches(s.Context(), []tvmexport.Table{valuesTable}, nil, time.Now().Add(-time.Hour))
					s.must(err)
					for _, o := range orphans[valuesTable.Name] {
						left = append(left, string(o.Batch.ID))
					}
					if len(left) > 0 {
						break
					}
					time.Sleep(time.Second) // in the bubble
				}
				if d := cmp.Diff([]string{string(good.ID)}, left); d != "" {
					s.Errorf("taken over by the next run (-want +got):\n%s", d)
				}
			})
		})
	}
}
