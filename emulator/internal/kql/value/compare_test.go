package value_test

import (
	"bytes"
	"math"
	"reflect"
	"testing"
	"unsafe"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// TestSize holds a bound of the compiler: it keeps a struct of at most four words and
// four fields in registers, a larger one in memory.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(value.Value{}); n > 4*unsafe.Sizeof(uintptr(0)) {
		t.Errorf("a Value has %d bytes, want at most four words", n)
	}
	if n := reflect.TypeFor[value.Value]().NumField(); n > 4 {
		t.Errorf("a Value has %d fields, want at most 4", n)
	}
}

func decimal(t *testing.T, text string) value.Value {
	t.Helper()
	d, err := value.NewDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCompare(t *testing.T) {
	tests := []struct {
		a, b value.Value
		want int
	}{
		{value.NewInt(1), value.NewLong(1), 0},
		{value.NewLong(1), value.NewReal(1), 0},
		{value.NewLong(9007199254740993), value.NewReal(9007199254740992), 1},
		{value.NewLong(math.MaxInt64), value.NewReal(math.MaxInt64), -1},
		{value.NewLong(math.MinInt64), value.NewReal(math.MinInt64), 0},
		{value.NewReal(0.5), value.NewLong(0), 1},
		{value.NewReal(-0.5), value.NewLong(0), -1},
		{value.NewReal(math.NaN()), value.NewLong(math.MinInt64), -1},
		{decimal(t, "1.10"), decimal(t, "1.1"), 0},
		{decimal(t, "0.5"), value.NewReal(0.5), 0},
		{decimal(t, "0.1"), value.NewReal(0.1), -1},
		{value.NewString("B"), value.NewString("a"), -1},
		{value.Null(value.Long), value.NewLong(math.MinInt64), -1},
		{value.Null(value.Long), value.Null(value.Real), 0},
		{value.NewDynamic(value.NewLong(2)), value.NewLong(10), -1},
		{value.NewBool(false), value.NewBool(true), -1},
		{value.DynamicJSON("[1,2]"), value.NewArray([]value.Value{value.NewLong(1), value.NewLong(2)}), 0},
		{value.DynamicJSON(`{"a":1}`), value.DynamicJSON(`{"a":2}`), -1},
	}
	for _, tt := range tests {
		if got := value.Compare(tt.a, tt.b); got != tt.want {
			t.Errorf("Compare(%v, %v) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := value.Compare(tt.b, tt.a); got != -tt.want {
			t.Errorf("Compare(%v, %v) = %d, want %d", tt.b, tt.a, got, -tt.want)
		}
		same := bytes.Equal(tt.a.AppendKey(nil), tt.b.AppendKey(nil))
		if equal := value.Equal(tt.a, tt.b); equal != (tt.want == 0) || equal != same {
			t.Errorf("%v and %v: Equal %v, same key %v, Compare %d", tt.a, tt.b, equal, same, tt.want)
		}
	}
}

func TestKeysTellWhereTheyEnd(t *testing.T) {
	join := func(values ...value.Value) string {
		var b []byte
		for _, v := range values {
			b = v.AppendKey(b)
		}
		return string(b)
	}
	if join(value.NewString("a"), value.NewString("bc")) == join(value.NewString("ab"), value.NewString("c")) {
		t.Error("keys of different pairs are equal")
	}
	if join(value.NewString("")) == join(value.Null(value.Long)) {
		t.Error("the empty string has the key of null")
	}
}

func TestDecimalArithmetic(t *testing.T) {
	tests := []struct {
		a, op, b, want string
	}{
		{"0.1", "+", "0.2", "0.3"},
		{"1", "-", "0.000000000000000000000001", "0.999999999999999999999999"},
		{"12.5", "*", "4", "50"},
		{"1", "/", "3", "0.333333333333333333333333333333333"},
		{"1", "/", "0", ""},
		{"-14", "%", "12", "10"},
	}
	for _, tt := range tests {
		got := value.DecimalArithmetic(tt.op[0], decimal(t, tt.a), decimal(t, tt.b))
		if got.String() != tt.want {
			t.Errorf("%s %s %s = %v, want %s", tt.a, tt.op, tt.b, got, tt.want)
		}
	}
}
