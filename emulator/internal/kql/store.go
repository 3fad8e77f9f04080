package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// rowKeeper is the part of a source that keeps rows of another pipeline and
// gives them on with the same columns, hidden ones included.
type rowKeeper struct {
	in   *pipeline
	refs []ref  // where they are read, in the order of the output
	keep []bool // whether anything reads them
	more []ref  // what else is read of in, for example for sort keys
}

// stored is a pipeline over a source that keeps rows of p.
func stored(p *pipeline, make func(*rowKeeper) source) *pipeline {
	k := &rowKeeper{in: p}
	columns := p.columns()
	for _, f := range p.fields {
		k.refs = append(k.refs, f.ref)
	}
	out := newPipeline(nil, columns)
	for i, h := range p.hidden {
		k.refs = append(k.refs, h.ref)
		out.hidden = append(out.hidden, field{name: h.name, kind: h.kind, ref: ref(len(columns) + i)})
	}
	out.width = len(k.refs)
	out.source = make(k)
	return out
}

func (k *rowKeeper) require(need []bool) {
	k.keep = need
	refs := k.more
	for i, r := range k.refs {
		if need[i] {
			refs = append(refs[:len(refs):len(refs)], r)
		}
	}
	k.in.finish(refs)
}

// copy puts what is read of the frame's row into row.
func (k *rowKeeper) copy(row []value.Value, f *frame) {
	for i, r := range k.refs {
		if k.keep[i] {
			row[i] = f.at(r)
		}
	}
}

// each gives on the rows.
func (s *rowStore) each(x *execution, yield func(row []value.Value) error) error {
	for i, row := range s.rows {
		if i%4096 == 0 {
			if err := x.ctx.Err(); err != nil {
				return err
			}
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// schemaOf is getschema: a row for each column.
func schemaOf(p *pipeline) *pipeline {
	l := &literalRows{width: 4}
	for i, f := range p.fields {
		l.rows = append(l.rows, []*expr{
			constantExpr(value.NewString(f.name)), constantExpr(value.NewInt(int32(i))),
			constantExpr(value.NewString(f.kind.CSharp())), constantExpr(value.NewString(f.kind.String())),
		})
	}
	out := newPipeline(l, []value.Column{
		{Name: "ColumnName", Kind: value.String},
		{Name: "ColumnOrdinal", Kind: value.Int},
		{Name: "DataType", Kind: value.String},
		{Name: "ColumnType", Kind: value.String},
	})
	out.serialized = true
	return out
}
