package tenant_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// Columns that are not needed do not change those that are.
func TestNeed(t *testing.T) {
	c := tenant.New(options(12, 5)).Catalog()
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range the17() {
		r := relation(t, c, name)
		columns := columnsOf(r)
		var all [][]value.Value
		for row, err := range r.Scan(t.Context(), kql.Request{}) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, slices.Clone(row))
		}
		var got, want []byte
		for range 3 {
			need := make([]bool, len(columns))
			for i := range need {
				need[i] = random.IntN(4) == 0
			}
			n := 0
			for row, err := range r.Scan(t.Context(), kql.Request{Need: need}) {
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range row {
					if v.Kind() != columns[i].Kind {
						t.Fatalf("%s row %d: %s is a %s", name, n, columns[i].Name, v.Kind())
					}
					if !need[i] {
						continue
					}
					if got, want = appendLine(got[:0], row[i:i+1]), appendLine(want[:0], all[n][i:i+1]); !bytes.Equal(got, want) {
						t.Fatalf("%s row %d: %s = %s, want %s", name, n, columns[i].Name, v, all[n][i])
					}
				}
				n++
			}
			if n != len(all) {
				t.Fatalf("%s: %d rows, want %d", name, n, len(all))
			}
		}
		n := 0
		for range r.Scan(t.Context(), kql.Request{Need: make([]bool, len(columns))}) {
			n++
		}
		if n != len(all) {
			t.Errorf("%s: counted %d rows, want %d", name, n, len(all))
		}
	}
}

// satisfies says whether row meets all conditions, told by their definition.
func satisfies(row []value.Value, where []kql.Condition) bool {
	for _, w := range where {
		v := row[w.Column]
		switch {
		case w.Prefixes != nil:
			if !slices.ContainsFunc(w.Prefixes, func(p string) bool { return strings.HasPrefix(v.Text(), p) }) {
				return false
			}
		case v.IsNull():
			return false
		default:
			if w.From.Kind() != 0 && value.Compare(v, w.From) < 0 || w.To.Kind() != 0 && value.Compare(v, w.To) > 0 {
				return false
			}
		}
	}
	return true
}

// condition returns a condition on a column that some of rows satisfy.
func condition(random *rand.Rand, columns []value.Column, rows [][]value.Value) (kql.Condition, bool) {
	at := random.IntN(len(columns))
	one := func() value.Value { return rows[random.IntN(len(rows))][at] }
	w := kql.Condition{Column: at}
	switch columns[at].Kind {
	case value.String:
		w.Prefixes = []string{}
		for range random.IntN(5) {
			s := one().Text()
			if n := len(s); n > 0 && random.IntN(3) > 0 {
				s = s[:1+random.IntN(min(n, 6))]
			}
			w.Prefixes = append(w.Prefixes, s)
		}
	case value.DateTime, value.Real, value.Long, value.Int:
		if v := one(); random.IntN(4) > 0 && !v.IsNull() {
			w.From = v
		}
		if v := one(); random.IntN(4) > 0 && !v.IsNull() {
			w.To = v
		}
		if w.From.Kind() == 0 && w.To.Kind() == 0 {
			return w, false // bounds nothing, so what is null passes too
		}
	default:
		return w, false
	}
	return w, true
}

// A scan with conditions returns every row of the whole scan that satisfies them,
// in the same order.
func TestWhere(t *testing.T) {
	x := tenant.New(options(30, 11))
	x.Advance(2)
	c := x.Catalog()
	random := rand.New(rand.NewPCG(3, 4))
	for _, name := range the17() {
		r := relation(t, c, name)
		columns := columnsOf(r)
		var all [][]value.Value
		var lines []string
		for row, err := range r.Scan(t.Context(), kql.Request{}) {
			if err != nil {
				t.Fatal(err)
			}
			all, lines = append(all, slices.Clone(row)), append(lines, line(row))
		}
		for range 8 {
			var where []kql.Condition
			for range 1 + random.IntN(2) {
				if w, ok := condition(random, columns, all); ok {
					where = append(where, w)
				}
			}
			var want, got []string
			for i, row := range all {
				if satisfies(row, where) {
					want = append(want, lines[i])
				}
			}
			for row, err := range r.Scan(t.Context(), kql.Request{Where: where}) {
				if err != nil {
					t.Fatal(err)
				}
				if satisfies(row, where) {
					got = append(got, line(row))
				}
			}
			if !slices.Equal(want, got) {
				t.Fatalf("%s under %+v: %d rows, want %d", name, where, len(got), len(want))
			}
		}
	}
}

// skips are conditions that must keep rows from being made at all.
func TestWhereSkips(t *testing.T) {
	x := tenant.New(documented(60, 11))
	c := x.Catalog()
	edge := value.NewDateTime(x.Edge())
	hour := value.DateTimeFromTicks(edge.Ticks() - value.TicksPerHour)
	for _, test := range []struct {
		name, column string
		where        kql.Condition
	}{
		{vulnerabilities, "DeviceId", kql.Condition{Prefixes: []string{"3", "a7"}}},
		{vulnerabilities, "CveId", kql.Condition{Prefixes: []string{"CVE-2026-4"}}},
		{vulnerabilities, "SoftwareName", kql.Condition{Prefixes: []string{"windows_1", "office"}}},
		{"DeviceTvmSoftwareInventory", "DeviceId", kql.Condition{Prefixes: []string{"f"}}},
		{"DeviceTvmSoftwareInventory", "SoftwareVendor", kql.Condition{Prefixes: []string{"microsoft"}}},
		{"DeviceTvmCertificateInfo", "DeviceId", kql.Condition{Prefixes: []string{"0", "1"}}},
		{assessment, "ConfigurationId", kql.Condition{Prefixes: []string{"scid-1"}}},
		{assessment, "Timestamp", kql.Condition{From: value.DateTimeFromTicks(edge.Ticks() - 3*value.TicksPerDay)}},
		{kb, "CveId", kql.Condition{Prefixes: []string{"CVE-2014-1", "CVE-1999"}}},
		{"DeviceProcessEvents", "Timestamp", kql.Condition{From: hour}},
		{"DeviceProcessEvents", "Timestamp", kql.Condition{From: edge}},
		{"DeviceNetworkEvents", "Timestamp", kql.Condition{From: hour, To: edge}},
		{"DeviceInfo", "DeviceId", kql.Condition{Prefixes: []string{"3"}}},
	} {
		r := relation(t, c, test.name)
		test.where.Column = columnAt(t, r, test.column)
		where := []kql.Condition{test.where}
		scanned, wanted := 0, 0
		for row := range r.Scan(t.Context(), kql.Request{Where: where}) {
			scanned++
			if satisfies(row, where) {
				wanted++
			}
		}
		if scanned != wanted {
			t.Errorf("%s by %s: %d rows for the %d that are wanted", test.name, test.column, scanned, wanted)
		}
		none := test.where.From.Kind() == value.DateTime && value.Equal(test.where.From, edge)
		if (wanted == 0) != none {
			t.Errorf("%s by %s: %d rows", test.name, test.column, wanted)
		}
	}
}

// Conditions on the ingestion time bound the days that are generated.
func TestWhereIngested(t *testing.T) {
	x := tenant.New(options(20, 2))
	r := relation(t, x.Catalog(), "DeviceProcessEvents")
	at := columnAt(t, r, kql.HiddenIngestionTime)
	edge := value.NewDateTime(x.Edge()).Ticks()
	where := []kql.Condition{{Column: at, From: value.DateTimeFromTicks(edge - value.TicksPerHour), To: value.DateTimeFromTicks(edge)}}
	count := func(q kql.Request) (all int, rows []string) {
		for row, err := range r.Scan(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			if all++; satisfies(row, where) {
				rows = append(rows, line(row))
			}
		}
		return all, rows
	}
	_, want := count(kql.Request{})
	scanned, got := count(kql.Request{Where: where})
	if d := cmp.Diff(want, got); d != "" || len(want) == 0 {
		t.Errorf("%d rows, want %d:\n%s", len(got), len(want), d)
	}
	if scanned > 2*len(want)+20 {
		t.Errorf("%d rows for the %d that are wanted", scanned, len(want))
	}
}
