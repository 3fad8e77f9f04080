package tenant

import (
	"hash/fnv"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// of is the place that belongs to a text, as seen from d.
func (d dice) of(text string) dice {
	h := fnv.New64a()
	// A hash takes all it is given.
	_, _ = h.Write([]byte(text))
	return dice(mix(uint64(d) ^ h.Sum64()))
}

// invented is the values of a column that the table itself does not have.
func invented(table, column string, kind value.Kind) viewStep {
	return func(_ value.Value, roll dice) value.Value {
		d := roll.of(table + "." + column)
		if kind != value.String && d.permille(50) {
			return value.Null(kind)
		}
		d = d.at(ofDrift, 0, 0)
		switch kind {
		case value.Bool:
			return value.NewBool(d.permille(300))
		case value.Int:
			return value.NewInt(int32(d.n(1 << 20)))
		case value.Long:
			return value.NewLong(beyondDouble + int64(d.n(1<<20)))
		case value.Real:
			return value.NewReal(float64(d.n(100_000)) / 1000)
		case value.DateTime:
			return value.DateTimeFromTicks(driftEpoch + int64(d.n(int(365*value.TicksPerDay))))
		case value.TimeSpan:
			return value.NewTimeSpan(int64(d.n(int(value.TicksPerDay))))
		case value.GUID:
			return scalar.Convert(value.NewString(d.guid()), value.GUID)
		case value.Decimal:
			return scalar.Convert(value.NewReal(float64(d.n(10_000))/8), value.Decimal)
		case value.Dynamic:
			return pick(d, inventedDynamics)
		default:
			return value.NewString(pick(d, inventedTexts))
		}
	}
}

// driftEpoch is the first of January 2024, from which invented times count.
const driftEpoch = 638_396_640_000_000_000

var (
	inventedTexts    = []string{"", "Low", "High", "größer", `{"a":1}`, "None", "10.0", "true"}
	inventedDynamics = []value.Value{
		emptyArray, emptyBag, value.DynamicJSON(`["a","ä"]`), value.DynamicJSON(`{"Level":2,"Since":"2024-02-29T01:02:03.0000001Z"}`),
		value.DynamicJSON(`7`), value.DynamicJSON(`"text"`),
	}
)

// nested gives the bags of a dynamic column one more key.
func nested(table, column, key string) viewStep {
	return func(v value.Value, roll dice) value.Value {
		d := roll.of(table+"."+column+"."+key).at(ofDrift, 1, 0)
		return withKey(v, key, pick(d, []value.Value{
			value.NewString(d.hex(8)), value.NewLong(int64(d.n(100))), value.NewBool(true), bag("deep", d.hex(4)),
		}))
	}
}

// withKey is a dynamic whose bags, and those among its elements, have the key;
// one that is there keeps its value.
func withKey(v value.Value, key string, x value.Value) value.Value {
	if elements, ok := v.Array(); ok {
		changed := slices.Clone(elements)
		for i, e := range changed {
			if e.IsBag() {
				changed[i] = withKey(e, key, x)
			}
		}
		return value.NewArray(changed)
	}
	slots, ok := v.Bag()
	if !ok || slices.ContainsFunc(slots, func(p value.Property) bool { return p.Name == key }) {
		return v
	}
	return value.NewBag(append(slices.Clip(slices.Clone(slots)), value.Property{Name: key, Value: dynamic(x)}))
}
