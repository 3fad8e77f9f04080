package syntax

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// MacroExpand is macro-expand: the union of Body over the entities of Group, each of which
// Body calls As. See https://learn.microsoft.com/kusto/query/macro-expand-operator.
type MacroExpand struct {
	Place
	Kind  string // "" where it is left out
	Fuzzy bool
	Group Expr // an *Ident or an *EntityGroup
	As    string
	Body  *Query
}

// EntityGroup is `entity_group [cluster('c').database('d'), database('e')]`.
type EntityGroup struct {
	Place
	Entities []Expr
}

// macroName is the name of macro-expand, and the number of its tokens.
const (
	macroName   = "macro-expand"
	macroTokens = 3
)

// beginsMacro says whether macro-expand begins here.
func (p *parser) beginsMacro() bool {
	name, _ := p.operatorName()
	return name == macroName
}

func readMacro(p *parser) Expr {
	x := &MacroExpand{Place: p.here()}
	if !p.enter() {
		return nil
	}
	defer p.leave()
	p.at = min(p.at+macroTokens, len(p.tokens)-1)
	p.options(map[string]func(Token){
		"kind":    func(t Token) { x.Kind = t.Text },
		"isfuzzy": func(t Token) { x.Fuzzy = t.Value.Kind() == value.Bool && t.Value.Bool() },
	})
	switch t := p.current(); {
	case x.Kind != "" && x.Kind != "inner" && x.Kind != "outer":
		p.fail(t, "macro-expand: kind '%s' is not known.", x.Kind)
	case t.Kind == NameToken && p.peek(1).Is("="): // Microsoft's parser knows some that no page describes
		p.unsupported(t, "macro-expand with '%s' is not supported here.", t.Text)
	}
	x.Group = readEntities(p)
	switch t := p.current(); {
	case t.Is("in"):
		p.unsupported(t, "'macro-expand X in G' is not supported here: write 'macro-expand G as X'.")
	case t.Is("("):
		p.unsupported(t, "macro-expand without a name for its entities is not supported here: write 'as X' in front of the subquery.")
	}
	p.expect("as")
	x.As = p.name()
	p.expect("(")
	x.Body = p.statements()
	p.expect(")")
	return x
}

// readEntities reads the group of macro-expand: its name, or the entities themselves.
func readEntities(p *parser) Expr {
	t := p.current()
	switch {
	case t.Is("entity_group") && p.peek(1).Is("["):
		return readEntityGroup(p)
	case t.Is("entity_group") && p.peek(1).Is("("):
		p.unsupported(t, "entity_group() is not supported here: name the group itself.")
	case t.Is("database"), t.Is("cluster"), p.peek(1).Is("."):
		p.fail(t, "macro-expand: a group of entities in another database or cluster cannot be referenced.")
	}
	return &Ident{Place: Place(t.Offset), Name: p.name()}
}

func readEntityGroup(p *parser) *EntityGroup {
	x := &EntityGroup{Place: p.here()}
	if !p.enter() {
		return x
	}
	defer p.leave()
	p.next()
	p.expect("[")
	for p.err == nil {
		x.Entities = append(x.Entities, p.postfix())
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	return x
}

func (p *printer) macroExpand(n *MacroExpand) {
	p.put("(macro-expand ")
	if n.Kind != "" {
		p.put("kind=", n.Kind, " ")
	}
	if n.Fuzzy {
		p.put("isfuzzy=true ")
	}
	p.put(n.Group, " as ", Name(n.As), " (", n.Body, "))")
}
