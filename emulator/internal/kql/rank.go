package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// rankStep is row_rank_dense(term [, restart]) and row_rank_min: the rank grows
// where the term is another one, by one or to the number of the row.
type rankStep struct {
	windowStep
	dense bool
}

func rowRank(n *syntax.Call, args []*expr, slot int) (step, error) {
	if err := argumentCount(n, 1, 2); err != nil {
		return nil, err
	}
	if len(args) > 1 && args[1].kind != value.Bool {
		return nil, semantic(n.Pos(), "%s(): argument #2 expected to be a boolean expression", n.Name)
	}
	return &rankStep{windowStep: windowStep{slot: slot, args: args}, dense: n.Name == "row_rank_dense"}, nil
}

func (s *rankStep) open(f *frame, next func() error) func() error {
	if s.skip {
		return next
	}
	var row, rank int64
	var last value.Value
	return func() error {
		again := false
		if len(s.args) > 1 {
			var err error
			if again, err = isTrue(f, s.args[1].eval); err != nil {
				return err
			}
		}
		v := s.args[0].eval(f)
		if f.err != nil {
			return f.err
		}
		if again {
			row, rank = 0, 0
		}
		row++
		switch {
		case row > 1 && value.Equal(v, last):
		case s.dense:
			rank++
		default:
			rank = row
		}
		last = v
		f.ext[s.slot] = value.NewLong(rank)
		return next()
	}
}

// sessionStep is row_window_session(expr, most, gap [, restart]): the start of
// the session that the row belongs to.
type sessionStep struct{ windowStep }

func rowSession(n *syntax.Call, args []*expr, slot int) (step, error) {
	if err := argumentCount(n, 3, 4); err != nil {
		return nil, err
	}
	for i, want := range []value.Kind{value.DateTime, value.TimeSpan, value.TimeSpan, value.Bool} {
		if i < len(args) && args[i].kind != want {
			return nil, semantic(n.Pos(), "row_window_session(): argument #%d expected to be of type %v", i+1, want)
		}
	}
	return &sessionStep{windowStep{slot: slot, args: args}}, nil
}

func (s *sessionStep) open(f *frame, next func() error) func() error {
	if s.skip {
		return next
	}
	start, last := value.Null(value.DateTime), value.Null(value.DateTime)
	return func() error {
		again := false
		if len(s.args) > 3 {
			var err error
			if again, err = isTrue(f, s.args[3].eval); err != nil {
				return err
			}
		}
		at, most, gap := s.args[0].eval(f), s.args[1].eval(f), s.args[2].eval(f)
		if f.err != nil {
			return f.err
		}
		if again || start.IsNull() || at.IsNull() || at.Ticks() >= start.Ticks()+most.Ticks() || at.Ticks() >= last.Ticks()+gap.Ticks() {
			start = at
		}
		last = at
		f.ext[s.slot] = start
		return next()
	}
}
