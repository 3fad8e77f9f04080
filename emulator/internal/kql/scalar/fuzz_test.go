package scalar_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// FuzzParsers gives any text to the functions that read text: none panics, and
// what they make is printed as valid JSON.
func FuzzParsers(f *testing.F) {
	for _, s := range []string{"https://u:p@h:1/p?a=b#f", `C:\temp\f.txt:s`, `a,"b""`, "1.2.3.4", "$.a['b'][0]", "10.0.0.1/8", "yyyy-MM-dd", "4d2h", `(\w+)`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{
			"parse_url", "parse_urlquery", "parse_path", "parse_csv", "parse_version", "parse_ipv4", "parse_json",
			"todatetime", "totimespan", "tolong", "toreal", "todecimal", "toguid", "tobool",
			"base64_decode_tostring", "url_decode", "gzip_decompress_from_base64_string", "treepath", "reverse",
		} {
			f, _ := scalar.Lookup(name)
			arg := value.NewString(text)
			if name == "treepath" {
				arg = value.DynamicJSON(text)
			}
			b, err := f.Bind([]scalar.Arg{{Kind: arg.Kind()}})
			if err != nil {
				t.Fatal(err)
			}
			v, err := b.Eval([]value.Value{arg})
			if err != nil {
				t.Fatalf("%s(%q): %v", name, text, err)
			}
			if printed := v.AppendJSON(nil); !json.Valid(printed) {
				t.Fatalf("%s(%q) prints %s", name, text, printed)
			}
		}
		pair := []value.Value{value.NewString(text), value.DynamicJSON(`{"a":{"b":[1]}}`)}
		for _, name := range []string{"extract_json", "format_datetime", "trim", "parse_command_line"} {
			f, _ := scalar.Lookup(name)
			values := pair
			switch name {
			case "format_datetime":
				values = []value.Value{value.DateTimeFromTicks(0), pair[0]}
			case "parse_command_line":
				values = []value.Value{pair[0], value.NewString("windows")}
			case "trim":
				values = []value.Value{pair[0], pair[0]}
			}
			b, err := f.Bind(arguments(values, true))
			if err != nil {
				continue
			}
			if v, err := b.Eval(values); err == nil && utf8.ValidString(text) && !utf8.ValidString(v.String()) {
				t.Fatalf("%s(%q) is not valid UTF-8", name, text)
			}
		}
	})
}
