package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// Parts are what a reconciler is made with.
type Parts struct {
	Conn    *conn.Conn
	Visible *visibility.Checker
	Reports *ledger.Reports
	Prefix  string // before the names of read functions
}

// Reconciler compares tables that both sources have. It writes nothing and is safe for
// concurrent use.
type Reconciler struct{ parts Parts }

// New makes it. Nothing is sent before the first call.
func New(p Parts) *Reconciler { return &Reconciler{p} }

// Question says what is compared.
type Question struct {
	Pairs   []catalog.Pair // nil: those of which a table is active
	Devices int            // that are listed of each pair at most
	Policy  func(table string) tvmexport.ColumnPolicy
}

// Result is what was found of one pair.
type Result struct {
	Pair      catalog.Pair
	Obstacles []Obstacle // why it was not compared; nil if it was
	Err       error      // why the comparison failed

	Hunting Side
	Exports []Side // in the order of Pair.Exports
	Counts  Counts
	Devices []Device // with the most rows that only one side has
	Query   string   // that shows the rows of the first of Devices; "" if there is none

	Later   string    // table of the side that was read later
	Earlier time.Time // of the run that shows the later side at the time of the other one; zero: there is none, and Changed is 0
}

// Counts are numbers of rows with different keys, and of devices.
type Counts struct {
	Hunting, Export         int64 // rows of each side
	OnlyHunting, OnlyExport Missing
	NotOnboarded            Missing // rows that only the export has, of devices that are not onboarded; they are not among OnlyExport
	Devices                 int64   // of which one side has rows that the other one lacks
}

// Missing are the rows that one side has and the other one lacks.
type Missing struct {
	Rows, Devices int64
	Changed       int64 // rows of them in which the later side changed between the times of both
}

// Device is a device of which one side has rows that the other one lacks.
type Device struct {
	ID                      string // in lower case
	OnlyHunting, OnlyExport int64
	Changed                 int64 // see [Missing]
}

// Reconcile compares the states that readers see since the last commits. The result of a
// pair says why that one was not compared.
func (r *Reconciler) Reconcile(ctx context.Context, q Question) ([]Result, error) {
	status, err := r.parts.Reports.Status(ctx)
	if err != nil {
		return nil, err
	}
	if status.Newer != nil {
		return nil, status.Newer
	}
	inv, err := r.parts.Conn.Schema(ctx, op, false)
	if err != nil {
		return nil, err
	}
	k := known{tables: map[string]ledger.TableStatus{}, functions: inv.Functions, prefix: r.parts.Prefix, policy: q.Policy}
	for _, t := range status.Tables {
		k.tables[t.Order.Table] = t
	}
	pairs := q.Pairs
	if pairs == nil {
		pairs = slices.DeleteFunc(catalog.Pairs(), func(p catalog.Pair) bool { return !k.isActive(p) })
	}
	out := make([]Result, len(pairs))
	for i, p := range pairs {
		out[i] = Result{Pair: p, Obstacles: k.obstacles(p)}
		if out[i].Obstacles == nil {
			out[i].Hunting, out[i].Exports = k.sides(p)
		}
	}
	earlier, err := r.earlier(ctx, out)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Obstacles == nil {
			out[i].Err = r.compare(ctx, &out[i], k, earlier, q.Devices)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return out, nil
}

// op is the step that errors name.
const op = "reconcile"

func (k known) isActive(p catalog.Pair) bool {
	return slices.ContainsFunc(p.Tables(), func(table string) bool { return k.tables[table].Order.Active })
}

// sides are the newest states of a pair.
func (k known) sides(p catalog.Pair) (hunting Side, exports []Side) {
	side := func(table string) Side {
		last := k.tables[table].Last
		return Side{Table: table, At: last.At, StateAt: last.StateAt}
	}
	for _, table := range p.Exports {
		exports = append(exports, side(table))
	}
	return side(p.Hunting), exports
}

// laterTables are the tables of the side that was read later, and the time of the other
// side.
func (x Result) laterTables() (tables []string, since time.Time) {
	if later(x.Hunting, x.Exports) {
		return []string{x.Hunting.Table}, oldest(x.Exports)
	}
	return x.Pair.Exports, x.Hunting.Time()
}

// earlier reads, by table, when the newest run was committed whose state is not later
// than the other side, for all pairs at once.
func (r *Reconciler) earlier(ctx context.Context, list []Result) (map[string]time.Time, error) {
	until := map[string]time.Time{}
	for _, x := range list {
		if x.Obstacles != nil {
			continue
		}
		tables, since := x.laterTables()
		for _, table := range tables {
			until[table] = since
		}
	}
	if len(until) == 0 {
		return nil, nil
	}
	s := conn.Statement{Op: op, Text: earlierText(until)}
	rows, err := r.parts.Conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	out := map[string]time.Time{}
	_, err = conn.ReadRows(s, rows, func(row *conn.Reader) struct{} {
		out[row.Text("Table")] = row.Time("At")
		return struct{}{}
	})
	return out, err
}

// earlierText asks for the newest commit of each table whose state is not later than a
// time.
func earlierText(until map[string]time.Time) string {
	var rows []string
	for _, table := range slices.Sorted(maps.Keys(until)) {
		rows = append(rows, fmt.Sprintf("    %s, %s", kql.Literal(table), kql.Datetime(until[table])))
	}
	return fmt.Sprintf(`datatable (Table:string, Until:datetime) [
%s]
| join kind=inner (%s | where State == %s | project Table, At, StateAt = coalesce(todatetime(Detail.stateAt), At)) on Table
| where StateAt <= Until
| summarize At = max(At) by Table`, strings.Join(rows, ",\n"), kql.RunsTable, kql.Literal(kql.CommittedState))
}

// compare asks for the rows that only one side of a pair has. Where rows of the earlier
// state are gone, it does without them.
func (r *Reconciler) compare(ctx context.Context, x *Result, k known, earlier map[string]time.Time, devices int) error {
	for _, table := range x.Pair.Tables() {
		s := k.tables[table]
		if err := r.parts.Visible.SeesAll(ctx, op, table, s.Order.Into, tvmexport.Table{Name: table}.Typed()); err != nil {
			return err
		}
	}
	c := comparison{pair: x.Pair, prefix: k.prefix, hunting: x.Hunting, exports: x.Exports, devices: devices}
	tables, _ := x.laterTables()
	x.Later = tables[0]
	for _, table := range tables {
		if at, ok := earlier[table]; ok {
			c.earlier = append(c.earlier, Side{Table: table, At: at})
		}
	}
	if len(c.earlier) != len(tables) {
		c.earlier = nil
	}
	err := r.count(ctx, x, c)
	if len(c.earlier) > 0 && err != nil && tvmexport.CauseOf(err) == tvmexport.Rejected {
		c.earlier = nil
		err = r.count(ctx, x, c)
	}
	if err != nil {
		return withHint(err)
	}
	if len(c.earlier) > 0 {
		x.Earlier = c.earlier[0].At
	}
	if len(x.Devices) > 0 {
		x.Query = c.rowsText(x.Devices[0].ID)
	}
	return nil
}

// withHint adds what to do to a refusal of the service: rows of a state are gone, which
// its function does not answer without.
func withHint(err error) error {
	var e *tvmexport.Error
	if errors.As(err, &e) && e.Cause == tvmexport.Rejected && e.Hint == "" {
		e.Hint = "tvmexport verify compares the published rows with their source, and tvmexport run restores lost rows"
	}
	return err
}

// count reads the answer to a comparison.
func (r *Reconciler) count(ctx context.Context, x *Result, c comparison) error {
	s := conn.Statement{Op: op, Table: c.pair.Hunting, Text: c.countsText(), Scans: true}
	rows, err := r.parts.Conn.Query(ctx, s)
	if err != nil {
		return err
	}
	totals := 0
	var devices []Device
	_, err = conn.ReadRows(s, rows, func(row *conn.Reader) struct{} {
		if row.Flag("Total") {
			totals++
			x.Counts = readCounts(row)
			return struct{}{}
		}
		devices = append(devices, Device{
			ID: row.Text("DeviceId"), OnlyHunting: row.Count("OnlyHunting"), OnlyExport: row.Count("OnlyExport"),
			Changed: row.Count("ChangedHunting") + row.Count("ChangedExport"),
		})
		return struct{}{}
	})
	if err == nil && totals != 1 {
		err = conn.RefusedError(op, c.pair.Hunting, errors.New("the answer of the service has no totals"), "")
	}
	x.Devices = devices
	return err
}

func readCounts(row *conn.Reader) Counts {
	return Counts{
		Hunting: row.Long("HuntingRows"), Export: row.Long("ExportRows"),
		OnlyHunting:  Missing{row.Long("OnlyHunting"), row.Long("HuntingDevices"), row.Long("ChangedHunting")},
		OnlyExport:   Missing{row.Long("OnlyExport"), row.Long("ExportDevices"), row.Long("ChangedExport")},
		NotOnboarded: Missing{row.Long("NotOnboarded"), row.Long("NotOnboardedDevices"), 0},
		Devices:      row.Long("DifferentDevices"),
	}
}
