package scalar_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Results recorded from the service or of the documentation's examples; null
// where there is no number.
func TestSeries(t *testing.T) {
	a, b := dyn("[1,2,4]"), dyn("[4,2,1]")
	run(t, []called{
		{"series_abs", vals(dyn("[-6.5,0,8.2]")), "dynamic:[6.5,0.0,8.2]"},
		{"series_abs", vals(dyn(`[-6,"x",null]`)), "dynamic:[6,null,null]"},
		{"series_abs", vals(dyn(`{"a":1}`)), "dynamic:null"},
		{"series_sign", vals(dyn("[-6,0,8]")), "dynamic:[-1,0,1]"},
		{"series_cos", vals(dyn("[0]")), "dynamic:[1.0]"},
		{"series_add", vals(a, b), "dynamic:[5,4,5]"},
		{"series_add", vals(a, dyn("[1]")), "dynamic:[2,null,null]"},
		{"series_add", vals(long(10), a), "dynamic:[11,12,14]"},
		{"series_add", vals(a, real(0.5)), "dynamic:[1.5,2.5,4.5]"},
		{"series_add", vals(long(1), long(2)), "dynamic:null"},
		{"series_add", vals(dyn("null"), a), "dynamic:null"},
		{"series_subtract", vals(a, b), "dynamic:[-3,0,3]"},
		{"series_multiply", vals(dyn("[]"), long(2)), "dynamic:[]"},
		{"series_divide", vals(a, b), "dynamic:[0.25,1.0,4.0]"},
		{"series_pow", vals(dyn("[1,2,3,4]"), dyn("[1,2,3,0.5]")), "dynamic:[1.0,4.0,27.0,2.0]"},
		{"series_equals", vals(a, b), "dynamic:[false,true,false]"},
		{"series_not_equals", vals(a, b), "dynamic:[true,false,true]"},
		{"series_greater_equals", vals(a, dyn(`[4,"2"]`)), "dynamic:[false,null,null]"},
		{"series_sum", vals(dyn("[1,2,3,4]")), "real:10.0"},
		{"series_sum", vals(dyn("[]")), "real:0.0"},
		{"series_sum", vals(dyn("[1,null]")), "error: series_sum(): an array with elements that are no numbers is not supported here"},
		{"series_product", vals(dyn("[1,2,3,4]")), "real:24.0"},
		{"series_magnitude", vals(dyn("[3,4]")), "real:5.0"},
		{"series_dot_product", vals(a, b), "real:12.0"},
		{"series_dot_product", vals(a, long(1)), "real:7.0"},
		{"series_dot_product", vals(dyn(`[1,"x",3]`), dyn("[2,5]")), "real:2.0"},
		{"series_dot_product", vals(dyn("[]"), a), "real:null"},
		{"series_cosine_similarity", vals(dyn("[3,4]"), dyn("[3,4]"), real(5), real(5)), "real:1.0"},
		{"series_pearson_correlation", vals(dyn("[1,2,3]"), dyn("[1,2]")), "real:null"},
		{"series_pearson_correlation", vals(dyn("[1,2,3]"), dyn("[2,4,6]")), "real:1.0"},
		{"series_stats_dynamic", vals(dyn("[23,46,23,87,4,8,3,75,2,56,13,75,32,16,29]")), `dynamic:{"min":2.0,"min_idx":8,"max":87.0,"max_idx":3,"avg":32.8,"stdev":28.50363385354827,"variance":812.4571428571429,"sum":492.0,"len":15}`},
		{"series_stats_dynamic", vals(dyn("[1,null]")), "dynamic:null"},
		{"series_stats_dynamic", vals(dyn("[null,7]"), value.NewBool(true)), `dynamic:{"min":7.0,"min_idx":1,"max":7.0,"max_idx":1,"avg":7.0,"stdev":0.0,"variance":0.0,"sum":7.0,"len":1}`},
		{"series_fir", vals(dyn("[0,0,2,2,3]"), dyn("[1,-1]"), value.NewBool(false)), "dynamic:[0,0,2,0,1]"},
		{"series_fir", vals(dyn("[0,9,0]"), dyn("[1,1,1]"), value.NewBool(true), value.NewBool(true)), "dynamic:[3.0,3.0,3.0]"},
		{"series_fir", vals(dyn("[0,9,0]"), dyn("[1,1,1]")), "dynamic:[0.0,3.0,3.0]"},
		{"series_fir", vals(dyn("[1]"), dyn("[1,-1]"), value.NewBool(true)), "dynamic:null"},
		{"series_iir", vals(dyn("[0,1,2,3,4]"), dyn("[1]"), dyn("[1,-1]")), "dynamic:[0.0,1.0,3.0,6.0,10.0]"},
		{"series_iir", vals(dyn("[1]"), dyn("[1]"), dyn("[0]")), "error: series_iir(): an array with elements that are no numbers is not supported here"},
		{"series_fill_const", vals(dyn("[111,null,36]"), real(0)), "dynamic:[111,0.0,36]"},
		{"series_fill_const", vals(dyn("[1,-1]"), long(0), long(-1)), "dynamic:[1,0]"},
		{"series_fill_forward", vals(dyn("[null,36,null,null]")), "dynamic:[null,36,36,36]"},
		{"series_fill_backward", vals(dyn("[111,null,36,null]")), "dynamic:[111,36,36,null]"},
		{"series_fill_linear", vals(dyn("[null,111.0,null,36.0,null]")), "dynamic:[111.0,111.0,73.5,36.0,36.0]"},
		{"series_fill_linear", vals(dyn("[null,null]")), "dynamic:[0.0,0.0]"},
		{"series_fill_linear", vals(dyn("[1,null,2]")), "error: series_fill_linear(): an array with elements that are no numbers is not supported here"},
	})
}

// The cost of a filter is bounded.
func TestFiltersThatCostTooMuch(t *testing.T) {
	many := make([]value.Value, 1<<14)
	for i := range many {
		many[i] = long(1)
	}
	list := value.NewArray(many)
	run(t, []called{
		{"series_fir", vals(list, list), "error: series_fir(): 16384 elements with 16384 coefficients are too many"},
		{"series_iir", vals(list, dyn("[]"), list), "error: series_iir(): 16384 elements with 16384 coefficients are too many"},
	})
}

func TestEncodedBytes(t *testing.T) {
	guid, err := value.NewGUID("10e99626-bc2b-754c-bb3e-fe606de25700")
	if err != nil {
		t.Fatal(err)
	}
	run(t, []called{
		{"base64_decode_toguid", vals(str("JpbpECu8dUy7Pv5gbeJXAA==")), `guid:"10e99626-bc2b-4c75-bb3e-fe606de25700"`},
		{"base64_decode_toguid", vals(str("abcd1231")), "guid:null"},
		{"base64_encode_fromguid", vals(guid), `string:"JpbpECu8THW7Pv5gbeJXAA=="`},
		{"base64_encode_fromarray", vals(dyn("[75,117,115,116,111]")), `string:"S3VzdG8="`},
		{"base64_encode_fromarray", vals(dyn("[256]")), `string:""`},
		{"base64_decode_toarray", vals(str("U3RyaW5n0KHR0tGA0L7Rh9C60LA")), "dynamic:null"},
		{"toguid", vals(str("0123456789ab-cdef-0123-456789abcdef")), `guid:"01234567-89ab-cdef-0123-456789abcdef"`},
		{"toguid", vals(str("01-23456789abcdef0123456789abcdef")), "guid:null"},
		{"bag_set_key", vals(dyn(`{"a":1,"b":{"c":2,"d":3}}`), str("$.b.c"), str("x")), `dynamic:{"a":1,"b":{"c":"x","d":3}}`},
		{"bag_set_key", vals(dyn(`{"a":1}`), str("$.b.c"), str("x")), `dynamic:{"a":1,"b":{"c":"x"}}`},
		{"bag_set_key", vals(dyn(`{"a":1}`), str("$.a.c"), str("x")), "error: bag_set_key(): a path through what is no property bag is not supported here"},
		{"zlib_decompress_from_base64_string", vals(str("eAEBFADr/zEyMzQ1Njc4OTBxd2VydHl1aW9wOAkGdw==")), `string:"1234567890qwertyuiop"`},
		{"zlib_decompress_from_base64_string", vals(str("x0x0x0")), `string:""`},
		{"punycode_to_string", vals(str("acadmie-franaise-npb1a")), `string:"académie-française"`},
		{"punycode_from_string", vals(str("艺术")), `string:"cqv902d"`},
		{"punycode_from_string", vals(str("académie-française")), `string:"acadmie-franaise-npb1a"`},
		{"punycode_to_string", vals(str("~~~")), `string:""`},
		{"punycode_domain_from_string", vals(str("xn--Ge-mia.Bulg.edu")), `string:"Gáe.Bulg.edu"`},
	})
}

func TestTimeZones(t *testing.T) {
	at := func(text string) value.Value { return date(t, text) }
	run(t, []called{
		{"datetime_local_to_utc", vals(at("2020-02-02 20:02:20"), str("US/Pacific")), `datetime:"2020-02-03T04:02:20.0000000Z"`},
		{"datetime_local_to_utc", vals(at("2022-03-27 01:00"), str("Europe/Brussels")), `datetime:"2022-03-27T00:00:00.0000000Z"`},
		{"datetime_local_to_utc", vals(at("2022-03-27 02:00"), str("Europe/Brussels")), `datetime:"2022-03-27T00:00:00.0000000Z"`},
		{"datetime_local_to_utc", vals(at("2022-03-27 03:00"), str("Europe/Brussels")), `datetime:"2022-03-27T01:00:00.0000000Z"`},
		{"datetime_local_to_utc", vals(at("2022-10-30 02:30"), str("Europe/Brussels")), "error: datetime_local_to_utc(): 2022-10-30 02:30:00 is shown twice in Europe/Brussels, which is not supported here"},
		{"datetime_utc_to_local", vals(at("2022-03-27 01:00"), str("Europe/Brussels")), `datetime:"2022-03-27T03:00:00.0000000Z"`},
		{"datetime_utc_to_local", vals(null(value.DateTime), str("Nowhere")), "datetime:null"},
		{"datetime_utc_to_local", vals(at("2022-03-27"), str("Nowhere")), "error: datetime_utc_to_local(): the time zone 'Nowhere' is not known"},
	})
}

func TestNetworks6(t *testing.T) {
	run(t, []called{
		{"ipv6_compare", vals(str("192.168.1.1/24"), str("192.168.1.255"), long(127)), "long:0"},
		{"ipv6_compare", vals(str("192.168.1.1"), str("192.168.1.2")), "long:-1"},
		{"ipv6_compare", vals(str("fe80::85d:e82c:9446:7994"), str("fe80::85d:e82c:9446:7995"), long(127)), "long:0"},
		{"ipv6_compare", vals(str("192.168.1.1/24"), str("::ffff:c0a8:01ff"), long(127)), "long:0"},
		{"ipv6_compare", vals(str("::192.168.1.1/30"), str("192.168.1.255/24"), long(127)), "long:0"},
		{"ipv6_compare", vals(str("x"), str("::1")), "long:null"},
		{"parse_ipv6_mask", vals(str("::192.168.255.255"), long(128)), `string:"0000:0000:0000:0000:0000:ffff:c0a8:ffff"`},
		{"parse_ipv6_mask", vals(str("::192.168.255.255/24"), long(128)), `string:"0000:0000:0000:0000:0000:ffff:c0a8:ff00"`},
		{"ipv6_compare", vals(str("::1"), str("::1"), long(129)), "long:null"},
		{"ipv6_is_match", vals(str("fe80::85d:e82c:9446:7994/120"), str("fe80::85d:e82c:9446:7998")), "bool:true"},
		{"ipv6_is_in_range", vals(str("a5e:f127:8a9d:146d:e102:b5d3:c755:abcd"), str("a5e:f127:8a9d:146d:e102:b5d3:c755:0000/112")), "bool:true"},
		{"ipv6_is_in_range", vals(str("a5e:f127:8a9d:146d:e102:b5d3:c755:abcd"), str("0:0:0:0:0:ffff:c0a8:ac/60")), "bool:false"},
		{"parse_ipv6", vals(str("192.168.255.255/24")), `string:"0000:0000:0000:0000:0000:ffff:c0a8:ff00"`},
		{"parse_ipv6", vals(str("")), `string:""`},
		{"parse_ipv6_mask", vals(str("192.168.255.255"), long(120)), `string:"0000:0000:0000:0000:0000:ffff:c0a8:ff00"`},
		{"has_any_ipv4_prefix", vals(str("05:04:54 127.0.0.1 GET"), str("127.0."), str("192.168.")), "bool:true"},
		{"has_any_ipv4_prefix", vals(str("05:04:54 127.0.0.1 GET"), dyn(`["192.168."]`)), "bool:false"},
		{"ipv4_range_to_cidr_list", vals(str("1.1.128.0"), str("1.1.140.255")), `dynamic:["1.1.128.0/21","1.1.136.0/22","1.1.140.0/24"]`},
		{"ipv4_range_to_cidr_list", vals(str("0.0.0.0"), str("255.255.255.255")), `dynamic:["0.0.0.0/0"]`},
		{"ipv4_range_to_cidr_list", vals(str("1.1.1.2"), str("1.1.1.1")), "dynamic:null"},
	})
}
