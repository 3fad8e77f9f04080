package command

import "github.com/google/uuid"

// show reads .show.
func show(p *parser, _ Verb) (string, any) {
	t := p.take()
	if t.kind != word {
		p.unexpected(t, "What to show")
	}
	switch t := t; {
	case t.isWord("tables"):
		return showTables(p)
	case t.isWord("table"):
		return showTable(p)
	case t.isWord("databases"):
		return showDatabases(p)
	case t.isWord("database"):
		return showDatabase(p)
	case t.isWord("schema"):
		return "schema", showSchema(p, &ShowSchema{Scope: Cluster})
	case t.isWord("cluster"):
		if extentsNext(p) {
			return "cluster extents", showExtents(p, Cluster, nil)
		}
		if p.accept("principals") {
			return "cluster principals", &ShowPrincipals{Scope: Cluster}
		}
		if p.peek(0).kind == word {
			p.refuse(p.peek(0))
		}
		return "cluster", &ShowCluster{}
	case t.isWord("version"):
		return "version", &ShowVersion{}
	case t.isWord("functions"):
		return "functions", &ShowFunctions{}
	case t.isWord("function"):
		name := p.name("A function name")
		if p.accept("principals") {
			return "function principals", &ShowPrincipals{Scope: Function, Name: name}
		}
		return "function", &ShowFunctions{Name: name}
	case t.isWord("entity_groups"):
		return "entity_groups", &ShowGroups{}
	case t.isWord("entity_group"):
		return showGroup(p)
	case t.isWord("materialized-views"):
		return "materialized-views", &ShowViews{}
	case t.isWord("materialized-view"):
		return showView(p)
	case t.isWord("operations"):
		return showOperations(p)
	case t.isWord("export") && p.isWord("containers"):
		p.unsupported(p.peek(0), "'.show export containers' is a command of the ingestion service: send it to the ingestion URI.")
	case t.isWord("operation"):
		if t := p.peek(0); !isGUID(t) {
			p.refuse(t)
		}
		id := p.guid()
		p.expect("details")
		return "operation details", &ShowOperationDetails{ID: id}
	case t.isWord("ingestion"):
		p.expect("failures")
		return showFailures(p)
	case t.isWord("principal"):
		r := &ShowRoles{}
		if p.peek(0).kind == text {
			r.Principal = p.take().value
		}
		if !p.accept("roles") {
			p.refuse(p.peek(0))
		}
		return "principal roles", r
	}
	p.refuse(t)
	return "", nil
}

func showTables(p *parser) (string, any) {
	var names []string
	if p.peek(0).isSymbol("(") {
		names = p.names("A table name")
	}
	if names != nil && extentsNext(p) {
		return "tables extents", showExtents(p, Table, names)
	}
	s := &ShowTables{Names: names, Details: p.accept("details")}
	if s.Details {
		return "tables details", s
	}
	return "tables", s
}

func showTable(p *parser) (string, any) {
	if p.acceptSymbol("*") {
		p.expect("policy")
		s := &ShowPolicy{Scope: Table, Name: "*", Policy: policyName(p)}
		return "table policy " + s.Policy, s
	}
	name := p.name("A table name")
	switch {
	case p.accept("cslschema"):
		return "table cslschema", &ShowSchema{Scope: Table, Names: []string{name}, Form: SchemaCSL}
	case p.isWord("schema"):
		p.take()
		return "table schema", showSchema(p, &ShowSchema{Scope: Table, Names: []string{name}})
	case p.accept("details"):
		return "table details", &ShowTables{Names: []string{name}, Details: true}
	case extentsNext(p):
		return "table extents", showExtents(p, Table, []string{name})
	case p.isWord("ingestion"):
		return showMappings(p, Table, name)
	case p.accept("principals"):
		return "table principals", &ShowPrincipals{Scope: Table, Name: name}
	case p.accept("policy"):
		s := &ShowPolicy{Scope: Table, Name: name, Policy: policyName(p)}
		return "table policy " + s.Policy, s
	case p.peek(0).kind == word:
		p.refuse(p.peek(0))
	}
	return "table", &ShowTables{Names: []string{name}, One: true}
}

func showDatabases(p *parser) (string, any) {
	if p.peek(0).isSymbol("(") {
		names := p.names("A database name")
		p.expect("schema")
		return "databases schema", showSchema(p, &ShowSchema{Scope: Database, Names: names})
	}
	return "databases", &ShowDatabases{Details: p.accept("details")}
}

func showDatabase(p *parser) (string, any) {
	name := ""
	switch t := p.peek(0); {
	case t.kind == end, t.isSymbol("|"):
		return "database", &ShowDatabases{One: true}
	case p.isWord("schema"), p.isWord("details"), p.isWord("extents"), p.isWord("principals"), p.isWord("policy"):
		// .show database schema is about the call's database
	case p.isWord("identity"), p.isWord("policies"), p.isWord("entities"), p.isWord("journal"): // commands without a name
		if next := p.peek(1); next.kind == end || next.isSymbol("|") {
			p.refuse(p.peek(0))
		}
		fallthrough
	default:
		name = p.name("A database name")
	}
	var names []string
	if name != "" {
		names = []string{name}
	}
	switch {
	case p.accept("schema"):
		return "database schema", showSchema(p, &ShowSchema{Scope: Database, Names: names})
	case p.accept("cslschema"):
		return "database schema", &ShowSchema{Scope: Database, Names: names}
	case p.accept("details"):
		return "database details", &ShowDatabases{Name: name, One: true, Details: true}
	case extentsNext(p):
		return "database extents", showExtents(p, Database, names)
	case p.isWord("ingestion"):
		return showMappings(p, Database, name)
	case p.accept("principals"):
		return "database principals", &ShowPrincipals{Scope: Database, Name: name}
	case p.accept("policy"):
		s := &ShowPolicy{Scope: Database, Name: name, Policy: policyName(p)}
		return "database policy " + s.Policy, s
	case p.peek(0).kind == word:
		p.refuse(p.peek(0))
	}
	return "database", &ShowDatabases{Name: name, One: true}
}

// showSchema reads [as json|as csl script].
func showSchema(p *parser, s *ShowSchema) *ShowSchema {
	switch {
	case p.accept("as", "json"):
		s.Form = SchemaJSON
	case s.Scope != Cluster && p.accept("as", "csl", "script"):
		s.Form = SchemaScript
		p.properties()
	case p.isWord("as"):
		p.refuse(p.peek(0))
	}
	return s
}

func showView(p *parser) (string, any) {
	name := p.name("A materialized view name")
	switch {
	case p.accept("policy"):
		s := &ShowPolicy{Scope: View, Name: name, Policy: policyName(p)}
		return "materialized-view policy " + s.Policy, s
	case p.accept("principals"):
		return "materialized-view principals", &ShowPrincipals{Scope: View, Name: name}
	case p.accept("schema"):
		return "materialized-view schema", &ShowViews{Name: name, Schema: true}
	case p.accept("details"):
	case p.peek(0).kind == word:
		p.refuse(p.peek(0))
	}
	return "materialized-view", &ShowViews{Name: name}
}

// showMappings reads ingestion [kind] mappings and ingestion [kind] mapping "name".
func showMappings(p *parser, scope Scope, entity string) (string, any) {
	m := &ShowMappings{Scope: scope, Entity: entity}
	p.expect("ingestion")
	if !p.isWord("mapping") && !p.isWord("mappings") {
		m.Kind = p.word("A mapping kind")
	}
	if !p.accept("mappings") {
		p.expect("mapping")
		m.Name = p.name("A mapping name")
	}
	return string(scope) + " ingestion mappings", m
}

func showOperations(p *parser) (string, any) {
	s := &ShowOperations{}
	switch t := p.peek(0); {
	case t.isSymbol("("):
		p.take()
		s.IDs = ids(p)
	case t.kind == end, t.isSymbol("|"), t.isSymbol(";"):
	case !isGUID(t) && t.kind == word:
		p.refuse(t)
	default:
		s.IDs = IDs{p.guid()}
	}
	return "operations", s
}

// isGUID says whether a guid can begin with t.
func isGUID(t token) bool {
	_, err := uuid.Parse(t.value)
	return err == nil || t.isWord("guid")
}

func showFailures(p *parser) (string, any) {
	s := &ShowFailures{}
	if p.accept("with") {
		p.expectSymbol("(")
		p.expect("operationid")
		p.expectSymbol("=")
		s.OperationID = p.guid()
		p.expectSymbol(")")
	}
	return "ingestion failures", s
}

// extentsNext says whether extents comes next, and takes it.
func extentsNext(p *parser) bool { return p.accept("extents") }

// showExtents reads [(ids)] [hot] [where tags ... [and tags ...]] [with (...)].
func showExtents(p *parser, scope Scope, names []string) *ShowExtents {
	s := &ShowExtents{Scope: scope, Names: names}
	if p.acceptSymbol("(") {
		s.IDs = ids(p)
	}
	p.accept("hot") // everything is
	if p.accept("where") {
		s.Tags = append(s.Tags, tagFilter(p))
		for p.accept("and") {
			s.Tags = append(s.Tags, tagFilter(p))
		}
	}
	p.properties()
	return s
}

func tagFilter(p *parser) TagFilter {
	var f TagFilter
	p.expect("tags")
	f.Not = p.acceptSymbol("!")
	t := p.take()
	switch {
	case t.isWord("contains"):
		f.Contains = true
	case !t.isWord("has"):
		p.unexpected(t, "'has' or 'contains'")
	}
	f.Text = p.string("A tag, as a string,")
	return f
}
