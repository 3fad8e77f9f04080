package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// maxDistance is how far prev() and next() may look.
const maxDistance = 100_000

// neighbour binds prev and next: (column [, offset [, default]]).
func neighbour(n *syntax.Call, args []*expr, slot int) (step, value.Kind, error) {
	if err := argumentCount(n, 1, 3); err != nil {
		return nil, 0, err
	}
	kind := args[0].kind
	w := windowStep{slot: slot, args: args[:1]}
	distance, otherwise := int64(1), value.Null(kind)
	if len(args) > 1 {
		if args[1].constant == nil || !args[1].kind.IsInteger() {
			return nil, 0, semantic(n.Pos(), "%s(): argument #2 must be a constant integer", n.Name)
		}
		distance = args[1].constant.Int64()
	}
	if len(args) > 2 {
		if args[2].constant == nil {
			return nil, 0, semantic(n.Pos(), "%s(): argument #3 must be a constant", n.Name)
		}
		otherwise = scalar.Convert(*args[2].constant, kind)
	}
	if distance < 0 || distance > maxDistance {
		return nil, 0, semantic(n.Pos(), "%s(): argument #2 must be between 0 and %d", n.Name, maxDistance)
	}
	if n.Name == "prev" || distance == 0 {
		return &prevStep{w, int(distance), otherwise}, kind, nil
	}
	return &nextStep{w, int(distance), otherwise}, kind, nil
}

// prevStep remembers the values of rows before.
type prevStep struct {
	windowStep
	distance  int
	otherwise value.Value
}

func (s *prevStep) open(f *frame, next func() error) func() error {
	if s.skip {
		return next
	}
	ring := slices.Repeat([]value.Value{s.otherwise}, s.distance)
	at := 0
	return func() error {
		v := s.args[0].eval(f)
		if f.err != nil {
			return f.err
		}
		if s.distance > 0 {
			v, ring[at] = ring[at], v
			at = (at + 1) % s.distance
		}
		f.ext[s.slot] = v
		return next()
	}
}

// nextStep holds rows back until the row that they look at is there.
type nextStep struct {
	windowStep
	distance  int
	otherwise value.Value
}

// heldRow is a copy of a frame's row.
type heldRow struct{ src, ext []value.Value }

func (s *nextStep) open(f *frame, next func() error) func() error {
	if s.skip {
		return next
	}
	var held []heldRow // the oldest first
	release := func(v value.Value) error {
		h := held[0]
		held = held[1:]
		h.ext[s.slot] = v
		// The steps behind this one see the row that was held; those before
		// it keep their own.
		src, ext := f.src, f.ext
		f.src, f.ext = h.src, h.ext
		err := next()
		f.src, f.ext = src, ext
		return err
	}
	f.flushes = append(f.flushes, flush{f.opening, func() error {
		for len(held) > 0 {
			if err := release(s.otherwise); err != nil {
				return err
			}
		}
		return nil
	}})
	return func() error {
		v := s.args[0].eval(f)
		if f.err != nil {
			return f.err
		}
		held = append(held, heldRow{slices.Clone(f.src), slices.Clone(f.ext)})
		if len(held) > s.distance {
			return release(v)
		}
		return nil
	}
}
