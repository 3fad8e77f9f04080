package engine

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// Counts that are ready go together; what comes late goes with the next call, and
// delays nobody.
func TestCountsAreJoined(t *testing.T) {
	type ask struct {
		after time.Duration
		rows  int64
		leave bool // it does not count
	}
	for _, tt := range []struct {
		name string
		asks []ask
		want [][]string
		took time.Duration
	}{
		{"together", []ask{{}, {}, {}}, [][]string{{"T0", "T1", "T2"}}, 0},
		{"one comes late", []ask{{}, {}, {after: time.Minute}}, [][]string{{"T0", "T1"}, {"T2"}}, jointLinger},
		{"one comes within the linger", []ask{{}, {after: jointLinger / 2}, {after: jointLinger / 4}}, [][]string{{"T0", "T2", "T1"}}, jointLinger / 2},
		{"one does not come", []ask{{}, {}, {after: jointLinger / 2, leave: true}}, [][]string{{"T0", "T1"}}, jointLinger / 2},
		{"a large one goes alone", []ask{{}, {rows: aloneRows + 1}, {}}, [][]string{{"T0", "T2"}}, 0},
		{"too many rows together", []ask{{rows: aloneRows}, {rows: aloneRows}, {rows: 1}}, [][]string{{"T1"}, {"T2", "T0"}}, 0},
		{"no table", nil, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &contract.Source{}
				e := &Exporter{Source: source}
				q := e.newCountQueue(t.Context(), func(_ context.Context, call func()) error { call(); return nil })
				for i := range tt.asks {
					name := fmt.Sprintf("T%d", i)
					source.Set(name, []contract.Row{{Key: "3a", JSON: "{}"}})
					q.expect(name)
				}
				began := time.Now()
				for i, a := range tt.asks {
					time.Sleep(time.Nanosecond) // so that they ask in their order
					go func() {
						time.Sleep(a.after)
						table := tvmexport.Table{Name: fmt.Sprintf("T%d", i)}
						if a.leave {
							q.arrive(table.Name)
							return
						}
						r, ok := q.count(t.Context(), tvmexport.CountQuery{Table: table, Depth: 1, Rows: a.rows})
						if ok != (a.rows <= aloneRows) || ok && (r.Err != nil || len(r.Parts) != 1) {
							t.Errorf("%s: %+v, %t", table.Name, r, ok)
						}
						if took := time.Since(began); i == 0 && took > tt.took+time.Microsecond {
							t.Errorf("the first table waited %s, want %s", took, tt.took)
						}
					}()
					synctest.Wait()
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				slices.SortFunc(source.Joint, slices.Compare)
				if d := cmp.Diff(tt.want, source.Joint); d != "" {
					t.Errorf("calls (-want +got):\n%s", d)
				}
			})
		})
	}
}

// A table with a source of its own is not counted with those of another source, and
// an end of its context ends its wait alone.
func TestCountsOfOtherSourcesAreNotJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &contract.Source{}
		e := &Exporter{Source: source, Sources: map[string]tvmexport.Source{"Own": &contract.Source{}}}
		q := e.newCountQueue(t.Context(), func(_ context.Context, call func()) error { call(); return nil })
		q.expect("Common")
		q.expect("Late")
		if _, ok := q.count(t.Context(), tvmexport.CountQuery{Table: tvmexport.Table{Name: "Own"}}); ok {
			t.Error("a table with its own source was counted with others")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if r, ok := q.count(ctx, tvmexport.CountQuery{Table: tvmexport.Table{Name: "Common"}}); !ok || r.Err == nil {
			t.Errorf("the count of an ended table: %+v, %t", r, ok)
		}
		time.Sleep(time.Second)
	})
}

// The result of each table is checked like that of a count by itself.
func TestJointCountsAreChecked(t *testing.T) {
	source := &contract.Source{}
	for i := range 3 {
		source.Set(fmt.Sprintf("T%d", i), []contract.Row{{Key: "3a", JSON: "{}"}})
	}
	source.CorruptCount = func(q tvmexport.CountQuery, c *tvmexport.Counts) {
		if q.Table.Name == "T1" {
			c.Parts[0].Rows = -1
		}
	}
	var list []tvmexport.CountQuery
	for i := range 3 {
		list = append(list, tvmexport.CountQuery{Table: tvmexport.Table{Name: fmt.Sprintf("T%d", i)}, Depth: 1})
	}
	for i, r := range (&Exporter{Source: source}).countAll(t.Context(), list) {
		if failed := r.Err != nil; failed != (i == 1) {
			t.Errorf("T%d: %+v", i, r)
		}
	}
}
