package command

// alter reads .alter and .alter-merge.
func alter(p *parser, verb Verb) (string, any) {
	async := p.accept("async")
	with := p.properties()
	t := p.take()
	switch {
	case t.isWord("extent"):
		p.expect("tags")
		c := &ChangeTags{Verb: verb, Async: async, With: with}
		c.Tags = tags(p)
		if w := p.properties(); w != nil {
			c.With = w
		}
		c.Query = p.query()
		return "extent tags", c
	case t.isWord("table"):
		return alterTable(p, verb)
	case t.isWord("tables"):
		if !p.peek(0).isSymbol("(") {
			p.refuse(p.peek(0))
		}
		names := p.names("A table name")
		p.expect("policy")
		return policy(p, verb, Table, names)
	case t.isWord("database"):
		name := p.name("A database name")
		if p.isWord("ingestion") {
			return mapping(p, verb, Database, name)
		}
		if p.accept("prettyname") {
			return prettyName(p, verb, name)
		}
		if !p.accept("policy") {
			p.refuse(p.peek(0))
		}
		return policy(p, verb, Database, []string{name})
	case t.isWord("entity_group"):
		return defineGroup(p, verb)
	case t.isWord("function"):
		return alterFunction(p, verb, with)
	case t.isWord("materialized-view"):
		return alterView(p, verb, with)
	}
	p.refuse(t)
	return "", nil
}

// prettyName reads the name behind .alter database D prettyname, a string.
func prettyName(p *parser, verb Verb, database string) (string, any) {
	if verb != Alter {
		p.refuse(p.peek(0))
	}
	return "database prettyname", &PrettyName{Database: database, Text: p.string("A name, as a string,")}
}

func alterTable(p *parser, verb Verb) (string, any) {
	name := p.name("A table name")
	switch {
	case p.accept("policy"):
		return policy(p, verb, Table, []string{name})
	case p.isWord("ingestion"):
		return mapping(p, verb, Table, name)
	case p.isWord("docstring"), p.isWord("folder"):
		return describe(p, Table, name)
	case p.peek(0).isSymbol("("):
		d := &DefineTables{Verb: verb, Tables: []TableDef{{Name: name, Columns: columns(p)}}}
		d.With = p.properties()
		return "table", d
	}
	p.refuse(p.peek(0))
	return "", nil
}

// merge reads .merge table, an older name of .alter-merge table that Microsoft's
// parser accepts (@kusto/language-service-next).
func merge(p *parser, _ Verb) (string, any) {
	if t := p.take(); !t.isWord("table") {
		p.refuse(t)
	}
	keyword, c := alterTable(p, AlterMerge)
	if _, ok := c.(*DefineTables); !ok {
		p.refuse(p.peek(0))
	}
	return keyword, c
}

func describe(p *parser, scope Scope, name string) (string, any) {
	what := p.word("docstring or folder")
	return string(scope) + " " + what,
		&Describe{Scope: scope, Name: name, Folder: what == "folder", Text: p.string("A string")}
}

func alterFunction(p *parser, verb Verb, with Properties) (string, any) {
	if w := p.properties(); w != nil {
		with = w
	}
	word, bracket := 1, 3 // of a bare name, and of one in brackets
	at := word
	if p.peek(0).isSymbol("[") {
		at = bracket
	}
	if t := p.peek(at); t.isWord("docstring") || t.isWord("folder") {
		return describe(p, Function, p.name("A function name"))
	}
	if verb != Alter {
		p.refuse(p.peek(0))
	}
	return "function", defineFunction(p, verb, false, with)
}

func alterView(p *parser, verb Verb, with Properties) (string, any) {
	if w := p.properties(); w != nil {
		with = w
	}
	name := p.name("A materialized view name")
	switch {
	case p.accept("policy"):
		return policy(p, verb, View, []string{name})
	case p.isWord("docstring"), p.isWord("folder"):
		return describe(p, View, name)
	case p.isWord("on"):
		v := &DefineView{Verb: verb, With: with, Name: name}
		p.expect("on", "table")
		v.Source = p.name("A table name")
		v.Query = p.body()
		return "materialized-view", v
	}
	p.refuse(p.peek(0))
	return "", nil
}

// policy reads the name of a policy and its new content.
func policy(p *parser, verb Verb, scope Scope, names []string) (string, any) {
	a := &AlterPolicy{Verb: verb, Scope: scope, Names: names, Policy: policyName(p)}
	if verb != Alter && verb != AlterMerge {
		p.refuse(p.peek(0))
	}
	keyword := string(scope) + " policy " + a.Policy
	a.With = p.properties() // such as with (allowUnreferencedSourceTable=true), which changes nothing here
	t := p.peek(0)
	switch {
	case t.kind == text:
		for p.peek(0).kind == text {
			a.JSON += p.take().value
		}
	case t.kind == word && p.peek(1).isSymbol("="):
		for p.peek(0).kind == word {
			s := Setting{Name: p.word("A setting")}
			p.expectSymbol("=")
			s.Value = p.scalar()
			if p.acceptSymbol("..") {
				s.Until = p.scalar()
			}
			a.Settings = append(a.Settings, s)
			p.acceptSymbol(",")
		}
	case t.kind == word:
		a.Word = p.word("A policy")
		if a.Policy == "row_level_security" && p.isWord("with") {
			a.With = p.properties()
		}
		for a.Policy == "row_level_security" && p.peek(0).kind == text { // its query
			a.JSON += p.take().value
		}
	case t.isSymbol("("): // such as roworder (a asc, b desc)
		p.unsupported(t, "The "+a.Policy+" policy as a list in parentheses is not supported by this emulator.")
	default:
		p.unexpected(t, "A policy, as a JSON string,")
	}
	return keyword, a
}

// policies are the names of policies, and under which name each is kept.
var policies = map[string]string{
	"retention": "retention", "caching": "caching", "ingestionbatching": "ingestionbatching",
	"streamingingestion": "streamingingestion", "merge": "merge", "update": "update",
	"extent_tags_retention": "extent_tags_retention", "auto_delete": "auto_delete", "encoding": "encoding",
	"roworder": "roworder", "partitioning": "partitioning", "restricted_view_access": "restricted_view_access",
	"ingestiontime": "ingestiontime", "sharding": "sharding", "row_level_security": "row_level_security",
}

func policyName(p *parser) string {
	t := p.take()
	if t.kind != word {
		p.unexpected(t, "A policy name")
	}
	name, ok := policies[t.value]
	if !ok {
		p.unsupported(t, "The policy '"+t.value+"' is not known or not supported by this emulator.")
	}
	return name
}
