package value_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func TestDynamicJSON(t *testing.T) {
	tests := []struct{ text, want string }{
		{`{"a":123, "b":"hello", "c":[1,2,3], "d":{}}`, `{"a":123,"b":"hello","c":[1,2,3],"d":{}}`},
		{` [ 1 , 2.50 , 1e3, -0.5, 0.0001 ] `, `[1,2.5,1000.0,-0.5,0.0001]`},
		{`[1.0,10.25,100000000000000.5,0.00001]`, `[1.0,10.25,100000000000000.5,1E-05]`},
		{`9223372036854775807`, `9223372036854775807`},
		{`9223372036854775808`, `9.223372036854776E+18`},
		{`"a\/bé\n"`, `"a/bé\n"`},
		{`{"\u0061":"😀"}`, `{"a":"😀"}`},
		{`"\ud800x"`, "\"\uFFFDx\""},
		{`"\ud83d\ude00"`, `"😀"`},
		{`"` + "\xff" + `"`, "\"\uFFFD\""},
		{`null`, `null`},
		{`true`, `true`},
		{`not json`, `"not json"`},
		{``, `null`},
		{`{"a":1,}`, `"{\"a\":1,}"`},
		{`{"d":"2020-01-01T00:00:00Z"}`, `{"d":"2020-01-01T00:00:00Z"}`},
		{strings.Repeat("[", 3) + strings.Repeat("]", 3), `[[[]]]`},
	}
	for _, tt := range tests {
		if got := string(value.DynamicJSON(tt.text).AppendJSON(nil)); got != tt.want {
			t.Errorf("DynamicJSON(%q) prints %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestDynamicJSONTyped(t *testing.T) {
	v := value.DynamicJSONTyped(`{"a":"2023-10-05T16:48:39Z","b":"2023-10-05","c":["2023-10-05T18:48:39.5+02:00"],"2023-10-05T16:48:39Z":1,"e":"2023-10-05T16:48:39.123456789Z"}`)
	want := `{"a":"2023-10-05T16:48:39.0000000Z","b":"2023-10-05","c":["2023-10-05T16:48:39.5000000Z"],"2023-10-05T16:48:39Z":1,"e":"2023-10-05T16:48:39.123456789Z"}`
	if got := v.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for name, kind := range map[string]value.Kind{"a": value.DateTime, "b": value.String, "e": value.String} {
		f, _ := v.Field(name)
		if s, _ := f.Scalar(); s.Kind() != kind {
			t.Errorf("field %s is a %v, want %v", name, s.Kind(), kind)
		}
	}
	c, _ := v.Field("c")
	e, _ := c.Index(0)
	if s, ok := e.Scalar(); !ok || s.Kind() != value.DateTime || s.String() != "2023-10-05T16:48:39.5000000Z" {
		t.Errorf("c[0] = %v, %v", s, ok)
	}
}

func TestDynamicAccess(t *testing.T) {
	const text = `{"a":[10,{"b\"c":"x"},null],"s":"q\\","t":"last"}`
	built := value.NewBag([]value.Property{
		{Name: "a", Value: value.NewArray([]value.Value{
			value.NewInt(10),
			value.NewBag([]value.Property{{Name: `b"c`, Value: value.NewString("x")}}),
			value.Null(value.Long),
		})},
		{Name: "s", Value: value.NewString(`q\`)},
		{Name: "t", Value: value.NewString("last")},
	})
	for name, v := range map[string]value.Value{"json": value.DynamicJSON(text), "built": built} {
		t.Run(name, func(t *testing.T) {
			if got := v.String(); got != text {
				t.Errorf("String() = %s, want %s", got, text)
			}
			a, _ := v.Field("a")
			if n, ok := a.Len(); n != 3 || !ok {
				t.Errorf("Len() = %d, %v", n, ok)
			}
			bag, _ := a.Index(-2)
			x, _ := bag.Field(`b"c`)
			if x.String() != "x" {
				t.Errorf("a[-2]['b\"c'] = %q, want x", x.String())
			}
			if null, ok := a.Index(2); !ok || !null.IsNull() {
				t.Errorf("a[2] = %v, %v, want null", null, ok)
			}
			if _, ok := a.Index(3); ok {
				t.Error("a[3] exists")
			}
			if _, ok := a.Index(-4); ok {
				t.Error("a[-4] exists")
			}
			last, _ := v.Field("t")
			if s, ok := last.Scalar(); !ok || s.Kind() != value.String || s.Text() != "last" {
				t.Errorf("t = %v, %v", s, ok)
			}
			if _, ok := v.Field("none"); ok {
				t.Error("field none exists")
			}
			slots, _ := v.Bag()
			if len(slots) != 3 || slots[1].Name != "s" || slots[1].Value.String() != `q\` {
				t.Errorf("Bag() = %v", slots)
			}
		})
	}
	if !value.Equal(built, value.DynamicJSON(`{"t":"last","s":"q\\","a":[10.0,{"b\"c":"x"},null]}`)) {
		t.Error("bags with slots in another order differ")
	}
}

func TestRealsInDynamic(t *testing.T) {
	v := value.NewArray([]value.Value{value.NewReal(1), value.NewReal(0.1), value.NewReal(nan()), value.NewTimeSpan(value.TicksPerDay)})
	if got, want := v.String(), `[1.0,0.1,"NaN","1.00:00:00"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func nan() float64 { z := 0.0; return z / z }

func FuzzDynamicJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\u0041\n",null,true]}`, `"2023-10-05T16:48:39Z"`, ` [ ] `, `{"a":1,"a":2}`, `-0`, `1e999`, `"\ud800\u0041"`, `[[[[`} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, typed bool) {
		v, err := value.ParseDynamic(text)
		deep := strings.Count(text, "[")+strings.Count(text, "{") > 900
		if valid := json.Valid([]byte(text)); valid != (err == nil) && !deep {
			t.Fatalf("ParseDynamic(%q): %v, but encoding/json says valid=%v", text, err, valid)
		}
		if err != nil {
			return
		}
		if typed {
			v = value.DynamicJSONTyped(text)
		}
		printed := string(v.AppendJSON(nil))
		if !json.Valid([]byte(printed)) {
			t.Fatalf("%q prints invalid JSON %q", text, printed)
		}
		again, err := value.ParseDynamic(printed)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(again.AppendJSON(nil)); got != printed {
			t.Fatalf("%q prints %q, which prints %q", text, printed, got)
		}
		walk(v)
	})
}

// walk reads everything, to show that nothing panics.
func walk(v value.Value) {
	elements, _ := v.Array()
	for _, e := range elements {
		walk(e)
	}
	slots, _ := v.Bag()
	for _, p := range slots {
		v.Field(p.Name)
		walk(p.Value)
	}
	v.Index(-1)
	v.AppendKey(nil)
}

func BenchmarkField(b *testing.B) {
	v := value.DynamicJSON(`{"DeviceId":"0123456789abcdef0123456789abcdef01234567","DeviceName":"host-1.contoso.com","OSPlatform":"Windows11","SoftwareVendor":"microsoft","SoftwareName":"edge","CveId":"CVE-2025-12345","VulnerabilitySeverityLevel":"High"}`)
	b.ReportAllocs()
	for b.Loop() {
		if f, ok := v.Field("CveId"); !ok || f.IsNull() {
			b.Fatal("no CveId")
		}
	}
}

func BenchmarkDynamicJSON(b *testing.B) {
	const text = `{"DeviceId":"0123456789abcdef0123456789abcdef01234567","DeviceName":"host-1.contoso.com","OSPlatform":"Windows11","CvssScore":7.8,"SoftwareName":"edge","CveId":"CVE-2025-12345","VulnerabilitySeverityLevel":"High"}`
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		value.DynamicJSON(text)
	}
}
