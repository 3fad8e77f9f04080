package tenant_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

var start = time.Date(2026, 11, 23, 10, 20, 30, 0, time.UTC)

// options are those of a tenant small enough to be read whole: few devices,
// few known CVEs, few days of events.
func options(devices int, seed uint64) tenant.Options {
	return tenant.Options{
		Devices: devices, Seed: seed, Start: start, RetentionDays: 3, CVEs: 2_000,
		Clock: func() time.Time { return start.Add(time.Minute) },
	}
}

// known are options with as many known CVEs as to give each device some.
func known(devices int, seed uint64) tenant.Options {
	o := options(devices, seed)
	o.CVEs = 20_000
	return o
}

// documented are options with as many known CVEs as a real tenant has, for what
// depends on their number: the size of the knowledge base, rows per device.
func documented(devices int, seed uint64) tenant.Options {
	o := options(devices, seed)
	o.CVEs = tenant.LibrarySize
	return o
}

// the17 returns the tables without the knowledge base of CVEs, which is large.
func the17() []string {
	return slices.DeleteFunc(tenant.TableNames(), func(n string) bool { return n == kb })
}

const (
	kb              = "DeviceTvmSoftwareVulnerabilitiesKB"
	vulnerabilities = "DeviceTvmSoftwareVulnerabilities"
	assessment      = "DeviceTvmSecureConfigurationAssessment"
)

func relation(t testing.TB, c kql.Catalog, name string) kql.Relation {
	t.Helper()
	r, ok := c.Table("", name)
	if !ok {
		t.Fatalf("no table %s", name)
	}
	return r
}

// columnsOf are the visible columns of r, then the hidden ones.
func columnsOf(r kql.Relation) []value.Column { return slices.Concat(r.Columns(), r.Hidden()) }

// columnAt is the place of a column.
func columnAt(t testing.TB, r kql.Relation, name string) int {
	t.Helper()
	i := slices.IndexFunc(columnsOf(r), func(c value.Column) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no column %s", name)
	}
	return i
}

// line is a row as text; values that differ in any way have different text.
func line(row []value.Value) string { return string(appendLine(make([]byte, 0, 1024), row)) }

func appendLine(b []byte, row []value.Value) []byte {
	for _, v := range row {
		b = append(b, 'a'+byte(v.Kind()))
		b = v.AppendJSON(b)
		b = append(b, '\n')
	}
	return b
}

// read is the rows of a table as text, by what follows from each of them.
func read(t testing.TB, c kql.Catalog, name string, q kql.Request) []string {
	t.Helper()
	var rows []string
	for row, err := range relation(t, c, name).Scan(t.Context(), q) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows = append(rows, line(row))
	}
	return rows
}

// fingerprint returns a hash of the rows of a table in their order. It omits rows
// only of the large kb.
func fingerprint(t testing.TB, c kql.Catalog, name string) string {
	t.Helper()
	h := sha256.New()
	var q kql.Request
	if name == kb { // A part will do.
		q.Where = []kql.Condition{{Prefixes: []string{"CVE-2005", "CVE-2026-2"}}}
	}
	var b []byte
	for row, err := range relation(t, c, name).Scan(t.Context(), q) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b = appendLine(b[:0], row)
		h.Write(b)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// The columns are those of the documentation pages, in their order, and the
// additional ones of live tenants: testdata/schema.txt.
func TestSchema(t *testing.T) {
	want, err := os.ReadFile("testdata/schema.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	c := tenant.New(options(1, 1)).Catalog()
	for _, name := range c.Tables("") {
		fmt.Fprintln(&got, name)
		for _, column := range relation(t, c, name).Columns() {
			fmt.Fprintf(&got, "\t%s %s\n", column.Name, column.Kind)
		}
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("schema (-documented +tenant):\n%s", d)
	}
}

func TestHidden(t *testing.T) {
	c := tenant.New(options(1, 1)).Catalog()
	for _, name := range c.Tables("") {
		want := []value.Column{{Name: "$IngestionTime", Kind: value.DateTime}}
		if strings.HasPrefix(name, "DeviceTvm") || strings.HasPrefix(name, "DeviceBaseline") {
			want = nil
		}
		if d := cmp.Diff(want, relation(t, c, name).Hidden()); d != "" {
			t.Errorf("%s: hidden columns (-want +got):\n%s", name, d)
		}
	}
}

// With TVMIngestionTime every table says when its rows were ingested: those of current
// state, when the day began. The rows are the same.
func TestTVMIngestionTime(t *testing.T) {
	o := options(3, 1)
	o.CVEs = 100
	plain := tenant.New(o)
	o.TVMIngestionTime = true
	timed := tenant.New(o)
	for _, x := range []*tenant.Tenant{plain, timed} {
		if _, err := x.Drift(vulnerabilities, tenant.Drift{Drop: "CveTags"}); err != nil {
			t.Fatal(err)
		}
		x.Advance(2)
	}
	answers := func(x *tenant.Tenant, query string) []string {
		t.Helper()
		q, err := kql.Compile(query, kql.Environment{Catalog: x.Catalog(), Now: x.Now()})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for row, err := range q.Statements[0].Rows(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			line := ""
			for _, v := range row {
				line += v.String() + "|"
			}
			lines = append(lines, line)
		}
		return lines
	}
	day := o.Start.AddDate(0, 0, 2).UTC().Format("2006-01-02T15:04:05.0000000Z")
	for _, name := range plain.Catalog().Tables("") {
		if !strings.HasPrefix(name, "DeviceTvm") && !strings.HasPrefix(name, "DeviceBaseline") {
			continue
		}
		if d := cmp.Diff(answers(plain, name), answers(timed, name)); d != "" {
			t.Errorf("%s: rows without and with a time of ingestion differ:\n%s", name, d)
		}
		if got := answers(plain, name+" | summarize countif(isnotnull(ingestion_time()))"); got[0] != "0|" {
			t.Errorf("%s: %s rows have a time of ingestion, want none", name, got)
		}
		if got := answers(timed, name+" | distinct t = ingestion_time()"); len(got) != 1 || got[0] != day+"|" {
			t.Errorf("%s: times of ingestion %q, want %q", name, got, day)
		}
		for query, want := range map[string]string{
			" | where ingestion_time() > datetime(" + day + ") | count": "0|",
			" | count": answers(plain, name+" | count")[0],
			" | where ingestion_time() >= datetime(" + day + ") | count": answers(plain, name+" | count")[0],
		} {
			if got := answers(timed, name+query); got[0] != want {
				t.Errorf("%s%s = %s, want %s", name, query, got[0], want)
			}
		}
	}
}

func TestCatalog(t *testing.T) {
	c := tenant.New(options(1, 1)).Catalog()
	if n := len(c.Tables("")); n != 18 {
		t.Errorf("%d tables, want 18", n)
	}
	for _, unknown := range [][2]string{{"", "devicetvmsoftwareinventory"}, {"", ""}, {"", "DeviceEvents"}, {"other", vulnerabilities}} {
		if _, ok := c.Table(unknown[0], unknown[1]); ok {
			t.Errorf("Table(%q, %q) exists", unknown[0], unknown[1])
		}
	}
	if _, ok := c.Function("", "DeviceFromIP"); ok {
		t.Error("a function exists")
	}
	if got := c.Tables("other"); got != nil {
		t.Errorf("Tables of another database = %v", got)
	}
}

func TestSameSeedSameRows(t *testing.T) {
	o := options(50, 7)
	o.RetentionDays = 1
	a, b := tenant.New(o), tenant.New(o)
	o.Seed = 8
	c, other := tenant.New(o).Catalog(), map[string]string{}
	for _, name := range tenant.TableNames() {
		other[name] = fingerprint(t, c, name)
	}
	for range 2 {
		for _, name := range tenant.TableNames() {
			got := fingerprint(t, a.Catalog(), name)
			if got != fingerprint(t, b.Catalog(), name) {
				t.Errorf("%s: two tenants of one seed differ", name)
			}
			// The facts that are gathered are the same in every tenant.
			if same := got == other[name]; same != (name == "DeviceTvmInfoGatheringKB") {
				t.Errorf("%s: same rows under another seed: %v", name, same)
			}
		}
		for _, x := range []*tenant.Tenant{a, b} {
			x.Advance(2)
			x.Move(0.1)
			x.Advance(1)
		}
	}
}

// Every value is of its column's kind, and text is text.
func TestKinds(t *testing.T) {
	o := options(70, 3)
	o.RetentionDays = 1
	x := tenant.New(o)
	x.Advance(3)
	c := x.Catalog()
	for _, name := range the17() {
		r := relation(t, c, name)
		columns := columnsOf(r)
		for row, err := range r.Scan(t.Context(), kql.Request{}) {
			if err != nil {
				t.Fatal(err)
			}
			if len(row) != len(columns) {
				t.Fatalf("%s: %d values for %d columns", name, len(row), len(columns))
			}
			for i, v := range row {
				if v.Kind() != columns[i].Kind {
					t.Fatalf("%s.%s: a %s, want %s", name, columns[i].Name, v.Kind(), columns[i].Kind)
				}
				text := string(v.AppendJSON(nil))
				if _, err := value.ParseDynamic(text); err != nil || strings.ToValidUTF8(text, "") != text {
					t.Fatalf("%s.%s: bad text %q", name, columns[i].Name, text)
				}
			}
		}
	}
}

func TestScanEnds(t *testing.T) {
	c := tenant.New(options(20, 1)).Catalog()
	for _, name := range tenant.TableNames() {
		r := relation(t, c, name)
		n := 0
		for range r.Scan(t.Context(), kql.Request{}) {
			if n++; n == 4 {
				break
			}
		}
		if n != 4 {
			t.Errorf("%s: %d rows before the break, want 4", name, n)
		}

		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(context.DeadlineExceeded)
		var got error
		n = 0
		for row, err := range r.Scan(ctx, kql.Request{}) {
			if n++; row != nil || n > 1 {
				t.Errorf("%s: rows after the context ended", name)
				break
			}
			got = err
		}
		if got != context.DeadlineExceeded {
			t.Errorf("%s: error %v, want the context's cause", name, got)
		}
	}
}

// A long scan stops soon after its context has ended.
func TestScanCancelled(t *testing.T) {
	c := tenant.New(known(200, 1)).Catalog()
	for _, name := range []string{kb, vulnerabilities, "DeviceProcessEvents"} {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		var last error
		for _, err := range relation(t, c, name).Scan(ctx, kql.Request{Need: []bool{}}) {
			if n++; n == 1000 {
				cancel()
			}
			last = err
		}
		cancel()
		if last != context.Canceled || n > 10_000 {
			t.Errorf("%s: %d rows, error %v; want few and the context's", name, n, last)
		}
	}
}
