package scalar_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func TestText(t *testing.T) {
	run(t, []called{
		{"strlen", vals(str("héllo")), "long:5"},
		{"string_size", vals(str("héllo")), "long:6"},
		{"tolower", vals(str("HeLLÖ")), `string:"hellö"`},
		{"toupper", vals(str("hello")), `string:"HELLO"`},
		{"reverse", vals(str("héllo")), `string:"olléh"`},
		{"strcat", vals(str("hello"), str(" "), long(1), null(value.Long)), `string:"hello 1"`},
		{"strcat_delim", vals(str("-"), long(1), str("2"), str("A"), span(t, "1s")), `string:"1-2-A-00:00:01"`},
		{"strrep", vals(str("ABC"), long(3), str(" ")), `string:"ABC ABC ABC"`},
		{"strrep", vals(long(123), long(2), str(".")), `string:"123.123"`},
		{"strcmp", vals(str("ABC"), str("abc")), "long:-1"},
		{"strcmp", vals(str("abcde"), str("abc")), "long:1"},
		{"isascii", vals(str("some string")), "bool:true"},
		{"isascii", vals(str("naïve")), "bool:false"},
		{"isutf8", vals(str("naïve")), "bool:true"},
		{"tohex", vals(long(256)), `string:"100"`},
		{"tohex", vals(long(-256)), `string:"ffffffffffffff00"`},
		{"tohex", vals(value.NewInt(-256), long(8)), `string:"ffffff00"`},
		{"tohex", vals(long(256), long(8)), `string:"00000100"`},
		{"tohex", vals(long(256), long(2)), `string:"100"`},
		{"unicode_codepoints_from_string", vals(str("aé")), "dynamic:[97,233]"},
		{"unicode_codepoints_to_string", vals(long(75), dyn("[117,115]"), long(116)), `string:"Kust"`},
		{"strcat_array", vals(dyn("[1,2,3]"), str("->")), `string:"1->2->3"`},

		{"substring", vals(str("123456"), long(1)), `string:"23456"`},
		{"substring", vals(str("123456"), long(2), long(2)), `string:"34"`},
		{"substring", vals(str("ABCD"), long(0), long(2)), `string:"AB"`},
		{"substring", vals(str("123456"), long(-2), long(2)), `string:"56"`},
		{"substring", vals(str("äöü"), long(1), long(1)), `string:"ö"`},
		{"substring", vals(str("abc"), long(5)), `string:""`},
		{"trim", vals(str("--"), str("--https://bing.com--")), `string:"https://bing.com"`},
		{"trim", vals(str(`[^\w]+`), str("-  Te st1// $")), `string:"Te st1"`},
		{"trim_start", vals(str("https://"), str("https://bing.com")), `string:"bing.com"`},
		{"trim_end", vals(str(".com"), str("bing.com")), `string:"bing"`},
		{"replace_string", vals(str("a magic trick"), str("magic"), str("mundane")), `string:"a mundane trick"`},
		{"replace_strings", vals(str("a magic trick"), dyn(`["magic","trick"]`), dyn(`["mundane","car"]`)), `string:"a mundane car"`},
		{"replace_strings", vals(str("This is"), dyn(`["This","is"]`), dyn(`["This","was"]`)), `string:"This was"`},
		{"replace_strings", vals(str("This is"), dyn(`["is","This"]`), dyn(`["was","This"]`)), `string:"Thwas was"`},
		{"replace_strings", vals(str("This is"), dyn(`["This","is"]`), dyn(`[12345,"was"]`)), `string:"This was"`},
		{"replace_strings", vals(str("a"), dyn(`["a"]`), dyn(`[]`)), "error: replace_strings(): lookups and rewrites must be arrays of the same length"},
		{"replace_regex", vals(str("Number is 1"), str(`is (\d+)`), str(`was: \1`)), `string:"Number was: 1"`},
		{"replace_regex", vals(str("a$b"), str(`b`), str(`$1\0`)), `string:"a$$1b"`},
		{"replace", vals(str(`is (\d+)`), str(`was: \1`), str("Number is 1")), `string:"Number was: 1"`},
		{"replace_regex", vals(str("x"), str(`(`), str(``)), "error: replace_regex(): invalid regular expression '(': error parsing regexp: missing closing ): `(`"},
		{"translate", vals(str("krasp"), str("otsku"), str("spark")), `string:"kusto"`},
		{"translate", vals(str("abc"), str(""), str("ab")), `string:""`},
		{"translate", vals(str("abc"), str("x"), str("abc")), `string:"xxx"`},
		{"split", vals(str("aa_bb"), str("_")), `dynamic:["aa","bb"]`},
		{"split", vals(str("aaa_bbb_ccc"), str("_"), long(1)), `dynamic:["bbb"]`},
		{"split", vals(str(""), str("_")), `dynamic:[""]`},
		{"split", vals(str("a__b"), str("_")), `dynamic:["a","","b"]`},
		{"split", vals(str("aabbcc"), str("bb")), `dynamic:["aa","cc"]`},

		{"indexof", vals(str("abcdefg"), str("cde")), "long:2"},
		{"indexof", vals(str("abcdefg"), str("cde"), long(1), long(4)), "long:2"},
		{"indexof", vals(str("abcdefg"), str("cde"), long(1), long(2)), "long:-1"},
		{"indexof", vals(str("abcdefg"), str("cde"), long(3), long(4)), "long:-1"},
		{"indexof", vals(str("abcdefg"), str("cde"), long(-5)), "long:2"},
		{"indexof", vals(long(1234567), long(5), long(1), long(4)), "long:4"},
		{"indexof", vals(str("abcdefg"), str("cde"), long(2), long(-1)), "long:2"},
		{"indexof", vals(str("abcdefgabcdefg"), str("cde"), long(1), long(10), long(2)), "long:9"},
		{"indexof", vals(str("abcdefgabcdefg"), str("cde"), long(1), long(-1), long(3)), "long:-1"},
		{"indexof", vals(str("a"), str("a"), long(0), long(-2)), "long:null"},
		{"indexof_regex", vals(str("abcabc"), str("a.c")), "long:0"},
		{"indexof_regex", vals(str("abcabcdefg"), str("a.c"), long(0), long(9), long(2)), "long:3"},
		{"indexof_regex", vals(str("ababaa"), str("a.a"), long(0), long(-1), long(2)), "long:-1"},
		{"indexof_regex", vals(str("abcabc"), str("a|ab"), long(-1)), "long:null"},
		{"countof", vals(str("aaa"), str("a")), "long:3"},
		{"countof", vals(str("aaaa"), str("aa")), "long:3"},
		{"countof", vals(str("ababa"), str("ab"), str("normal")), "long:2"},
		{"countof", vals(str("ababa"), str("aba")), "long:2"},
		{"countof", vals(str("ababa"), str("aba"), str("regex")), "long:1"},
		{"countof", vals(str("abcabc"), str("a.c"), str("regex")), "long:2"},
		{"has_any_index", vals(str("this is an example"), dyn(`["this","example"]`)), "long:0"},
		{"has_any_index", vals(str("this is an example"), dyn(`["not","example"]`)), "long:1"},
		{"has_any_index", vals(str("this is an example"), dyn(`["not","found"]`)), "long:-1"},
		{"has_any_index", vals(str("Example number 2"), dyn(`[1,2,3]`)), "long:1"},
		{"has_any_index", vals(str("this is an example"), dyn(`[]`)), "long:-1"},
	})
}

func TestRegex(t *testing.T) {
	run(t, []called{
		{"extract", vals(str("x=([0-9.]+)"), long(1), str("hello x=45.6|wo")), `string:"45.6"`},
		{"extract", vals(str("x=([0-9.]+)"), long(1), str("hello x=45.6|wo"), str("typeof(real)")), "real:45.6"},
		{"extract", vals(str("x=([0-9.]+)"), long(0), str("hello x=45.6|wo")), `string:"x=45.6"`},
		{"extract", vals(str("y"), long(0), str("hello")), `string:""`},
		{"extract", vals(str("y"), long(0), str("hello"), null(value.Long)), `long:null`},
		{"extract_all", vals(str(`([\da-f]{2})`), str("82b8be2d")), `dynamic:["82","b8","be","2d"]`},
		{"extract_all", vals(str(`(\w)(\w+)(\w)`), str("82b8 be2d")), `dynamic:[["8","2b","8"],["b","e2","d"]]`},
		{"extract_all", vals(str(`(\w)(\w+)(\w)`), dyn("[1,3]"), str("82b8")), `dynamic:[["8","8"]]`},
		{"extract_all", vals(str(`(?P<first>\w)(?P<middle>\w+)(?P<last>\w)`), dyn(`["first",2,"last"]`), str("82b8")), `dynamic:[["8","2b","8"]]`},
		{"extract_all", vals(str(`(x)`), str("82b8")), `dynamic:null`},
	})
}

func TestEncodings(t *testing.T) {
	run(t, []called{
		{"base64_encode_tostring", vals(str("Kusto")), `string:"S3VzdG8="`},
		{"base64_decode_tostring", vals(str("S3VzdG8=")), `string:"Kusto"`},
		{"base64_decode_tostring", vals(str("U3RyaW5n_0KHR0Jyb2tlbg==")), `string:""`},
		{"base64_decode_toarray", vals(str("S3VzdG8=")), `dynamic:[75,117,115,116,111]`},
		{"url_encode", vals(str("https://www.bing.com/hello world")), `string:"https%3a%2f%2fwww.bing.com%2fhello+world"`},
		{"url_decode", vals(str("https%3a%2f%2fwww.bing.com%2f")), `string:"https://www.bing.com/"`},
		{"hash_sha256", vals(str("World")), `string:"78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524"`},
		{"hash_sha256", vals(date(t, "2020-01-01")), `string:"ba666752dc1a20eb750b0eb64e780cc4c968bc9fb8813461c1d7e750f302d71d"`},
		{"hash_sha1", vals(str("World")), `string:"70c07ec18ef89c5309bbb0937f3a6342411e1fdd"`},
		{"hash_md5", vals(str("World")), `string:"f5a7924e621e84c9280a9a27e1bcb7f6"`},
		{"hash", vals(str("World")), "long:1846988464401551951"},
		{"hash", vals(str("World"), long(100)), "long:51"},
		{"hash", vals(date(t, "2015-01-01")), "long:1380966698541616202"},
		{"hash_xxhash64", vals(str("World")), "long:1846988464401551951"},
		{"hash", vals(str("Hello")), "long:753694413698530628"},
		{"hash", vals(null(value.Long)), "long:null"},
	})
}

func TestGzip(t *testing.T) {
	packed := eval(t, "gzip_compress_to_base64_string", str("1234567890qwertyuiop"))
	if got := eval(t, "gzip_decompress_from_base64_string", packed).Text(); got != "1234567890qwertyuiop" {
		t.Errorf("unpacked %q", got)
	}
}

func TestParsers(t *testing.T) {
	run(t, []called{
		{"parse_path", vals(str(`C:\temp\file.txt`)), `dynamic:{"Scheme":"","RootPath":"C:\\","DirectoryPath":"C:\\temp","DirectoryName":"temp","Filename":"file.txt","Extension":"txt","AlternateDataStreamName":""}`},
		{"parse_path", vals(str(`temp\file.txt`)), `dynamic:{"Scheme":"","RootPath":"","DirectoryPath":"temp","DirectoryName":"temp","Filename":"file.txt","Extension":"txt","AlternateDataStreamName":""}`},
		{"parse_path", vals(str(`file://C:/temp/file.txt:some.exe`)), `dynamic:{"Scheme":"file","RootPath":"C:/","DirectoryPath":"C:/temp","DirectoryName":"temp","Filename":"file.txt","Extension":"txt","AlternateDataStreamName":"some.exe"}`},
		{"parse_path", vals(str(`\\shared\users\temp\file.txt.gz`)), `dynamic:{"Scheme":"","RootPath":"","DirectoryPath":"\\\\shared\\users\\temp","DirectoryName":"temp","Filename":"file.txt.gz","Extension":"gz","AlternateDataStreamName":""}`},
		{"parse_path", vals(str(`/usr/lib/temp/file.txt`)), `dynamic:{"Scheme":"","RootPath":"","DirectoryPath":"/usr/lib/temp","DirectoryName":"temp","Filename":"file.txt","Extension":"txt","AlternateDataStreamName":""}`},
		{"parse_urlquery", vals(str("k1=v1&k2=v2&k3=v3")), `dynamic:{"Query Parameters":{"k1":"v1","k2":"v2","k3":"v3"}}`},
		{"parse_csv", vals(str(`aa,"b,b,b",cc,"Escaping quotes: ""Title"""`)), `dynamic:["aa","b,b,b","cc","Escaping quotes: \"Title\""]`},
		{"parse_csv", vals(str("record1,a,b,c\nrecord2,x,y,z")), `dynamic:["record1","a","b","c"]`},
		{"parse_version", vals(str("0.0.0.5")), `decimal:"5"`},
		{"parse_version", vals(str("0.0.7.0")), `decimal:"700000000"`},
		{"parse_version", vals(str("0.2")), `decimal:"20000000000000000"`},
		{"parse_version", vals(str("1.2.3.4")), `decimal:"1000000020000000300000004"`},
		{"parse_version", vals(str("1")), `decimal:"1000000000000000000000000"`},
		{"parse_version", vals(str("1.2.x")), `decimal:null`},
		{"parse_version", vals(str("1.2.3.4.5")), `decimal:null`},
	})
}

func TestNetwork(t *testing.T) {
	run(t, []called{
		{"ipv4_is_in_range", vals(str("127.0.0.1"), str("127.0.0.1")), "bool:true"},
		{"ipv4_is_in_range", vals(str("192.168.1.6"), str("192.168.1.1/24")), "bool:true"},
		{"ipv4_is_in_range", vals(str("192.168.1.1"), str("192.168.2.1/24")), "bool:false"},
		{"ipv4_is_in_range", vals(str("x"), str("192.168.2.1/24")), "bool:null"},
		{"ipv4_is_in_any_range", vals(str("192.168.1.6"), dyn(`["127.0.0.1/8","192.168.1.1/24"]`)), "bool:true"},
		{"ipv4_is_private", vals(str("10.1.2.3")), "bool:true"},
		{"ipv4_is_private", vals(str("192.168.1.1/24")), "bool:true"},
		{"ipv4_is_private", vals(str("208.1.2.3")), "bool:false"},
		{"ipv4_is_private", vals(str("127.0.0.1")), "bool:false"},
		{"ipv4_compare", vals(str("192.168.1.1"), str("192.168.1.255")), "long:-1"},
		{"ipv4_compare", vals(str("192.168.1.1/24"), str("192.168.1.255/24")), "long:0"},
		{"ipv4_compare", vals(str("192.168.1.1"), str("192.168.1.0"), long(24)), "long:0"},
		{"ipv4_is_match", vals(str("127.0.0.1"), str("127.0.0.1")), "bool:true"},
		{"parse_ipv4", vals(str("192.1.168.1")), "long:3221334017"},
		{"parse_ipv4", vals(str("127.0.0.256")), "long:null"},
		{"format_ipv4", vals(str("192.168.1.255"), long(24)), `string:"192.168.1.0"`},
		{"format_ipv4", vals(long(3232236031)), `string:"192.168.1.255"`},
		{"ipv4_netmask_suffix", vals(str("192.168.1.1/24")), "long:24"},
		{"has_ipv4", vals(str("05:04:54 127.0.0.1 GET /favicon.ico 404"), str("127.0.0.1")), "bool:true"},
		{"has_ipv4", vals(str("05:04:54 127.0.0.256 GET /favicon.ico 404"), str("127.0.0.256")), "bool:false"},
		{"has_ipv4", vals(str("05:04:54127.0.0.1 GET /favicon.ico 404"), str("127.0.0.1")), "bool:false"},
		{"has_any_ipv4", vals(str("05:04:54 127.0.0.1 GET"), dyn(`["127.0.0.1","127.0.0.2"]`)), "bool:true"},
		{"has_ipv4_prefix", vals(str("05:04:54 127.0.0.1 GET"), str("127.0.")), "bool:true"},
		{"has_ipv4_prefix", vals(str("05:04:54 127.0.0.1 GET"), str("127.1.")), "bool:false"},
	})
}

// https://learn.microsoft.com/kusto/query/parse-url-function
func TestParseURL(t *testing.T) {
	got := eval(t, "parse_url", str("scheme://username:password@host:1234/this/is/a/path?k1=v1&k2=v2#fragment")).String()
	want := `{"Scheme":"scheme","Host":"host","Port":"1234","Path":"/this/is/a/path","Username":"username","Password":"password","Query Parameters":{"k1":"v1","k2":"v2"},"Fragment":"fragment"}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
