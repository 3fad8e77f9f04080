package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto"
	"github.com/tvmexport/tvmexport/kusto/reconcile"
)

func TestReconciledCode(t *testing.T) {
	same := kusto.Reconciled{}
	differs := kusto.Reconciled{Counts: reconcile.Counts{Devices: 1}}
	denied := kusto.Reconciled{Err: &tvmexport.Error{Cause: tvmexport.Permission, Err: errors.New("x")}}
	barred := kusto.Reconciled{Obstacles: []reconcile.Obstacle{{}}}
	for _, c := range []struct {
		name  string
		list  []kusto.Reconciled
		named bool
		want  int
	}{
		{"nothing differs", []kusto.Reconciled{same, same}, false, 0},
		{"one differs", []kusto.Reconciled{same, differs}, false, 3},
		{"all differ", []kusto.Reconciled{differs, differs}, true, 3},
		{"one cannot be compared", []kusto.Reconciled{same, barred}, false, 0},
		{"a difference next to it", []kusto.Reconciled{barred, differs}, false, 3},
		{"one that was named", []kusto.Reconciled{same, barred}, true, 3},
		{"none can be compared", []kusto.Reconciled{barred, barred}, false, 2},
		{"none that was named", []kusto.Reconciled{barred}, true, 2},
		{"no permission", []kusto.Reconciled{denied, denied}, false, 4},
		{"a mixture", []kusto.Reconciled{denied, same}, false, 3},
	} {
		if got := reconciledCode(c.list, c.named); got != c.want {
			t.Errorf("%s: exit code %d, want %d", c.name, got, c.want)
		}
	}
}

func TestReconciledNotes(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	side := func(hours int) kusto.Side {
		return kusto.Side{Table: "E", At: at, StateAt: at.Add(time.Duration(hours) * time.Hour)}
	}
	differs := reconcile.Counts{OnlyHunting: reconcile.Missing{Rows: 3, Devices: 2, Changed: 1}, OnlyExport: reconcile.Missing{Rows: 2, Devices: 1, Changed: 1}, Devices: 2}
	allChanged := reconcile.Counts{OnlyExport: reconcile.Missing{Rows: 2, Devices: 1, Changed: 2}, Devices: 1}
	unchanged := reconcile.Counts{OnlyHunting: reconcile.Missing{Rows: 3, Devices: 2}, Devices: 2}
	for _, c := range []struct {
		name string
		x    kusto.Reconciled
		want []string // in each note
	}{
		{"the same", kusto.Reconciled{Hunting: side(0), Exports: []kusto.Side{side(-6)}}, nil},
		{"far apart", kusto.Reconciled{Hunting: side(0), Exports: []kusto.Side{side(-6), side(-9)}}, []string{"9h apart"}},
		{"the export is far ahead", kusto.Reconciled{Hunting: side(-9), Exports: []kusto.Side{side(0)}}, []string{"9h apart"}},
		{"not recorded: by the commits", kusto.Reconciled{Hunting: kusto.Side{At: at}, Exports: []kusto.Side{{At: at.Add(25 * time.Hour)}}}, []string{"1d 1h apart"}},
		{"some changed", kusto.Reconciled{Hunting: side(0), Exports: []kusto.Side{side(-6)}, Counts: differs, Later: "L", Earlier: at}, []string{"2 rows of them changed in L .*; 3 did not: if they stay after the next run of both tables, one of the sources leaves them out"}},
		{"none changed", kusto.Reconciled{Hunting: side(0), Exports: []kusto.Side{side(-6)}, Counts: unchanged, Later: "L", Earlier: at}, []string{"0 rows of them changed in L .*; 3 did not"}},
		{"all changed", kusto.Reconciled{Hunting: side(0), Exports: []kusto.Side{side(-6)}, Counts: allChanged, Later: "L", Earlier: at}, []string{"all of them changed in L .*, which is no loss"}},
		{"not known", kusto.Reconciled{Hunting: side(0), Exports: []kusto.Side{side(-6)}, Counts: unchanged, Later: "L"}, []string{"no run of L shows it at the time"}},
		{"not onboarded", kusto.Reconciled{Hunting: side(0), Exports: []kusto.Side{side(0)}, Counts: reconcile.Counts{NotOnboarded: reconcile.Missing{Rows: 1, Devices: 1}}}, []string{"1 row of 1 device that"}},
	} {
		got := reconciledNotes(c.x)
		if len(got) != len(c.want) {
			t.Errorf("%s: %q", c.name, got)
			continue
		}
		for i, want := range c.want {
			before, after, _ := strings.Cut(want, ".*")
			if !strings.Contains(got[i], before) || !strings.Contains(got[i], after) {
				t.Errorf("%s: %q, want %q", c.name, got[i], want)
			}
		}
	}
}

func TestPairsNamed(t *testing.T) {
	for _, c := range []struct {
		tables []string
		want   int
		err    string
	}{
		{nil, 0, ""},
		{[]string{"DeviceTvmSoftwareInventory", "TvmSoftwareInventoryNonCpe", "TvmCertificates"}, 2, ""},
		{[]string{"TvmSoftwareVulnerabilityChanges"}, 0, "only one source has the table"},
		{[]string{"tvmcertificates"}, 0, "did you mean TvmCertificates?"},
	} {
		pairs, err := pairsNamed(c.tables)
		if len(pairs) != c.want || (c.err == "") != (err == nil) || err != nil && (!strings.Contains(err.Error(), c.err) || exitCode(err) != exitUsage) {
			t.Errorf("%q: %d pairs, %v", c.tables, len(pairs), err)
		}
	}
	if len(pairedTables()) != 2*len(catalog.Pairs())+1 {
		t.Errorf("%q", pairedTables())
	}
}
