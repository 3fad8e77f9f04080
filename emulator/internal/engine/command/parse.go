package command

import (
	"strings"
)

// verbs are the first words of commands, each with the function that reads
// what follows and gives the rest of the keyword and the command.
var verbs map[string]func(p *parser, verb Verb) (keyword string, command any)

func init() {
	verbs = map[string]func(*parser, Verb) (string, any){
		"show": show, "create": create, "create-merge": create, "create-or-alter": create,
		"alter": alter, "alter-merge": alter, "merge": merge, "rename": rename, "drop": drop, "delete": deleteThing,
		"set": set, "append": load, "set-or-append": load, "set-or-replace": load, "ingest": ingest,
		"move": move, "replace": replace, "update": update, "clear": clearThing, "add": changePrincipals,
		"enable": enable, "disable": enable, "execute": execute, "refresh": refresh,
	}
}

// Parse reads one management command. The error is a *Error.
func Parse(src string) (statement Statement, err error) {
	p := &parser{lex: lexer{src: src}}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			r.err.Line, r.err.Column = place(src, r.err.Offset)
			statement, err = Statement{}, r.err
		default:
			panic(r)
		}
	}()
	dot := p.take()
	if !dot.isSymbol(".") {
		p.precedes(dot)
	}
	t := p.take()
	verb := strings.ToLower(t.value)
	parse, known := verbs[verb]
	if t.kind != word || t.at != dot.to {
		p.unexpected(t, "The name of a management command")
	}
	if !known {
		p.unsupported(t, "The command '."+verb+"' is not known or not supported by this emulator.")
	}
	rest, command := parse(p, Verb(verb))
	statement = Statement{Keyword: "." + verb, Command: command}
	if rest != "" {
		statement.Keyword += " " + rest
	}
	statement.Query = p.following(verb)
	return statement, nil
}

// precedes refuses what is not a command. Statements of a query can only follow one.
func (p *parser) precedes(t token) {
	if t.isWord("set") || t.isWord("let") || t.isWord("declare") || t.isWord("alias") || t.isWord("restrict") {
		p.fail(t, "A management command, which begins with a dot, expected, not '%s': statements of a query can only follow the command.", t.value)
	}
	p.unexpected(t, "A management command, which begins with a dot,")
}

// following takes the end of the command or the query over its result: operators
// behind a bar, or statements behind a semicolon.
func (p *parser) following(verb string) (query string) {
	switch {
	case p.acceptSymbol("|"):
		operators := strings.TrimRight(strings.TrimSpace(p.rest()), ";")
		if operators == "" {
			p.unexpected(p.take(), "A query operator")
		}
		return Results + " | " + operators
	case p.acceptSymbol(";"):
		for p.acceptSymbol(";") {
		}
		switch t := p.peek(0); {
		case t.kind == end:
			return ""
		case t.isSymbol("."):
			p.fail(t, "The end of the command expected, not another command: send one at a time, or use '.execute database script'.")
		}
		return p.rest()
	}
	switch t := p.take(); {
	case t.kind == end:
	case t.kind == word && verb == "show": // a longer command, which the service may know
		p.refuse(t)
	default:
		p.unexpected(t, "The end of the command")
	}
	return ""
}

// IsCommand says whether a text is a management command rather than a query:
// whether its first character, comments aside, is a dot.
func IsCommand(src string) bool {
	l := lexer{src: src}
	l.space()
	return l.at < len(src) && src[l.at] == '.'
}

// Keyword is the beginning of the keyword of a text that may not be parsable:
// its dot and first word, for counting.
func Keyword(src string) string {
	l := lexer{src: src}
	l.space()
	rest := src[l.at:]
	n := 0
	for n < len(rest) && n < 40 && (isWordByte(rest[n]) || rest[n] == '-' || n == 0 && rest[n] == '.') {
		n++
	}
	return strings.ToLower(rest[:n])
}

// place is the 1-based line and column of an offset.
func place(src string, offset int) (line, column int) {
	before := src[:min(offset, len(src))]
	return strings.Count(before, "\n") + 1, offset - strings.LastIndexByte(before, '\n')
}

// unsupported refuses what the service may know and the emulator does not.
func (p *parser) unsupported(t token, reason string) {
	panic(failure{&Error{Offset: t.at, Token: t.value, Reason: reason, Unsupported: true}})
}

// refuse says that the beginning of the command, up to t, is not known.
func (p *parser) refuse(t token) {
	read := strings.Join(strings.Fields(p.lex.src[:t.to]), " ")
	if len(read) > 100 {
		read = "..." + read[len(read)-100:]
	}
	if t.kind == end {
		p.unexpected(t, "More of the command")
	}
	p.unsupported(t, "The command '"+read+"' is not known or not supported by this emulator.")
}
