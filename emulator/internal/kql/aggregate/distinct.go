package aggregate

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

var (
	dcount        = Aggregate{Name: "dcount", MinArgs: 1, MaxArgs: 2, bind: bindDistinct("dcount")}
	countDistinct = Aggregate{Name: "count_distinct", MinArgs: 1, MaxArgs: 1, bind: bindDistinct("count_distinct")}
)

// distincts count different values, nulls left out. They are exact; the
// accuracy that dcount() takes as second argument changes nothing.
var distincts = []Aggregate{
	dcount, conditional("dcountif", "dcountif_", dcount),
	countDistinct, conditional("count_distinctif", "count_distinctif_", countDistinct),
}

func bindDistinct(prefix string) func(call) (Bound, error) {
	return func(c call) (Bound, error) {
		if err := c.check(0, anything, "a scalar expression"); err != nil {
			return Bound{}, err
		}
		if _, err := c.number(1, 1); err != nil {
			return Bound{}, err
		}
		return alike(one(value.Long, prefix), distinct{}), nil
	}
}

type distinct struct{ seen keys }

func (d *distinct) Add(args []value.Value) error {
	if !args[0].IsNull() {
		d.seen.add(args[0])
	}
	return nil
}

func (d *distinct) AppendResults(to []value.Value) []value.Value {
	return append(to, value.NewLong(int64(len(d.seen))))
}

// keys is a set of values by their keys. Strings are stored by their text, which
// identifies them within one column.
type keys map[string]struct{}

// add says whether v is new.
func (k *keys) add(v value.Value) bool {
	if *k == nil {
		*k = keys{}
	}
	if v.Kind() == value.String {
		text := v.Text()
		if _, ok := (*k)[text]; ok {
			return false
		}
		(*k)[text] = struct{}{}
		return true
	}
	var buffer [64]byte
	key := v.AppendKey(buffer[:0])
	if _, ok := (*k)[string(key)]; ok {
		return false
	}
	(*k)[string(key)] = struct{}{}
	return true
}
