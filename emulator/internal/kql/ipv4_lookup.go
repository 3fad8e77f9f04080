package kql

import (
	"net/netip"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// ipv4Lookup matches addresses with the networks of a lookup table. Its keys are the
// further columns that must be equal.
type ipv4Lookup struct {
	joinSource
	address   ref // in the left pipeline
	network   int // column of the result
	from      int // column of the result that holds the address
	unmatched bool
}

// ipv4Lookup binds the plugin of that name
// (https://learn.microsoft.com/kusto/query/ipv4-lookup-plugin).
func (b *binder) ipv4Lookup(p *pipeline, n *syntax.Evaluate, c site) (*pipeline, error) {
	if n.Schema != nil {
		return nil, unsupported(n.Schema.Pos(), "An output schema is not supported here behind ipv4_lookup().")
	}
	args, unmatched, err := b.lookupArguments(p, n, c)
	if err != nil {
		return nil, err
	}
	right, err := b.tabular(args[0].X, c.scope, c.op)
	if err != nil {
		return nil, err
	}
	src := &ipv4Lookup{joinSource: joinSource{kind: "leftouter", left: p, right: right, build: right}, unmatched: unmatched}
	var columns [2]field // the address, the network
	for i, side := range []*pipeline{p, right} {
		id, ok := args[i+1].X.(*syntax.Ident)
		if !ok {
			return nil, semantic(n.Pos(), "ipv4_lookup(): argument #%d must be a column", i+2)
		}
		if columns[i], ok = side.find(id.Name); !ok {
			return nil, unresolved(id.Pos(), c.op, "scalar expression", id.Name)
		}
		if columns[i].kind != value.String {
			return nil, semantic(id.Pos(), "ipv4_lookup(): argument #%d expected to be a string expression", i+2)
		}
	}
	for i, key := range args[3:] {
		if _, ok := key.X.(*syntax.Ident); !ok {
			return nil, semantic(n.Pos(), "ipv4_lookup(): argument #%d must be a column", i+4)
		}
		if err := b.joinOn(&src.joinSource, key.X, c); err != nil {
			return nil, err
		}
	}
	out := src.output(true)
	src.address = columns[0].ref
	src.from = slices.IndexFunc(src.columns, func(c joinColumn) bool { return !c.right && c.ref == columns[0].ref })
	src.network = slices.IndexFunc(src.columns, func(c joinColumn) bool { return c.right && c.ref == columns[1].ref })
	if src.network < 0 {
		return nil, semantic(n.Pos(), "ipv4_lookup(): the column '%s' cannot be a key too", columns[1].name)
	}
	return newPipeline(src, out), nil
}

// lookupArguments are the table and the columns, and whether rows without a match are
// wanted: the last argument if it is a bool, or the one of that name.
func (b *binder) lookupArguments(p *pipeline, n *syntax.Evaluate, c site) (args []syntax.Argument, unmatched bool, err error) {
	args = n.Call.Args
	if last := len(args) - 1; last >= 3 {
		id, column := args[last].X.(*syntax.Ident)
		if column {
			_, column = p.find(id.Name)
		}
		if args[last].Name == "return_unmatched" || !column {
			e, err := b.scalar(args[last].X, c)
			if err != nil {
				return nil, false, err
			}
			v := e.constant
			if v == nil || v.Kind() != value.Bool {
				return nil, false, semantic(n.Pos(), "ipv4_lookup(): argument #%d must be a constant of type bool", last+1)
			}
			args, unmatched = args[:last], !v.IsNull() && v.Bool()
		}
	}
	if len(args) < 3 {
		return nil, false, semantic(n.Pos(), "ipv4_lookup(): function expects at least 3 argument(s).")
	}
	for _, a := range args {
		if a.Name != "" {
			return nil, false, semantic(n.Pos(), "ipv4_lookup(): there is no argument '%s'", a.Name)
		}
	}
	return args, unmatched, nil
}

func (s *ipv4Lookup) require(need []bool) {
	need = slices.Clone(need)
	need[s.from], need[s.network] = true, true
	s.joinSource.require(need)
}

func (s *ipv4Lookup) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	t, err := s.load(x, false)
	if err != nil {
		return err
	}
	networks := make([]netip.Prefix, len(t.rows.rows)) // the zero prefix contains nothing
	for i, row := range t.rows.rows {
		if p, ok := scalar.ParseIPv4(row[s.columns[s.network].at].Text()); ok {
			networks[i] = p.Masked()
		}
	}
	out := make([]value.Value, len(s.columns))
	return s.left.run(x, func(f *frame) error {
		t.key(f, s.keys[0])
		at := t.first()
		address, ok := scalar.ParseIPv4(f.at(s.address).Text())
		if f.err != nil {
			return f.err
		}
		found := false
		for ; ok && at >= 0; at = t.next[at] {
			if address.Bits() < networks[at].Bits() && address.Overlaps(networks[at]) {
				return unsupported(0, "ipv4_lookup(): an address with a shorter prefix than the network's is not supported here.")
			}
			if !networks[at].Contains(address.Addr()) {
				continue
			}
			found = true
			s.fill(out, f, t.rows.rows[at])
			if err := yield(out); err != nil {
				return err
			}
		}
		if found || !s.unmatched {
			return nil
		}
		s.fill(out, f, nil)
		return yield(out)
	})
}
