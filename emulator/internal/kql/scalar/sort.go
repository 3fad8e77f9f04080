package scalar

import (
	"slices"
	"strconv"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// arrayOrder sorts arrays. Of several arrays the others are brought into the
// order of the first, and there is a result for each; one of another length is
// null (https://learn.microsoft.com/kusto/query/array-sort-asc-function).
var arrayOrder = []Function{
	sorter("array_sort_asc", 1),
	sorter("array_sort_desc", -1),
}

func sorter(name string, sign int) Function {
	return custom(name, 1, 65, func(c call) (Bound, error) {
		arrays := len(c.args)
		if arrays > 1 && c.args[arrays-1].Kind == value.Bool {
			arrays--
		}
		if err := (params{isDynamic}).check(call{name: c.name, args: c.args[:arrays]}); err != nil {
			return Bound{}, err
		}
		b := Bound{Kind: value.Dynamic, Cost: 50 * arrays}
		for i := range arrays {
			b.Results = append(b.Results, Result{Kind: value.Dynamic, Arg: i, Suffix: "_sorted", Unnamed: "array" + strconv.Itoa(i)})
		}
		b.Eval = strict(value.Dynamic, func(a []value.Value) value.Value {
			elements, ok := a[0].Array()
			if !ok {
				return nullAny
			}
			places := sortedPlaces(elements, sign, arrays == len(a) || a[arrays].Bool())
			sorted := make([]value.Value, arrays)
			for i := range sorted {
				sorted[i] = nullAny
				if e, ok := a[i].Array(); ok && len(e) == len(places) {
					sorted[i] = picked(e, places)
				}
			}
			if arrays == 1 {
				return sorted[0]
			}
			return value.NewArray(sorted)
		})
		if arrays == 1 {
			b.Results = nil
		}
		return b, nil
	})
}

// sortedPlaces is where the elements of the sorted array are now.
func sortedPlaces(elements []value.Value, sign int, nullsLast bool) []int {
	places := make([]int, len(elements))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(i, j int) int {
		x, y := elements[i], elements[j]
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
	return places
}

func picked(elements []value.Value, places []int) value.Value {
	list := make([]value.Value, len(places))
	for i, p := range places {
		list[i] = elements[p]
	}
	return value.NewArray(list)
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
