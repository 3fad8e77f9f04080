package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// meteredSource keeps account of calls, and measures rows.
type meteredSource struct {
	*contract.Source
	others   []tvmexport.QuotaUsage
	own      tvmexport.QuotaUsage
	fetched  atomic.Int64
	measured []int // slices, by call
	refuses  bool  // to measure
}

func (s *meteredSource) Begin(others []tvmexport.QuotaUsage) { s.others = others }

func (s *meteredSource) QuotaUsage() tvmexport.QuotaUsage { return s.own }

func (s *meteredSource) Fetch(ctx context.Context, slice tvmexport.Slice, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	s.fetched.Add(1)
	return s.Source.Fetch(ctx, slice, w)
}

func (s *meteredSource) RowSizes(_ context.Context, list []tvmexport.Slice) ([]float64, int, error) {
	s.measured = append(s.measured, len(list))
	if s.refuses {
		return nil, 1, &tvmexport.Error{Op: "sample", Action: tvmexport.Stop, Cause: tvmexport.Rejected, Err: errors.New("unknown function")}
	}
	return make([]float64, len(list)), 1, nil // of no size: not known
}

// What an operation that is no run has called counts for the run of another process.
func TestQuotaOfOtherOperations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		rows := fleet(3, 2)
		w.source.Set(software, rows)
		planning := &meteredSource{Source: w.source, own: tvmexport.QuotaUsage{Calls: []tvmexport.CallCount{{At: time.Now(), Calls: 3}}}}
		w.Source = planning
		record, err := w.ShareQuota(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := record(t.Context()); err != nil {
			t.Fatal(err)
		}
		running := &meteredSource{Source: w.source}
		w.Source = running
		w.export(t)
		w.agrees(t, rows)
		if d := cmp.Diff([]tvmexport.QuotaUsage{planning.own}, running.others); d != "" {
			t.Errorf("the run begins with other calls:\n%s", d)
		}
		if _, err := w.ShareQuota(t.Context()); err != nil || len(running.others) == 0 {
			t.Errorf("the next operation begins with %v, %v", running.others, err)
		}
	})
}

// manyTables is a world of that many tables.
func manyTables(tables int, source func(*contract.Source) tvmexport.Source) world {
	w := newWorld(tvmexport.Snapshot, "")
	w.destination.List = nil
	for i := range tables {
		name := fmt.Sprintf("Table%d", i)
		w.source.Set(name, fleet(2, 40))
		w.destination.List = append(w.destination.List, tvmexport.Order{Table: name, Into: name + "Raw", Load: tvmexport.Snapshot, Active: true})
	}
	w.Describe = func(name string) (tvmexport.Table, bool) {
		return tvmexport.Table{Name: name, Key: tvmexport.Key{Column: "DeviceId"}}, strings.HasPrefix(name, "Table")
	}
	w.Source = source(w.source)
	return w
}

// Rows of all tables are measured by one call. If the source refuses, or does not
// measure a table, rows are fetched.
func TestPlanMeasuresTablesTogether(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		bubble(t, func(t *testing.T) {
			source := &meteredSource{refuses: refuses}
			w := manyTables(3, func(s *contract.Source) tvmexport.Source { source.Source = s; return source })
			plans, err := w.Plan(t.Context(), engine.Request{})
			if err != nil {
				t.Fatal(err)
			}
			spent := 0
			for _, p := range plans {
				if p.Err != nil || p.RowBytes <= 0 || p.Rows != 80 {
					t.Errorf("%s: %d rows of %.0f bytes, %v", p.Table.Name, p.Rows, p.RowBytes, p.Err)
				}
				spent += p.Spent
			}
			if d := cmp.Diff([]int{3}, source.measured); d != "" || source.fetched.Load() != 3 {
				t.Errorf("measured %v slices, fetched %d", source.measured, source.fetched.Load())
			}
			if spent < 5 { // schemas, counts, sizes, and a fetch for each table
				t.Errorf("the plan says that it has made %d calls", spent)
			}
		})
	}
}

// halfBlind is a source that reads the schemas of several tables by no call, and that of
// Table1 not at all.
type halfBlind struct {
	*contract.Source
	cause tvmexport.Cause
	asked atomic.Int64
}

func (s *halfBlind) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	s.asked.Add(1)
	if len(tables) > 1 || tables[0] == "Table1" {
		return nil, &tvmexport.Error{Op: "schema", Action: tvmexport.Stop, Cause: s.cause, Err: errors.New("cut")}
	}
	return s.Source.Schemas(ctx, tables)
}

// A schema that cannot be read fails its table, and no other one. What concerns all
// tables is not asked for again.
func TestSchemaOfOneTableFails(t *testing.T) {
	for _, tt := range []struct {
		cause  tvmexport.Cause
		failed string
	}{
		{tvmexport.Integrity, "Table1"},
		{tvmexport.Unknown, "Table1"},
		{tvmexport.Rejected, "Table1"},
		{tvmexport.Permission, "Table0 Table1 Table2"},
		{tvmexport.Quota, "Table0 Table1 Table2"},
	} {
		bubble(t, func(t *testing.T) {
			source := &halfBlind{cause: tt.cause}
			w := manyTables(3, func(s *contract.Source) tvmexport.Source { source.Source = s; return source })
			report, err := w.Run(t.Context(), engine.Request{})
			if err != nil {
				t.Fatal(err)
			}
			var failed []string
			for _, r := range report.Outcomes {
				if r.Err != nil {
					failed = append(failed, r.Table.Name)
				}
			}
			if d := cmp.Diff(tt.failed, strings.Join(failed, " ")); d != "" {
				t.Errorf("cause %d: %s", tt.cause, d)
			}
			if all := len(failed) == 3; all != (source.asked.Load() == 1) {
				t.Errorf("cause %d: asked %d times", tt.cause, source.asked.Load())
			}
		})
	}
}

// Endpoints of sources of single tables are shared; their other calls are not, and they
// do not learn of those of Source.
func TestQuotaOfEndpoints(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		calls := func(n int) []tvmexport.CallCount { return []tvmexport.CallCount{{At: time.Now(), Calls: n}} }
		first := &meteredSource{Source: w.source, own: tvmexport.QuotaUsage{Calls: calls(3)}}
		own := &meteredSource{Source: w.source, own: tvmexport.QuotaUsage{Calls: calls(4), Endpoints: map[string]tvmexport.QuotaUsage{"files": {Calls: calls(5)}}}}
		w.Source, w.Sources = first, map[string]tvmexport.Source{software: own, "Other": own}
		record, err := w.ShareQuota(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := record(t.Context()); err != nil {
			t.Fatal(err)
		}
		endpoints := own.own.Endpoints
		if _, err := w.ShareQuota(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]tvmexport.QuotaUsage{{Calls: calls(3), Endpoints: endpoints}}, first.others); d != "" {
			t.Errorf("Source begins with other calls:\n%s", d)
		}
		if d := cmp.Diff([]tvmexport.QuotaUsage{{Endpoints: endpoints}}, own.others); d != "" {
			t.Errorf("the source of a table begins with other calls:\n%s", d)
		}
		w.Source = nil
		if _, err := w.ShareQuota(t.Context()); err != nil || len(own.others) != 1 {
			t.Errorf("without Source it begins with %v, %v", own.others, err)
		}
	})
}
