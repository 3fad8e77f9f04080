package command

import "strings"

// Entity is a database that an entity group refers to, or with Database "" a cluster.
type Entity struct{ Cluster, Database string }

// String is the entity as a query refers to it: cluster('c').database('d').
func (e Entity) String() string {
	var parts []string
	if e.Cluster != "" {
		parts = append(parts, "cluster("+quoted(e.Cluster)+")")
	}
	if e.Database != "" {
		parts = append(parts, "database("+quoted(e.Database)+")")
	}
	return strings.Join(parts, ".")
}

func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + "'"
}

// defineGroup reads [ifnotexists] NAME [ifnotexists] (ENTITY, ENTITY): pages of different times
// have the word in front of the name and behind it.
func defineGroup(p *parser, verb Verb) (string, any) {
	d := &DefineGroup{Verb: verb, IfNotExists: verb == Create && p.accept("ifnotexists")}
	d.Name = p.name("The name of an entity group")
	if verb == Create && p.accept("ifnotexists") {
		d.IfNotExists = true
	}
	d.Entities = list(p, func() Entity { return entity(p) })
	return "entity_group", d
}

// entity takes cluster('c'), cluster('c').database('d') or database('d').
func entity(p *parser) Entity {
	var e Entity
	t := p.take()
	if t.isWord("cluster") {
		e.Cluster = argument(p)
		if !p.acceptSymbol(".") {
			return e
		}
		t = p.take()
	}
	if !t.isWord("database") {
		p.unexpected(t, "An entity, such as cluster('c').database('d'),")
	}
	e.Database = argument(p)
	return e
}

// argument takes ('x').
func argument(p *parser) string {
	p.expectSymbol("(")
	t := p.peek(0)
	name := p.string("A name, as a string,")
	if name == "" {
		p.unexpected(t, "A name, as a string,")
	}
	p.expectSymbol(")")
	return name
}

// showGroup reads what follows .show entity_group: a name, or nothing for all groups.
func showGroup(p *parser) (string, any) {
	switch t := p.peek(0); {
	case t.kind == end, t.isSymbol("|"), t.isSymbol(";"):
		return "entity_group", &ShowGroups{}
	}
	return "entity_group", &ShowGroups{Name: p.name("The name of an entity group")}
}
