package scalar_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// eval calls a function that must succeed.
func eval(t testing.TB, name string, values ...value.Value) value.Value {
	t.Helper()
	f, ok := scalar.Lookup(name)
	if !ok {
		t.Fatalf("no function %s", name)
	}
	b, err := f.Bind(arguments(values, false))
	if err != nil {
		t.Fatal(err)
	}
	v, err := b.Eval(values)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDynamicAccess(t *testing.T) {
	guid, err := value.NewGUID("12e8b78d-55b4-46ae-b068-26d7a0080254")
	if err != nil {
		t.Fatal(err)
	}
	run(t, []called{
		{"parse_json", vals(str(`{"a":123, "b":"hello"}`)), `dynamic:{"a":123,"b":"hello"}`},
		{"parse_json", vals(str("")), "dynamic:null"},
		{"todynamic", vals(str("abc")), `dynamic:"abc"`},
		{"todynamic", vals(long(5)), `dynamic:5`},
		{"gettype", vals(str("a")), `string:"string"`},
		{"gettype", vals(long(111)), `string:"long"`},
		{"gettype", vals(dyn(` "abc" `)), `string:"string"`},
		{"gettype", vals(dyn(`{"abc":1}`)), `string:"dictionary"`},
		{"gettype", vals(dyn(`[1,2]`)), `string:"array"`},
		{"gettype", vals(real(123.45)), `string:"real"`},
		{"gettype", vals(guid), `string:"guid"`},
		{"gettype", vals(dyn("null")), `string:"null"`},
		{
			"dynamic_to_json", vals(dyn(`{"Y10":{},"X8":{"c3":1,"d8":5,"a4":6},"D1":114,"A1":12,"A14":[15,13,18]}`)),
			`string:"{\"A1\":12,\"A14\":[15,13,18],\"D1\":114,\"X8\":{\"a4\":6,\"c3\":1,\"d8\":5},\"Y10\":{}}"`,
		},
		{"extract_json", vals(str("$.hosts[1].AvailableMB"), str(`{"hosts":[{},{"AvailableMB":32}]}`)), `string:"32"`},
		{"extract_json", vals(str("$['a b']"), dyn(`{"a b":"7"}`), str("long")), "long:7"},
		{"extract_json", vals(str("$.x"), str("{}")), `string:""`},
		{"extract_json", vals(str("x"), str("{}")), "error: extract_json(): JSONPath 'x' must begin with '$'"},
		{"treepath", vals(dyn(`{"a":"b", "c":123}`)), `dynamic:["['a']","['c']"]`},
		{"treepath", vals(dyn(`{"prop1":[1,2,3,4], "prop2":"value2"}`)), `dynamic:["['prop1']","['prop1'][0]","['prop2']"]`},
		{"treepath", vals(dyn(`{"listProperty":[100,200,300,"abcde",{"x":"y"}]}`)), `dynamic:["['listProperty']","['listProperty'][0]","['listProperty'][0]['x']"]`},
	})
}

func TestArrays(t *testing.T) {
	run(t, []called{
		{"array_length", vals(dyn("[1,2,3]")), "long:3"},
		{"array_length", vals(dyn("{}")), "long:null"},
		{"array_concat", vals(dyn("[1]"), dyn("[2,3]"), dyn("[]")), "dynamic:[1,2,3]"},
		{"array_slice", vals(dyn("[1,2,3]"), long(1), long(2)), "dynamic:[2,3]"},
		{"array_slice", vals(dyn("[1,2,3,4,5]"), long(2), long(-1)), "dynamic:[3,4,5]"},
		{"array_slice", vals(dyn("[1,2,3,4,5]"), long(-3), long(-2)), "dynamic:[3,4]"},
		{"array_split", vals(dyn("[1,2,3,4,5]"), long(2)), "dynamic:[[1,2],[3,4,5]]"},
		{"array_split", vals(dyn("[1,2,3,4,5]"), dyn("[1,3]")), "dynamic:[[1],[2,3],[4,5]]"},
		{"array_reverse", vals(dyn(`["this","is"]`)), `dynamic:["is","this"]`},
		{"array_rotate_left", vals(dyn("[1,2,3,4,5]"), long(2)), "dynamic:[3,4,5,1,2]"},
		{"array_rotate_left", vals(dyn("[1,2,3,4,5]"), long(-2)), "dynamic:[4,5,1,2,3]"},
		{"array_rotate_right", vals(dyn("[1,2,3,4,5]"), long(2)), "dynamic:[4,5,1,2,3]"},
		{"array_shift_left", vals(dyn("[1,2,3,4,5]"), long(2)), "dynamic:[3,4,5,null,null]"},
		{"array_shift_left", vals(dyn("[1,2,3,4,5]"), long(-2), long(-1)), "dynamic:[-1,-1,1,2,3]"},
		{"array_shift_right", vals(dyn("[1,2,3,4,5]"), long(2)), "dynamic:[null,null,1,2,3]"},
		{"array_index_of", vals(dyn(`["this","is","an","example"]`), str("example")), "long:3"},
		{"array_index_of", vals(dyn(`["this","is","an","example","an","example"]`), str("an"), long(3)), "long:4"},
		{"array_index_of", vals(dyn(`["a","b","a"]`), str("a"), long(0), long(-1), long(2)), "long:2"},
		{"array_index_of", vals(dyn(`["a","b","a"]`), str("a"), long(1), long(1)), "long:-1"},
		{"array_sum", vals(dyn("[1,2,3,4]")), "real:10.0"},
		{"array_iff", vals(dyn("[true,false,true]"), dyn("[1,2,3]"), dyn("[4,5,6]")), "dynamic:[1,5,3]"},
		{"array_iff", vals(dyn(`[1,0,"x"]`), str("yes"), str("no")), `dynamic:["yes","no",null]`},
		{"pack_array", vals(long(1), str("a"), null(value.Long)), `dynamic:[1,"a",null]`},
		{"repeat", vals(long(1), long(3)), "dynamic:[1,1,1]"},
		{"repeat", vals(long(1), long(-3)), "dynamic:null"},
		{"range", vals(long(1), long(8), long(3)), "dynamic:[1,4,7]"},
		{"range", vals(long(3), long(1)), "dynamic:[]"},
		{"range", vals(real(0.5), long(2)), "dynamic:[0.5,1.5]"},
		{"range", vals(date(t, "2007-01-01"), date(t, "2007-01-03"), span(t, "1d")), `dynamic:["2007-01-01T00:00:00.0000000Z","2007-01-02T00:00:00.0000000Z","2007-01-03T00:00:00.0000000Z"]`},
		{"zip", vals(dyn("[1,3,5]"), dyn("[2,4]")), "dynamic:[[1,2],[3,4],[5,null]]"},
		{"array_sort_asc", vals(dyn("[1,3,4,5,2]")), "dynamic:[1,2,3,4,5]"},
		{"array_sort_asc", vals(dyn(`[null,"blue","yellow","green",null]`)), `dynamic:["blue","green","yellow",null,null]`},
		{"array_sort_asc", vals(dyn(`[null,"blue","yellow","green",null]`), value.NewBool(false)), `dynamic:[null,null,"blue","green","yellow"]`},
		{"array_sort_desc", vals(dyn(`[1,3,null,4,"a"]`)), `dynamic:[4,3,1,"a",null]`},
	})
}

// A range ends at 2^20 values, and at the bounds of its type.
func TestRangeBounds(t *testing.T) {
	const top, bottom = 1<<63 - 1, -1 << 63
	run(t, []called{
		{"range", vals(long(top-1), long(top)), "dynamic:[9223372036854775806,9223372036854775807]"},
		{"range", vals(long(bottom+1), long(bottom), long(-1)), "dynamic:[-9223372036854775807,-9223372036854775808]"},
		{"range", vals(long(top-1), long(top), long(5)), "dynamic:[9223372036854775806]"},
		{"range", vals(long(1), long(2), long(0)), "dynamic:null"},
		{"range", vals(long(1), null(value.Long)), "dynamic:null"},
		{"range", vals(real(1), real(2), real(nan())), "dynamic:null"},
	})
	if n, _ := eval(t, "range", long(0), long(1<<40)).Len(); n != 1<<20 {
		t.Errorf("a long range has %d values", n)
	}
}

func TestBags(t *testing.T) {
	run(t, []called{
		{
			"bag_pack", vals(str("Level"), str("Information"), str("ProcessID"), long(1234), str("Data"), dyn(`{"url":"x"}`)),
			`dynamic:{"Level":"Information","ProcessID":1234,"Data":{"url":"x"}}`,
		},
		{"pack", vals(str("a"), null(value.DateTime)), `dynamic:{"a":null}`},
		{"bag_pack", vals(str("a"), long(1), str("b")), "error: bag_pack(): argument #3 expected to be followed by a value: the number of arguments must be even"},
		{"bag_merge", vals(dyn(`{"A1":12,"B1":2,"C1":3}`), dyn(`{"A2":81,"B2":82,"A1":1}`)), `dynamic:{"A1":12,"B1":2,"C1":3,"A2":81,"B2":82}`},
		{"bag_keys", vals(dyn(`{"a":{"b":1},"c":2}`)), `dynamic:["a","c"]`},
		{"bag_keys", vals(dyn(`[1]`)), `dynamic:null`},
		{"bag_has_key", vals(dyn(`{"key1":123,"key2":{"prop1":"abc"}}`), str("key1")), "bool:true"},
		{"bag_has_key", vals(dyn(`{"key1":123,"key2":{"prop1":"abc"}}`), str("$.key2.prop1")), "bool:true"},
		{"bag_has_key", vals(dyn(`{"key1":123}`), str("$.key2.prop9")), "bool:false"},
		{"bag_remove_keys", vals(dyn(`{"key1":123,"key2":"abc"}`), dyn(`["key2","key3"]`)), `dynamic:{"key1":123}`},
		{"bag_remove_keys", vals(dyn(`{"key1":{"a":1,"b":2}}`), dyn(`["$.key1.a"]`)), `dynamic:{"key1":{"b":2}}`},
		{"bag_set_key", vals(dyn(`{"k1":1}`), str("k2"), str("abc")), `dynamic:{"k1":1,"k2":"abc"}`},
		{"bag_set_key", vals(dyn(`{"k1":1}`), str("k1"), long(2)), `dynamic:{"k1":2}`},
		{"bag_zip", vals(dyn(`["a",8,"b"]`), dyn(`1`)), `dynamic:{"a":null,"b":null}`},
		{"bag_zip", vals(dyn(`["a","b"]`), dyn(`[1]`)), `dynamic:{"a":1,"b":null}`},
		{"set_union", vals(dyn("[1,2]"), dyn("[2,3]"), dyn("[3,4]")), "dynamic:[1,2,3,4]"},
		{"set_intersect", vals(dyn("[1,2,3]"), dyn("[2,3]"), dyn("[3,4]")), "dynamic:[3]"},
		{"set_difference", vals(dyn("[1,2,3,1]"), dyn("[2]")), "dynamic:[1,3]"},
		{"set_has_element", vals(dyn(`["this","is"]`), str("is")), "bool:true"},
		{"set_has_element", vals(dyn(`[1]`), str("1")), "bool:false"},
		{"set_equals", vals(dyn("[1,2,2]"), dyn("[2,1]")), "bool:true"},
		{"jaccard_index", vals(dyn("[1,1,2,2,3,3]"), dyn("[1,2,3,4,4]")), "real:0.75"},
	})
}
