package command

import "strings"

var roles = map[string]bool{
	"admins": true, "users": true, "viewers": true, "unrestrictedviewers": true, "ingestors": true, "monitors": true,
}

func isRole(t token) bool { return t.kind == word && roles[strings.ToLower(t.value)] }

// set reads .set, which loads a table or sets the principals of a role.
func set(p *parser, verb Verb) (string, any) {
	if t := p.peek(0); t.isWord("database") || t.isWord("table") || t.isWord("function") || t.isWord("materialized-view") {
		at := 2
		if t.isWord("database") && isRole(p.peek(1)) && (p.peek(2).isSymbol("(") || p.peek(2).isWord("none")) {
			at = 1 // the database's name is left out
		} else if p.peek(1).isSymbol("[") {
			at = 4
		} else if p.peek(1).kind == symbol { // .set table <| query loads a table called table
			at = 1
		}
		if isRole(p.peek(at)) {
			return changePrincipals(p, verb)
		}
	}
	return load(p, verb)
}

// changePrincipals reads what follows .add and .set.
func changePrincipals(p *parser, verb Verb) (string, any) {
	t := p.take()
	var scope Scope
	switch {
	case t.isWord("database"):
		scope = Database
	case t.isWord("table"):
		scope = Table
	case t.isWord("function"):
		scope = Function
	case t.isWord("materialized-view"):
		scope = View
	default:
		p.refuse(t)
	}
	if scope == Database && isRole(p.peek(0)) && (p.peek(1).isSymbol("(") || p.peek(1).isWord("none")) {
		return principals(p, verb, scope, "") // the database of the request
	}
	return principals(p, verb, scope, p.name("A name"))
}

// principals reads ROLE ('p', 'p') [skip-results] ['note'] or ROLE none.
func principals(p *parser, verb Verb, scope Scope, name string) (string, any) {
	t := p.take()
	if !isRole(t) {
		p.refuse(t)
	}
	c := &ChangePrincipals{Verb: verb, Scope: scope, Name: name, Role: strings.ToLower(t.value)}
	if verb != Set || !p.accept("none") {
		c.Principals = list(p, func() string { return p.string("A principal such as 'aadapp=id;tenant'") })
	}
	c.SkipResults = p.accept("skip-results")
	if p.peek(0).kind == text {
		c.Note = p.take().value
	}
	return string(scope) + " " + c.Role, c
}
