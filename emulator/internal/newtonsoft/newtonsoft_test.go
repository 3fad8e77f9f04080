package newtonsoft_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/newtonsoft"
)

// The texts are of the forms that https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_JsonTextReader.htm
// reads and that official clients and published scripts send within commands.
func TestStandard(t *testing.T) {
	for text, want := range map[string]string{
		`{ 'MaximumBatchingTimeSpan': '00:00:10' }`: `{"MaximumBatchingTimeSpan":"00:00:10"}`,
		`[{"column":"a","path":"$.a"},]`:            `[{"column":"a","path":"$.a"}]`,
		"{ // seconds\n a: 1, /* , */ $b_1: -2e3,}": `{"a":1,"$b_1":-2000}`,
		`["it's", 'it\'s', 'a "b"', 'a\\']`:         `["it's","it's","a \"b\"","a\\"]`,
		"'a\tb'":                                    `"a\tb"`,
		`{"a//b": "/* c */"}`:                       `{"a//b":"/* c */"}`,
		`{'a': [true, null, false,], 'b': {},}`:     `{"a":[true,null,false],"b":{}}`,
		`[0x1F, 017, .5, -0X10, -.25, 0, 0.5, 0e1]`: `[31, 15, 0.5, -16, -0.25, 0, 0.5, 0]`,
		" // only\n[]":                              `[]`,
	} {
		got, err := newtonsoft.Standard(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !reflect.DeepEqual(decoded(t, got), decoded(t, want)) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestStandardRefuses(t *testing.T) {
	for _, text := range []string{
		``, `{`, `[1,,2]`, `[,]`, `{,}`, `{"a":,}`, `'a`, `[1] /* x`, `/`, `{a b: 1}`, `{a-b: 1}`, `[word]`, `[1 2]`, `{"a" 1}`, `,`, `1,2`, `'\x'`,
		`[0x]`, `[08]`, `[0b1]`, `[0o7]`, `[0_1]`, `[.]`, `[1.]`, `[+5]`, `[0x1_F]`, `[NaN]`, `[True]`,
	} {
		if got, err := newtonsoft.Standard(text); err == nil {
			t.Errorf("%s: got %s, want an error", text, got)
		}
	}
}

// Valid JSON is not changed by a byte.
func TestStandardKeepsJSON(t *testing.T) {
	const text = `{ "a" : [1, 2.50, "\u0041"] }`
	if got, err := newtonsoft.Standard(text); err != nil || got != text {
		t.Errorf("got %s, %v", got, err)
	}
}

func FuzzStandard(f *testing.F) {
	for _, seed := range []string{`{'a':1,}`, `[/**/1,//x` + "\n]", `{a:'\''}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := newtonsoft.Standard(text)
		if err == nil && !json.Valid([]byte(got)) {
			t.Errorf("%q became %q, which is not JSON", text, got)
		}
	})
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}
