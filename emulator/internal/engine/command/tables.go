package command

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// create reads .create, .create-merge and .create-or-alter.
func create(p *parser, verb Verb) (string, any) {
	async := p.accept("async")
	ifNotExists := p.accept("ifnotexists")
	with := p.properties() // of functions and views, which have them in front
	t := p.take()
	switch {
	case t.isWord("table"):
		return createTable(p, verb)
	case t.isWord("tables") && verb != CreateOrAlter:
		return "tables", defineTables(p, verb, true)
	case t.isWord("database") && verb != CreateMerge:
		name := p.name("A database name")
		if !p.isWord("ingestion") {
			return createDatabase(p, verb, name)
		}
		return mapping(p, verb, Database, name)
	case t.isWord("function") && verb != CreateMerge:
		return "function", defineFunction(p, verb, ifNotExists, with)
	case t.isWord("entity_group") && verb != CreateMerge:
		return defineGroup(p, verb)
	case t.isWord("materialized-view") && verb != CreateMerge:
		return "materialized-view", defineView(p, verb, async, ifNotExists, with)
	}
	p.refuse(t)
	return "", nil
}

// createDatabase refuses .create database: on a cluster in Azure, databases are made
// by the resource manager, and the command belongs to the free and local editions.
func createDatabase(p *parser, verb Verb, name string) (string, any) {
	p.unsupported(p.peek(0), "'."+string(verb)+" database "+name+"' is not supported by this emulator, as on a cluster in Azure, "+
		"where databases are resources: name each database when it is started.")
	return "", nil
}

func createTable(p *parser, verb Verb) (string, any) {
	switch {
	case p.peek(0).isSymbol("["):
		if p.peek(3).isWord("ingestion") {
			return mapping(p, verb, Table, p.name("A table name"))
		}
		if p.peek(3).isWord("based-on") {
			return cloneTable(p, verb)
		}
	case p.peek(1).isWord("ingestion"):
		return mapping(p, verb, Table, p.name("A table name"))
	case p.peek(1).isWord("based-on"):
		return cloneTable(p, verb)
	}
	if verb == CreateOrAlter {
		p.refuse(p.peek(0))
	}
	return "table", defineTables(p, verb, false)
}

func cloneTable(p *parser, verb Verb) (string, any) {
	c := &CloneTable{Name: p.name("A table name")}
	p.expect("based-on")
	if verb != Create {
		p.refuse(p.peek(0))
	}
	c.Source = p.name("A table name")
	c.IfNotExists = p.accept("ifnotexists")
	c.With = p.properties()
	return "table based-on", c
}

func defineTables(p *parser, verb Verb, many bool) *DefineTables {
	d := &DefineTables{Verb: verb}
	for {
		d.Tables = append(d.Tables, TableDef{Name: p.name("A table name"), Columns: columns(p)})
		if !many || !p.acceptSymbol(",") {
			break
		}
	}
	d.With = p.properties()
	return d
}

// columns takes (name:type, name:type).
func columns(p *parser) []value.Column {
	return list(p, func() value.Column {
		c := value.Column{Name: p.name("A column name")}
		p.expectSymbol(":")
		t := p.take()
		kind, ok := value.ParseKind(t.value)
		if t.kind != word || !ok {
			p.unexpected(t, "A column type (bool, datetime, decimal, dynamic, guid, int, long, real, string or timespan)")
		}
		c.Kind = kind
		return c
	})
}

// mapping reads ingestion KIND mapping "NAME" 'TEXT' of a named table or database.
func mapping(p *parser, verb Verb, scope Scope, entity string) (string, any) {
	m := &DefineMapping{Verb: verb, Scope: scope, Entity: entity}
	p.expect("ingestion")
	m.Kind = p.word("A mapping kind")
	p.expect("mapping")
	m.Name = p.name("A mapping name")
	m.Text = p.string("A mapping, as a string,")
	for p.peek(0).kind == text { // adjacent literals are one
		m.Text += p.take().value
	}
	return string(scope) + " ingestion mapping", m
}

func defineFunction(p *parser, verb Verb, ifNotExists bool, with Properties) *DefineFunction {
	f := &DefineFunction{Verb: verb, IfNotExists: ifNotExists, With: with}
	if p.accept("ifnotexists") {
		f.IfNotExists = true
	}
	if w := p.properties(); w != nil {
		f.With = w
	}
	f.Name = p.name("A function name")
	open := p.peek(0)
	p.expectSymbol("(")
	p.raw()
	f.Parameters = p.lex.src[open.at:p.behind]
	f.Body = p.body()
	return f
}

func defineView(p *parser, verb Verb, async, ifNotExists bool, with Properties) *DefineView {
	v := &DefineView{Verb: verb, Async: async, IfNotExists: ifNotExists, With: with}
	if p.accept("ifnotexists") {
		v.IfNotExists = true
	}
	if w := p.properties(); w != nil {
		v.With = w
	}
	v.Name = p.name("A materialized view name")
	p.expect("on")
	if !p.accept("materialized-view") {
		p.expect("table")
	}
	v.Source = p.name("A table name")
	v.Query = p.body()
	return v
}

func rename(p *parser, _ Verb) (string, any) {
	r := &RenameTables{}
	t := p.take()
	switch {
	case t.isWord("table"):
		from := p.name("A table name")
		p.expect("to")
		r.Pairs = [][2]string{{from, p.name("A table name")}}
		return "table", r
	case t.isWord("tables"):
		for {
			to := p.name("A table name")
			p.expectSymbol("=")
			r.Pairs = append(r.Pairs, [2]string{p.name("A table name"), to})
			r.IfExists = p.accept("ifexists") || r.IfExists
			if !p.acceptSymbol(",") {
				return "tables", r
			}
		}
	}
	p.refuse(t)
	return "", nil
}

func enable(p *parser, verb Verb) (string, any) {
	t := p.take()
	if !t.isWord("materialized-view") {
		p.refuse(t)
	}
	return "materialized-view", &EnableView{Name: p.name("A materialized view name"), Enabled: verb == "enable"}
}
