package command

import "strings"

// drop reads .drop.
func drop(p *parser, _ Verb) (string, any) {
	async := p.accept("async")
	t := p.take()
	switch {
	case t.isWord("table"):
		return dropTable(p, async)
	case t.isWord("tables"):
		return dropMany(p, Table)
	case t.isWord("functions"):
		return dropMany(p, Function)
	case t.isWord("column"):
		table := p.name("A table name")
		p.expectSymbol(".")
		return "column", &DropColumns{Table: table, Columns: []string{p.name("A column name")}}
	case t.isWord("database") && isRole(p.peek(0)) && p.peek(1).isSymbol("("):
		return principals(p, Drop, Database, "") // the database of the request
	case t.isWord("database"):
		name := p.name("A database name")
		if p.isWord("ingestion") {
			return dropMapping(p, Database, name)
		}
		if p.accept("prettyname") {
			return "database prettyname", &PrettyName{Database: name}
		}
		if !isRole(p.peek(0)) {
			p.unsupported(p.peek(0), "'.drop database "+name+"' of this form is not supported by this emulator: "+
				"it drops a database's principals, mappings and pretty name.")
		}
		return principals(p, Drop, Database, name)
	case t.isWord("entity_group"):
		return "entity_group", &DropGroup{Name: p.name("The name of an entity group")}
	case t.isWord("function"):
		return dropOne(p, Function)
	case t.isWord("materialized-view"):
		return dropOne(p, View)
	case t.isWord("extents"):
		return dropExtents(p)
	case t.isWord("extent"):
		d := &DropExtents{IDs: IDs{p.guid()}}
		if p.accept("from") {
			d.Table = p.name("A table name")
		}
		return "extent", d
	}
	p.refuse(t)
	return "", nil
}

// dropOne reads what follows .drop function or .drop materialized-view.
func dropOne(p *parser, scope Scope) (string, any) {
	name := p.name("A name")
	if isRole(p.peek(0)) {
		return principals(p, Drop, scope, name)
	}
	return string(scope), &DropEntities{Scope: scope, Names: []string{name}, IfExists: p.accept("ifexists")}
}

func dropMany(p *parser, scope Scope) (string, any) {
	d := &DropEntities{Scope: scope, Many: true, Names: p.names("A name")}
	d.IfExists = p.accept("ifexists")
	return string(scope) + "s", d
}

func dropTable(p *parser, async bool) (string, any) {
	name := p.name("A table name")
	t := p.peek(0)
	switch {
	case t.isWord("columns"):
		p.take()
		return "table columns", &DropColumns{Table: name, Columns: p.names("A column name")}
	case t.isWord("ingestion"):
		return dropMapping(p, Table, name)
	case t.isWord("extent"):
		p.expect("extent", "tags")
		c := &ChangeTags{Verb: Drop, Async: async, Table: name}
		if p.peek(0).isSymbol("(") {
			c.Tags = tags(p)
		}
		c.With = p.properties()
		if p.peek(0).isSymbol("<|") {
			c.Query = p.query()
		} else if c.Tags == nil {
			p.unexpected(p.peek(0), "A list of tags or a query")
		}
		return "table extent tags", c
	case isRole(t):
		return principals(p, Drop, Table, name)
	}
	d := &DropEntities{Scope: Table, Names: []string{name}, IfExists: p.accept("ifexists")}
	p.accept("skip-seal") // of what is streamed; nothing waits to be sealed here
	return "table", d
}

func dropMapping(p *parser, scope Scope, entity string) (string, any) {
	m := &DropMapping{Scope: scope, Entity: entity}
	p.expect("ingestion")
	m.Kind = p.word("A mapping kind")
	p.expect("mapping")
	m.Name = p.name("A mapping name")
	return string(scope) + " ingestion mapping", m
}

// tags takes ('t1', 't2').
func tags(p *parser) []string {
	return list(p, func() string { return p.string("A tag, as a string,") })
}

// dropExtents reads what follows .drop extents.
func dropExtents(p *parser) (string, any) {
	d := &DropExtents{WhatIf: p.accept("whatif")}
	if p.acceptSymbol("(") {
		d.IDs = ids(p)
		if p.accept("from") {
			d.Table = p.name("A table name")
		}
		return "extents", d
	}
	if p.peek(0).isSymbol("<|") {
		d.Query = p.query()
		return "extents", d
	}
	if p.accept("older") {
		n, unit := p.word("A number"), p.word("days or hours")
		if unit != "days" && unit != "hours" {
			p.fail(p.peek(0), "'days' or 'hours' expected, not '%s'.", unit)
		}
		d.Older = n + strings.TrimSuffix(unit, "ays")[:1]
	}
	p.expect("from")
	if p.accept("all", "tables") {
		d.AllTables = true
	} else {
		d.Table = p.name("A table name")
	}
	if p.isWord("trim") {
		p.unsupported(p.peek(0), "'.drop extents ... trim by' is not supported by this emulator.")
	}
	if p.accept("limit") {
		d.Limit = p.count()
	}
	return "extents", d
}

// clearThing reads .clear.
func clearThing(p *parser, _ Verb) (string, any) {
	t := p.take()
	switch {
	case t.isWord("database"):
		p.expect("cache", "streamingingestion", "schema")
		return "database cache streamingingestion schema", &ClearSchemaCache{}
	case !t.isWord("table"):
		p.refuse(t)
	}
	name := p.name("A table name")
	if p.accept("cache") {
		p.expect("streamingingestion", "schema")
		return "table cache streamingingestion schema", &ClearSchemaCache{Table: name}
	}
	p.expect("data")
	return "table data", &ClearTable{Name: name}
}

// deleteThing reads .delete: of policies and of records.
func deleteThing(p *parser, _ Verb) (string, any) {
	async := p.accept("async")
	t := p.take()
	var scope Scope
	switch {
	case t.isWord("table"):
		scope = Table
	case t.isWord("database"):
		scope = Database
	case t.isWord("materialized-view"):
		scope = View
	default:
		p.refuse(t)
	}
	name := p.name("A name")
	if p.accept("policy") {
		d := &DeletePolicy{Scope: scope, Name: name, Policy: policyName(p)}
		return string(scope) + " policy " + d.Policy, d
	}
	if scope != Table {
		p.refuse(p.peek(0))
	}
	p.expect("records")
	d := &DeleteRecords{Async: async, Table: name, With: p.properties()}
	d.Query = p.query()
	return "table records", d
}
