package scalar

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// arrayOrder sorts arrays. Sorting several arrays at once, which gives several
// columns, is refused.
var arrayOrder = []Function{
	sorter("array_sort_asc", 1),
	sorter("array_sort_desc", -1),
}

func sorter(name string, sign int) Function {
	return custom(name, 1, 2, func(c call) (Bound, error) {
		if err := (params{isDynamic, isBool}).check(c); err != nil {
			return Bound{}, err
		}
		return Bound{Kind: value.Dynamic, Cost: 50, Eval: strict(value.Dynamic, func(a []value.Value) value.Value {
			elements, ok := a[0].Array()
			if !ok {
				return nullAny
			}
			nullsLast := len(a) == 1 || a[1].Bool()
			elements = slices.Clone(elements)
			slices.SortStableFunc(elements, func(x, y value.Value) int {
				if x.IsNull() || y.IsNull() {
					order := value.Compare(x, y) // nulls first
					if nullsLast {
						return -order
					}
					return order
				}
				if rx, ry := sortRank(x), sortRank(y); rx != ry {
					return rx - ry
				}
				return sign * value.Compare(x, y)
			})
			return value.NewArray(elements)
		})}, nil
	})
}

// sortRank orders elements of different types: numbers and times, strings,
// guids, all other.
func sortRank(v value.Value) int {
	s, _ := v.Scalar()
	switch k := s.Kind(); {
	case k.IsNumeric(), k == value.DateTime, k == value.TimeSpan:
		return 0
	case k == value.String:
		return 1
	case k == value.GUID:
		return 2
	}
	return 3
}
