package contract

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Corruption is how an answer of a service is corrupted.
type Corruption string

// The ways.
const (
	Cut        Corruption = "cut"        // rows are missing at its end, and it is well-formed
	Duplicated Corruption = "duplicated" // a row comes twice
	Reordered  Corruption = "reordered"  // the rows come in another order, all of them
)

// SourceHarness is a Source under test, with two tables that have rows: Table is
// a Snapshot with the key DeviceId, Events follows its column Timestamp.
type SourceHarness struct {
	Source tvmexport.CountingSource
	Table  tvmexport.Table
	Events tvmexport.Table
	// Rows are the rows that a table has now, read behind the source's back.
	// Equal rows have equal JSON; its form may differ from that of the source.
	Rows func(t *testing.T, table string) []Row
	// Change inserts rows into Table and removes others.
	Change func(t *testing.T)
	// Corrupt corrupts the next answer; "" takes back what was not applied yet.
	Corrupt func(t *testing.T, how Corruption)
	// Keeps says that the source answers from what it has read before, without a call.
	Keeps bool
}

// sourceCase is a story about one method of a source.
type sourceCase struct {
	method, name string
	story        func(t *testing.T, h SourceHarness)
}

func sourceContract() []sourceCase {
	out := slices.Concat(countCases, fetchCases)
	for _, c := range schemaCases {
		out = append(out, sourceCase{c.method, c.name, func(t *testing.T, h SourceHarness) {
			if h.Keeps { // it knows the columns of what it has read
				h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1})
				h.count(t, tvmexport.CountQuery{Table: h.Events, Depth: 1})
			}
			c.story(t, schemaHarness{h.Source, h.Table, h.Events})
		}})
	}
	return out
}

// jointContract is for a Source that is a tvmexport.JointCounter too.
func jointContract() []sourceCase { return jointCases }

// sizerContract is for a Source that is a tvmexport.RowSizer too.
func sizerContract() []sourceCase { return sizerCases }

// releaserContract is for a Source that is a tvmexport.Releaser too.
func releaserContract() []sourceCase { return releaserCases }

// meterContract is for a Source that is a tvmexport.Meter too.
func meterContract() []sourceCase { return meterCases }

// TestSource is the contract of tvmexport.CountingSource, and of tvmexport.Meter,
// tvmexport.JointCounter, tvmexport.RowSizer and tvmexport.Releaser where the source is one. Each story gets a harness of its own and calls the
// method that it is about.
func TestSource(t *testing.T, harness func(t *testing.T) SourceHarness) {
	cases := sourceContract()
	subject := harness(t).Source
	if _, ok := tvmexport.Ability[tvmexport.Meter](subject); ok {
		cases = append(cases, meterContract()...)
	}
	if _, ok := tvmexport.Ability[tvmexport.JointCounter](subject); ok {
		cases = append(cases, jointContract()...)
	}
	if _, ok := tvmexport.Ability[tvmexport.RowSizer](subject); ok {
		cases = append(cases, sizerContract()...)
	}
	if _, ok := tvmexport.Ability[tvmexport.Releaser](subject); ok {
		cases = append(cases, releaserContract()...)
	}
	report := &caseReport{of: subject}
	defer report.print(t)
	for _, c := range cases {
		t.Run(c.method+"/"+c.name, func(t *testing.T) {
			defer report.note(t, c.method)
			h := harness(t)
			calls := &sourceCalls{behind: h.Source}
			h.Source = calls
			c.story(t, h)
			if calls.of[c.method] == 0 && !t.Failed() && !t.Skipped() {
				t.Errorf("the case does not call %s", c.method)
			}
		})
	}
}

// sourceCalls counts, by method, what a Source is asked for. It is a tvmexport.Wrapper.
type sourceCalls struct {
	counter
	behind tvmexport.CountingSource
}

// Unwrap implements tvmexport.Wrapper.
func (c *sourceCalls) Unwrap() any { return c.behind }

// meter notes a call and returns the source, which is a Meter in the cases that use it.
func (c *sourceCalls) meter(method string) tvmexport.Meter {
	c.note(method)
	m, _ := tvmexport.Ability[tvmexport.Meter](c.behind)
	return m
}

func (c *sourceCalls) source(method string) tvmexport.CountingSource {
	c.note(method)
	return c.behind
}

func (c *sourceCalls) Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	return c.source("Count").Count(ctx, q)
}

func (c *sourceCalls) CountTables(ctx context.Context, list []tvmexport.CountQuery) []tvmexport.TableCounts {
	c.note("CountTables")
	joint, _ := tvmexport.Ability[tvmexport.JointCounter](c.behind)
	return joint.CountTables(ctx, list)
}

func (c *sourceCalls) RowSizes(ctx context.Context, list []tvmexport.Slice) ([]float64, int, error) {
	c.note("RowSizes")
	sizer, _ := tvmexport.Ability[tvmexport.RowSizer](c.behind)
	return sizer.RowSizes(ctx, list)
}

func (c *sourceCalls) Fetch(ctx context.Context, s tvmexport.Slice, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	return c.source("Fetch").Fetch(ctx, s, w)
}

func (c *sourceCalls) Columns(ctx context.Context, table string) ([]tvmexport.Column, error) {
	return c.source("Columns").Columns(ctx, table)
}

func (c *sourceCalls) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	return c.source("Schemas").Schemas(ctx, tables)
}

func (c *sourceCalls) Release(table string) {
	c.note("Release")
	r, _ := tvmexport.Ability[tvmexport.Releaser](c.behind)
	r.Release(table)
}

func (c *sourceCalls) Begin(others []tvmexport.QuotaUsage) { c.meter("Begin").Begin(others) }

func (c *sourceCalls) QuotaUsage() tvmexport.QuotaUsage { return c.meter("QuotaUsage").QuotaUsage() }

// count asks for a count and checks what holds for every answer.
func (h SourceHarness) count(t *testing.T, q tvmexport.CountQuery) tvmexport.Counts {
	t.Helper()
	counts, err := h.Source.Count(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if counts.Now.IsZero() || counts.Calls < 1 && !h.Keeps {
		t.Errorf("the count is of %s and cost %d calls; it says when it was made, and that it was a call", counts.Now, counts.Calls)
	}
	return counts
}

// byPart gives the rows of each part that has any.
func byPart(t *testing.T, counts tvmexport.Counts) map[tvmexport.Partition]int64 {
	t.Helper()
	out := map[tvmexport.Partition]int64{}
	for _, p := range counts.Parts {
		if _, twice := out[p.Partition]; twice || !p.Partition.Valid() {
			t.Errorf("the part %q comes twice or is none", p.Partition)
		}
		if p.Rows > 0 {
			out[p.Partition] = p.Rows
		}
	}
	return out
}

func byHour(t *testing.T, counts tvmexport.Counts) map[time.Time]int64 {
	t.Helper()
	out := map[time.Time]int64{}
	for _, p := range counts.Parts {
		if !p.Start.Equal(p.Start.Truncate(time.Hour)) {
			t.Errorf("the part that begins at %s is no hour", p.Start)
		}
		if p.Rows > 0 {
			out[p.Start.UTC()] += p.Rows
		}
	}
	return out
}

// partsOf counts rows by the partition of their key.
func partsOf(rows []Row, depth int, in tvmexport.Partition) map[tvmexport.Partition]int64 {
	out := map[tvmexport.Partition]int64{}
	for _, r := range rows {
		if in.Contains(r.Key) {
			out[tvmexport.Of(r.Key, depth)]++
		}
	}
	return out
}

// rowsOf gives the rows of a table, of which there must be some with different keys.
func (h SourceHarness) rowsOf(t *testing.T, table string) []Row {
	t.Helper()
	rows := h.Rows(t, table)
	if len(rows) < 2 {
		t.Fatalf("the harness gives %d rows of %s, too few for a case", len(rows), table)
	}
	return rows
}

// largest is the partition of depth 1 with the most rows.
func largest(rows []Row) tvmexport.Partition {
	best, most := tvmexport.Partition(""), int64(-1)
	for p, n := range partsOf(rows, 1, tvmexport.AllPartitions) {
		if n > most || n == most && p < best {
			best, most = p, n
		}
	}
	return best
}

// times are the moments of rows, in order, each once.
func times(rows []Row) []time.Time {
	var out []time.Time
	for _, r := range rows {
		if !r.Time.IsZero() {
			out = append(out, r.Time.UTC())
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}
