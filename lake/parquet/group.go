package parquet

// Group is a row group with its statistics.
type Group struct {
	Rows int64

	reader *Reader
	index  int
}

// Bounds are the least and the greatest value of a column in the row group. ok is
// false where they are not known, or the column has only null.
func (g Group) Bounds(column string) (low, high Value, ok bool) {
	for i, c := range g.reader.columns {
		leaf := g.reader.leaves[i]
		if c.Name != column || leaf < 0 {
			continue
		}
		groups := g.reader.file.Metadata().RowGroups
		if g.index >= len(groups) || leaf >= len(groups[g.index].Columns) {
			return low, high, false // the file is broken, which reading it shows
		}
		s := groups[g.index].Columns[leaf].MetaData.Statistics
		if s.MinValue == nil || s.MaxValue == nil {
			return low, high, false
		}
		l := layouts[c.Type]
		return unpack(l, s.MinValue), unpack(l, s.MaxValue), true
	}
	return low, high, false
}

// unpack is a stored minimum or maximum.
func unpack(l layout, b []byte) Value {
	switch l {
	case textLayout:
		return Text(b)
	case intLayout:
		return Int(int64(int32(number(b))))
	case boolLayout:
		return Bool(len(b) == 1 && b[0] != 0)
	default:
		return Value{set: true, bits: number(b)}
	}
}
