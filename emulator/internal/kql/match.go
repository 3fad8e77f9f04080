package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// matchStep is the scan operator: it compares each row with steps, which keep a
// state (https://learn.microsoft.com/kusto/query/scan-operator).
type matchStep struct {
	declared []declared
	steps    []scanStep
	id       int // slot of the match's number, or -1
}

type declared struct {
	slot  int
	first *expr // the value of a row that no step has assigned one
}

type scanStep struct {
	state  *scanState
	when   *expr
	assign []assignment
	silent bool // output=none
}

type assignment struct {
	slot int
	e    *expr
}

// scanState is the columns of a step's last row that expressions refer to.
type scanState struct {
	row   *row // of the scan's input and the declared columns
	lay   *layout
	names []string
	from  []ref // where the columns are in a row that matches
	slots []int
	empty []value.Value // while the step has no row
	first map[string]*expr
}

// find gives a column a place in the state.
func (s *scanState) find(name string) (field, bool) {
	f, ok := s.row.find(name)
	if !ok {
		return field{}, false
	}
	i := slices.Index(s.names, name)
	if i < 0 {
		i = len(s.names)
		empty := value.Null(f.kind)
		if e := s.first[name]; e != nil {
			empty = *e.constant
		}
		s.names, s.from, s.empty = append(s.names, name), append(s.from, f.ref), append(s.empty, empty)
		s.slots = append(s.slots, s.lay.slot(f.kind))
	}
	return field{name: name, kind: f.kind, ref: slotRef(s.slots[i])}, true
}

func (b *binder) scanSteps(p *pipeline, n *syntax.Scan, c site) error {
	if !p.serialized {
		return semantic(n.Pos(), "'scan' operator: The row set must be serialized.")
	}
	m := &matchStep{id: -1}
	first := map[string]*expr{}
	fields := slices.Clone(p.fields)
	for _, d := range n.Declare {
		e := constantExpr(value.Null(d.Kind))
		switch _, taken := p.find(d.Name); {
		case d.Tabular || taken || first[d.Name] != nil:
			return semantic(d.Pos(), "'scan' operator: Column '%s' is defined more than once", d.Name)
		case d.Default != nil:
			given, err := b.independent(d.Default, c.scope, c.op)
			if err != nil {
				return err
			}
			if given.constant == nil {
				return unsupported(d.Pos(), "'scan' operator: a default that is no constant is not supported here.")
			}
			e = constantExpr(scalar.Convert(*given.constant, d.Kind))
		}
		slot := p.lay.slot(d.Kind)
		first[d.Name] = e
		m.declared = append(m.declared, declared{slot, e})
		fields = append(fields, field{name: d.Name, kind: d.Kind, ref: slotRef(slot)})
	}
	p.fields = fields
	r := &row{fields: fields, hidden: p.hidden, layout: p.layout, states: map[string]*scanState{}}
	for _, step := range n.Steps {
		if r.states[step.Name] != nil {
			return semantic(step.Pos(), "'scan' operator: the step '%s' is defined more than once", step.Name)
		}
		if step.Output == "last" {
			return unsupported(step.Pos(), "'scan' operator: output=last is not supported here.")
		}
		state := &scanState{row: &row{fields: fields}, lay: &p.lay, first: first}
		r.states[step.Name] = state
		m.steps = append(m.steps, scanStep{state: state, silent: step.Output == "none"})
	}
	for i, step := range n.Steps {
		if err := b.scanStep(&m.steps[i], step, fields[len(fields)-len(n.Declare):], site{scope: c.scope, row: r, op: c.op}); err != nil {
			return err
		}
	}
	if n.MatchID != "" {
		m.id = p.lay.slot(value.Long)
		p.fields = append(p.fields, field{name: newNamerOf(p.fields).unique(n.MatchID), kind: value.Long, ref: slotRef(m.id)})
	}
	p.steps = append(p.steps, m)
	return nil
}

func (b *binder) scanStep(s *scanStep, n syntax.ScanStep, declared []field, c site) error {
	var err error
	if s.when, err = b.condition(n.When, c); err != nil {
		return err
	}
	for _, item := range n.Assign {
		if len(item.Names) != 1 {
			return semantic(item.Pos(), "'scan' operator: expected Column = expression")
		}
		i := slices.IndexFunc(declared, func(f field) bool { return f.name == item.Names[0] })
		if i < 0 {
			return semantic(item.Pos(), "'scan' operator: the column '%s' is not declared", item.Names[0])
		}
		e, err := b.scalar(item.X, c)
		if err != nil {
			return err
		}
		if k := declared[i].kind; e.kind != k && (!e.kind.IsNumeric() || !k.IsNumeric()) {
			return semantic(item.Pos(), "'scan' operator: the column '%s' is of type %v, and the expression of type %v", item.Names[0], k, e.kind)
		}
		s.assign = append(s.assign, assignment{int(^declared[i].ref), converted(c.row.layout, e, declared[i].kind)})
	}
	return nil
}

func (m *matchStep) prune(u *used) {
	for _, s := range m.steps {
		u.mark(s.when.reads...)
		u.mark(s.state.from...)
		for _, a := range s.assign {
			u.mark(a.e.reads...)
		}
	}
}

// sequence is the state of a step: the rows that have led to it.
type sequence struct {
	id   int64
	rows [][]value.Value // of the steps up to this one
}

func (m *matchStep) open(f *frame, next func() error) func() error {
	r := &matcher{matchStep: m, f: f, next: next, states: make([]*sequence, len(m.steps))}
	return r.row
}

// matcher is a run of scan.
type matcher struct {
	*matchStep
	f      *frame
	next   func() error
	states []*sequence // nil for a step without one
	id     int64       // of the next sequence
}

// row compares the frame's row with all steps, the last one first.
func (r *matcher) row() error {
	for k := len(r.steps) - 1; k >= 0; k-- {
		if k > 0 && r.states[k-1] != nil {
			met, err := r.satisfies(k, r.states[k-1])
			if err != nil {
				return err
			}
			if met {
				before := r.states[k-1]
				r.states[k-1] = nil
				if err := r.match(k, &sequence{id: before.id, rows: before.rows}); err != nil {
					return err
				}
				continue
			}
		}
		if k > 0 && r.states[k] == nil {
			continue
		}
		met, err := r.satisfies(k, r.states[k])
		if err != nil {
			return err
		}
		if !met {
			continue
		}
		s := &sequence{}
		if r.states[k] != nil {
			s.id, s.rows = r.states[k].id, r.states[k].rows[:k:k]
		} else {
			s.id = r.id
			r.id++
		}
		if err := r.match(k, s); err != nil {
			return err
		}
	}
	return nil
}

// satisfies tests a step's condition under a state.
func (r *matcher) satisfies(k int, s *sequence) (bool, error) {
	for j, step := range r.steps {
		values := step.state.empty
		if s != nil && j < len(s.rows) {
			values = s.rows[j]
		}
		for i, slot := range step.state.slots {
			r.f.ext[slot] = values[i]
		}
	}
	for _, d := range r.declared {
		r.f.ext[d.slot] = *d.first.constant
	}
	return isTrue(r.f, r.steps[k].when.eval)
}

// match extends the row, which has met step k under the state that is loaded,
// and makes it the last row of the sequence.
func (r *matcher) match(k int, s *sequence) error {
	step := &r.steps[k]
	assigned := make([]value.Value, len(step.assign))
	for i, a := range step.assign {
		assigned[i] = a.e.eval(r.f)
	}
	if r.f.err != nil {
		return r.f.err
	}
	for i, a := range step.assign {
		r.f.ext[a.slot] = assigned[i]
	}
	last := make([]value.Value, len(step.state.from))
	for i, from := range step.state.from {
		last[i] = r.f.at(from)
	}
	s.rows = append(s.rows[:k:k], last)
	r.states[k] = s
	if step.silent {
		return nil
	}
	if r.matchStep.id >= 0 {
		r.f.ext[r.matchStep.id] = value.NewLong(s.id)
	}
	return r.next()
}
