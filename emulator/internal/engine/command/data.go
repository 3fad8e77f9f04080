package command

import (
	"strconv"
	"strings"
)

// load reads .set, .append, .set-or-append and .set-or-replace.
func load(p *parser, verb Verb) (string, any) {
	l := &Load{Verb: verb, Async: p.accept("async")}
	if t := p.peek(0); t.isWord("stored_query_result") && p.peek(1).kind != symbol {
		p.refuse(t)
	}
	l.Table = p.name("A table name")
	l.With = p.properties()
	l.Query = p.query()
	return "", l
}

// ingest reads .ingest inline into table; the form that reads blobs is refused.
func ingest(p *parser, _ Verb) (string, any) {
	t := p.take()
	if !t.isWord("inline") {
		p.unsupported(t, "'.ingest into table' from storage is not supported by this emulator: "+
			"queue the blob at the ingestion endpoint, or use '.ingest inline'.")
	}
	p.expect("into")
	p.accept("table")
	i := &IngestInline{Table: p.name("A table name")}
	i.With = p.properties()
	switch {
	case p.peek(0).isSymbol("["):
		p.take()
		data, closed := strings.CutSuffix(strings.TrimRight(p.rest(), " \t\r\n"), "]")
		if !closed {
			p.unexpected(p.take(), "']'")
		}
		i.Data = data
	default:
		p.expectSymbol("<|")
		i.Data = strings.TrimLeft(p.rest(), " \t\r\n")
	}
	return "inline", i
}

// ids reads guid, guid) of a list whose parenthesis was taken.
func ids(p *parser) IDs {
	list := IDs{p.guid()}
	for p.acceptSymbol(",") {
		list = append(list, p.guid())
	}
	p.expectSymbol(")")
	return list
}

// count takes a number without sign.
func (p *parser) count() int {
	t := p.take()
	n, err := strconv.Atoi(t.value)
	if t.kind != word || err != nil {
		p.unexpected(t, "A number")
	}
	return n
}

// move reads .move [async] extents.
func move(p *parser, _ Verb) (string, any) {
	m := &MoveExtents{Async: p.accept("async")}
	p.expect("extents")
	m.All = p.accept("all")
	if m.All || p.isWord("from") {
		p.expect("from", "table")
		m.From = p.name("A table name")
	}
	p.expect("to", "table")
	m.To = p.name("A table name")
	m.With = p.properties()
	switch {
	case m.All:
	case m.From != "":
		p.expectSymbol("(")
		m.IDs = ids(p)
	default:
		m.Query = p.query()
	}
	if w := p.properties(); w != nil {
		m.With = w
	}
	return "extents", m
}

// replace reads .replace [async] extents in table T <| {query}, {query}.
func replace(p *parser, _ Verb) (string, any) {
	r := &ReplaceExtents{Async: p.accept("async")}
	p.expect("extents", "in", "table")
	r.Table = p.name("A table name")
	r.With = p.properties()
	p.expectSymbol("<|")
	r.Drop = braces(p)
	p.expectSymbol(",")
	r.Move = braces(p)
	return "extents", r
}

// update reads .update [async] table T delete D (append A | move S) <| statements.
func update(p *parser, _ Verb) (string, any) {
	u := &UpdateTable{Async: p.accept("async")}
	p.expect("table")
	u.Table = p.name("A table name")
	if t := p.peek(0); t.isWord("on") {
		p.unsupported(t, "The simplified syntax of .update table ('on') is deprecated and not supported by this emulator.")
	}
	p.expect("delete")
	u.Delete = p.name("The name of a statement")
	if p.accept("move") {
		u.From = p.name("A table name")
	} else {
		p.expect("append")
		u.Append = p.name("The name of a statement")
	}
	u.With = p.properties()
	u.Query = p.query()
	return "table", u
}

// braces takes { text } and gives the text.
func braces(p *parser) string {
	open := p.peek(0)
	p.expectSymbol("{")
	for depth := 1; ; {
		t := p.take()
		switch {
		case t.kind == end:
			p.unexpected(t, "'}'")
		case t.isSymbol("{"):
			depth++
		case t.isSymbol("}"):
			if depth--; depth == 0 {
				return strings.TrimSpace(p.lex.src[open.to:t.at])
			}
		}
	}
}

// execute reads .execute [database] script.
func execute(p *parser, _ Verb) (string, any) {
	p.accept("database")
	p.expect("script")
	e := &ExecuteScript{With: p.properties()}
	e.Commands = SplitScript(p.query())
	return "database script", e
}

// SplitScript cuts a script into its commands: each begins with a dot at the
// beginning of a line, blanks aside, and outside of a multi-line literal.
// Comments between commands stay out.
func SplitScript(script string) []string {
	var commands []string
	start, fenced := -1, false
	cut := func(to int) {
		if start >= 0 {
			commands = append(commands, withoutComments(script[start:to]))
		}
	}
	for at := 0; at < len(script); {
		line := script[at:]
		if i := strings.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		trimmed := strings.TrimLeft(line, " \t\r\ufeff")
		if !fenced && strings.HasPrefix(trimmed, ".") && len(trimmed) > 1 && isWordByte(trimmed[1]) {
			cut(at)
			start = at
		}
		if strings.Count(line, "```")%2 == 1 {
			fenced = !fenced
		}
		at += len(line)
	}
	cut(len(script))
	return commands
}

// withoutComments leaves out the comments, each a line, behind a command.
func withoutComments(text string) string {
	for {
		text = strings.TrimSpace(text)
		i := strings.LastIndexByte(text, '\n')
		if i < 0 || !strings.HasPrefix(strings.TrimSpace(text[i:]), "//") {
			return text
		}
		text = text[:i]
	}
}

// refresh reads .refresh ... cache ..., whose details do not matter: nothing
// is cached here.
func refresh(p *parser, _ Verb) (string, any) {
	cache := false
	for p.peek(0).kind != end && !p.peek(0).isSymbol("|") {
		cache = p.take().isWord("cache") || cache
	}
	if !cache {
		p.refuse(p.peek(0))
	}
	return "cache", &RefreshCache{}
}
