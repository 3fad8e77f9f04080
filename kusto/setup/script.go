package setup

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/policy"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// CommandKind says what a command makes.
type CommandKind string

// The kinds of commands, in the order in which a script needs them.
const (
	MakeTable    CommandKind = "table"
	MakePolicy   CommandKind = "policy"
	MakeMapping  CommandKind = "mapping"
	MakeFunction CommandKind = "function"
	MakeRows     CommandKind = "rows"
	DropFunction CommandKind = "removed function" // of ours, which is not wanted any more
)

// Command is one management command of the set-up.
type Command struct {
	Kind   CommandKind
	Name   string // of what is made; policies and mappings by their kind or name
	Table  string // that a mapping, a policy or rows belong to; "" else
	Why    string // one line for people
	Text   string
	update string   // the same for an existing function of ours; "" if it does not change
	again  string   // the same in a form that can be repeated; "": Text can be
	does   string   // of a function: its parameters and its body
	calls  []string // the functions that a function calls
	doc    string   // of a function
	stays  bool     // of a function: what is there does the same in other words

	columns  []kql.Column      // of a table
	paths    []kql.MappingPath // of a mapping
	keep     time.Duration     // of a policy: how long
	policy   string            // of a policy: its document; "" where keep or Text says it
	optional bool              // where it is not allowed, the rest works without it
}

// Options are the choices an installation has.
type Options struct {
	FunctionPrefix string // before the names of the read functions
	Enriched       bool   // there is a function that shows the vulnerabilities of hunting with columns of the export

	Policy func(table string) tvmexport.ColumnPolicy // of any table; nil: all columns are published

	RawRetention   time.Duration // how long Raw tables keep rows; 0 is DefaultRawRetention
	TypedRetention time.Duration // how long typed tables keep rows; 0 is DefaultTypedRetention
	Hot            time.Duration // how long rows stay in the cluster's cache; 0 is DefaultHot
}

// What tables keep where nothing else is asked for: records as long as Defender
// keeps events, history for a year, the last month of it at hand.
const (
	DefaultRawRetention   = 30 * 24 * time.Hour
	DefaultTypedRetention = 365 * 24 * time.Hour
	DefaultHot            = 31 * 24 * time.Hour
)

func (o Options) withDefaults() Options {
	o.RawRetention = cmp.Or(o.RawRetention, DefaultRawRetention)
	o.TypedRetention = cmp.Or(o.TypedRetention, DefaultTypedRetention)
	o.Hot = cmp.Or(o.Hot, DefaultHot)
	return o
}

// Retention of what is ours.
const (
	landingKeeps     = 14 * 24 * time.Hour
	landingRetention = "softdelete = 14d recoverability = disabled"
	ledgerRetention  = "softdelete = 36500d recoverability = enabled"
)

// Script is everything that an empty database needs for the tables, one
// command each, in order. A principal with the database roles user and
// ingestor can run it, since it becomes the administrator of each table it creates.
func Script(tables []tvmexport.Table, o Options) ([]Command, error) {
	return script(tables, o, conn.Schema{}, nil)
}

// script is Script for a database with the schema inv, some tables of which lack runs.
func script(tables []tvmexport.Table, o Options, inv conn.Schema, lacks map[string]views.MissingRuns) ([]Command, error) {
	existing := inv.Shapes()
	if o.FunctionPrefix != "" {
		if err := tvmexport.CheckIdentifier("functions.prefix", o.FunctionPrefix); err != nil {
			return nil, conn.UsageError("init", "", err)
		}
	}
	o = o.withDefaults()
	out := control()
	for _, t := range tables {
		if err := conn.CheckNames(t); err != nil {
			return nil, err
		}
		out = append(out, ofTable(t, o, existing)...)
	}
	for _, t := range tables {
		out = append(out, functionsOf(t, o, existing, lacks[t.Name])...)
	}
	out = append(out, enriched(tables, o, inv)...)
	if len(tables) > 0 {
		rows := Command{
			Kind: MakeRows, Name: kql.ConfigurationTable, Table: kql.ConfigurationTable,
			Why: "a configuration row for each table that has none", Text: ledger.SeedText(tables, kql.ConfigurationColumns),
		}
		if have, ok := existing[kql.ConfigurationTable]; ok {
			rows.Text = ledger.SeedText(tables, have)
		} else {
			rows.again = ledger.SeedAnyText(tables)
		}
		out = append(out, rows)
	}
	return out, nil
}

// control makes what all tables share.
func control() []Command {
	var out []Command
	for _, c := range []struct {
		table, why string
		columns    []kql.Column
	}{
		{kql.ConfigurationTable, "which tables are exported, how, and how far", kql.ConfigurationColumns},
		{kql.AuditTable, "one row for each table and run: TableName is its destination table, Timestamp the end of the run, RecordCount the rows that the run published", kql.AuditColumns},
		{kql.RunsTable, "the ledger: a run counts when its row says committed", kql.RunsColumns},
		{kql.PartitionsTable, "the ledger's partitions", kql.PartitionsColumns},
	} {
		kept := retention(c.table, ledgerRetention, "kept for good")
		kept.keep = policy.Unlimited
		table := TableCommand(c.table, c.columns, c.why)
		if isShared(c.table) {
			table = sharedTable(c.table, c.columns, c.why)
		}
		out = append(out, table, kept)
	}
	return append(out, latestView())
}

// latestView makes the view of the configuration. One that is there stays as it is,
// regardless of who made it.
func latestView() Command {
	view := makeFunction(views.Latest(), "the newest configuration of each table, for people")
	view.update = ""
	return view
}

// ofTable makes what one table needs.
func ofTable(t tvmexport.Table, o Options, existing map[string][]kql.Column) []Command {
	var out []Command
	if t.Layout.Raw() || !views.IsTyped(t) {
		out = append(out,
			sharedTable(t.Destination, kql.RawColumns, "published rows of "+t.Name+" as they came"),
			mapping(t.Destination, kql.RecordsMapping, kql.RecordsPaths, "for others that ingest into it; publishing does not need it"))
		out = append(out, o.policies(t.Destination, o.RawRetention)...)
	}
	if views.IsTyped(t) {
		out = append(out, makeTyped(t, existing))
		out = append(out, o.policies(t.Typed(), o.TypedRetention)...)
	}
	landing := t.Landing()
	return append(out,
		TableCommand(landing, kql.LandingColumns, "where queued ingestion delivers; nobody reads it but tvmexport"),
		retention(landing, landingRetention, "what was published is not needed any more"),
		Command{
			Kind: MakePolicy, Name: "ingestionbatching", Table: landing, Why: "rows land within half a minute", policy: kql.LandingBatching,
			Text: fmt.Sprintf(".alter table %s policy ingestionbatching %s", kql.Ident(landing), kql.Literal(kql.LandingBatching)),
		},
		mapping(landing, kql.LandingMapping, kql.LandingPaths, "the envelope that batches come in"),
	)
}

// makeTyped makes the typed table, or gives it the columns that it lacks.
func makeTyped(t tvmexport.Table, existing map[string][]kql.Column) Command {
	columns := views.TypedColumns(t.Visible())
	if have, ok := existing[t.Typed()]; ok {
		columns = slices.Clone(views.LineageColumns)
		for _, h := range views.Holdings(have, t.Visible()) {
			columns = append(columns, kql.Column{Name: h.At, Kind: h.Type})
		}
	}
	return TableCommand(t.Typed(), columns, "published rows of "+t.Name+" in Defender's columns")
}

// functionsOf makes the read functions of a table.
func functionsOf(t tvmexport.Table, o Options, existing map[string][]kql.Column, l views.MissingRuns) []Command {
	shapes := expected(t, existing)
	from := views.ReadersOf(t, shapes).With(t, shapes, l)
	var out []Command
	for _, f := range views.ReadFunctions(o.FunctionPrefix, t, from) {
		out = append(out, makeFunction(f, "read "+t.Name+f.What))
	}
	return out
}

// expected are the columns of a table's published tables once init or Fit has
// done its work.
func expected(t tvmexport.Table, existing map[string][]kql.Column) map[string][]kql.Column {
	out := map[string][]kql.Column{t.Destination: kql.RawColumns, t.Typed(): views.TypedColumns(t.Visible())}
	if have, ok := existing[t.Destination]; ok {
		out[t.Destination] = have
	}
	if have, ok := existing[t.Typed()]; ok {
		have = slices.Clone(have)
		for _, h := range views.Holdings(have, t.Visible()) {
			if c := (kql.Column{Name: h.At, Kind: h.Type}); !slices.Contains(have, c) {
				have = append(have, c)
			}
		}
		out[t.Typed()] = have
	}
	return out
}

// TableCommand is the command that creates a table; why is its docstring.
func TableCommand(name string, columns []kql.Column, why string) Command {
	rest := fmt.Sprintf(" table %s (%s) with (docstring = %s, folder = %s)", kql.Ident(name), kql.Declaration(columns), kql.Literal(why), kql.Literal(kql.Folder))
	return Command{Kind: MakeTable, Name: name, Why: why, columns: columns, Text: ".create" + rest, again: ".create-merge" + rest}
}

// sharedTable is [TableCommand] for a table whose name and columns are those of the
// original system. Repeated, it leaves a table that exists as it is
// (https://learn.microsoft.com/kusto/management/create-table-command).
func sharedTable(name string, columns []kql.Column, why string) Command {
	c := TableCommand(name, columns, why)
	c.again = ""
	return c
}

func retention(table, policy, why string) Command {
	return Command{
		Kind: MakePolicy, Name: "retention", Table: table, Why: why,
		Text: fmt.Sprintf(".alter-merge table %s policy retention %s", kql.Ident(table), policy),
	}
}

func mapping(table, name string, paths []kql.MappingPath, why string) Command {
	rest := fmt.Sprintf(" table %s ingestion json mapping %s %s", kql.Ident(table), kql.Literal(name), kql.Literal(kql.MappingJSON(paths)))
	return Command{Kind: MakeMapping, Name: name, Table: table, Why: why, paths: paths, Text: ".create" + rest, again: ".create-or-alter" + rest}
}

func makeFunction(f views.Function, why string) Command {
	return Command{
		Kind: MakeFunction, Name: f.Name, Why: why, doc: f.Doc(), does: f.Text(), calls: f.Calls,
		Text: f.Create(".create"), update: f.Create(".create-or-alter"), again: f.Create(".create-or-alter"),
	}
}

// WriteCommands writes the commands as a text that an administrator can read, and run
// one by one: comments, then commands, an empty line between them.
func WriteCommands(w io.Writer, commands []Command) error {
	for i, c := range commands {
		sep := "\n"
		if i == 0 {
			sep = ""
		}
		of := c.Name
		if c.Table != "" && c.Table != c.Name {
			of = c.Table + ", " + c.Name
		}
		if _, err := fmt.Fprintf(w, "%s// %s %s: %s\n%s\n", sep, c.Kind, of, c.Why, c.Text); err != nil {
			return err
		}
	}
	return nil
}
