package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// shared is a table that materialize() keeps for all its uses in a run.
type shared struct {
	p    *pipeline
	refs []ref
	need []bool // what any of the uses reads
	uses int
}

// sharedKey tells the uses of one materialize() from those of another: it is
// the same text seen from the same names.
type sharedKey struct {
	call  *syntax.Call
	scope *scope
}

// sharings are the tables that a query keeps.
type sharings struct {
	byKey map[sharedKey]*shared
	list  []*shared // those within others first
}

func newSharings() *sharings { return &sharings{byKey: map[sharedKey]*shared{}} }

// finish is called when all uses have said what they read.
func (s *sharings) finish() {
	for _, kept := range slices.Backward(s.list) {
		var refs []ref
		for i, r := range kept.refs {
			if kept.need[i] {
				refs = append(refs, r)
			}
		}
		kept.p.finish(refs)
	}
	s.list = nil
}

// finishWhole is finish for a table that is read before all uses are known.
func (s *sharings) finishWhole() {
	for _, kept := range s.list {
		for i := range kept.need {
			kept.need[i] = true
		}
	}
	s.finish()
}

func (b *binder) materialize(n *syntax.Call, s *scope) (*pipeline, error) {
	if err := argumentCount(n, 1, 1); err != nil {
		return nil, err
	}
	key := sharedKey{n, s}
	kept, ok := b.kept.byKey[key]
	if !ok {
		p, err := b.tabular(n.Args[0].X, s, "")
		if err != nil {
			return nil, err
		}
		kept = b.keep(p)
		b.kept.byKey[key] = kept
	}
	return kept.use(), nil
}

// keep makes a shared table of the rows of p.
func (b *binder) keep(p *pipeline) *shared {
	kept := &shared{p: p, refs: p.refs()}
	for _, h := range p.hidden {
		kept.refs = append(kept.refs, h.ref)
	}
	kept.need = make([]bool, len(kept.refs))
	b.kept.list = append(b.kept.list, kept)
	return kept
}

// letTable binds the table that let has given a name. Where the environment says so, one
// that groups rows is computed once for all its uses, unless it could differ between them.
func (b *binder) letTable(v *binding, op string) (*pipeline, error) {
	if v.kept != nil {
		return v.kept.use(), nil
	}
	before := b.volatile
	p, err := b.tabular(v.x, v.scope, op)
	if err != nil || v.tabular || !b.env.ShareTables || b.volatile > before || !p.groups() {
		return p, err
	}
	v.kept = b.keep(p)
	return v.kept.use(), nil
}

// groups says whether the rows are groups that are known behind the last row only.
func (p *pipeline) groups() bool {
	s, ok := p.source.(*summarizeSource)
	return ok && slices.ContainsFunc(s.calls, func(c *aggregateCall) bool { return !c.bound.First })
}

// use is a pipeline over the rows.
func (s *shared) use() *pipeline {
	s.uses++
	out := newPipeline(&sharedSource{s}, s.p.columns())
	for i, h := range s.p.hidden {
		out.hidden = append(out.hidden, field{name: h.name, kind: h.kind, ref: ref(len(out.fields) + i)})
	}
	out.width = len(s.refs)
	out.serialized = s.p.serialized
	return out
}

// sharedSource gives the rows of a shared table, which are read when they are
// first asked for.
type sharedSource struct{ *shared }

func (s *sharedSource) require(need []bool) {
	for i, n := range need {
		s.need[i] = s.need[i] || n
	}
}

func (s *sharedSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	if s.uses == 1 && len(x.inputs) == 0 {
		return s.stream(x, yield)
	}
	store, ok := x.shared[s.shared]
	if !ok {
		store = &rowStore{width: len(s.refs)}
		err := s.p.run(x, func(f *frame) error {
			s.fill(store.add(), f)
			return nil
		})
		if err != nil {
			return err
		}
		x.shared[s.shared] = store
	}
	return store.each(x, yield)
}

// stream gives the rows without keeping them.
func (s *sharedSource) stream(x *execution, yield func(row []value.Value) error) error {
	row := make([]value.Value, len(s.refs))
	return s.p.run(x, func(f *frame) error {
		s.fill(row, f)
		return yield(row)
	})
}

func (s *shared) fill(row []value.Value, f *frame) {
	for i, r := range s.refs {
		if s.need[i] {
			row[i] = f.at(r)
		}
	}
}
