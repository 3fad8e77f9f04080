package scalar

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	mathrand "math/rand/v2"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// sizes estimates sizes. The service's formula is published only for long
// (8) and string (its bytes); here bool is 1, int 4, real, datetime and
// timespan 8, guid and decimal 16, and a dynamic the bytes of its JSON and 8
// more, as it is documented to be larger than the same text.
var sizes = []Function{
	lenient("estimate_data_size", value.Long, params{isAny}, func(a []value.Value) value.Value {
		n := int64(0)
		var buffer [512]byte
		for _, v := range a {
			switch v.Kind() {
			case value.Bool:
				n++
			case value.Int:
				n += 4
			case value.String:
				n += int64(len(v.Text()))
			case value.GUID, value.Decimal:
				n += 16
			case value.Dynamic:
				n += 8
				if !v.IsNull() {
					n += int64(len(v.AppendJSON(buffer[:0])))
				}
			default:
				n += 8
			}
		}
		return value.NewLong(n)
	}).arity(1, -1),
}

var asserts = []Function{
	custom("assert", 2, 2, func(c call) (Bound, error) {
		if err := (params{isBool, isString}).check(c); err != nil {
			return Bound{}, err
		}
		return Bound{Kind: value.Bool, Cost: 1, Eval: func(a []value.Value) (value.Value, error) {
			if !a[0].Bool() {
				return value.Value{}, fmt.Errorf("assert() has failed with message: '%s'", a[1].Text())
			}
			return yes, nil
		}}, nil
	}),
}

// generators give another value with each call.
var generators = []Function{
	volatile(fn("rand", value.Real, params{isInteger}, func(a []value.Value) value.Value {
		if len(a) == 1 && a[0].Int64() > 0 {
			return value.NewReal(float64(mathrand.Int64N(a[0].Int64())))
		}
		return value.NewReal(mathrand.Float64())
	}).arity(0, 1)),
	volatile(lenient("new_guid", value.GUID, params{}, func([]value.Value) value.Value { return newGUID() })),
}

func volatile(f Function) Function {
	f.Volatile = true
	return f
}

// newGUID is a random guid of version 4.
func newGUID() value.Value {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	g, err := value.NewGUID(hex.EncodeToString(b[:]))
	if err != nil {
		return value.Null(value.GUID)
	}
	return g
}
