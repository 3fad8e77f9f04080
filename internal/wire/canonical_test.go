package wire

import (
	"encoding/json"
	"testing"
)

func TestEqualScalarsHaveEqualBytes(t *testing.T) {
	for want, texts := range map[string][]string{
		`7`:          {`7`, `7.0`, `7.00`, `0.7e1`, `70E-1`},
		`0`:          {`0`, `-0`, `0.0`, `-0.0`, `0e5`},
		`-7.5`:       {`-7.5`, `-7.50`, `-75e-1`},
		`0.0000001`:  {`1e-7`, `0.0000001`, `0.00000010000000`},
		`1e+20`:      {`1e20`, `1E+20`},
		`0.1`:        {`0.1`, `0.10000000000000000000`},
		`100`:        {`100`, `1e2`, `100.0`},
		`"a&é/"`:     {`"a&é/"`, `"a\u0026é\/"`, `"a\u0026\u00e9/"`},
		`"\"\\\n"`:   {`"\"\\\n"`, `"\u0022\u005c\u000a"`},
		`"�"`:        {`"\ud800"`},
		`"c:\\a\"b"`: {`"c:\\a\"b"`, `"c:\u005ca\u0022b"`, `"c:\\\u0061\"b"`},
		`null`:       {`null`},
		`true`:       {`true`},
	} {
		for _, text := range texts {
			if got := string(AppendCanonical(nil, []byte(text))); got != want || !json.Valid([]byte(got)) {
				t.Errorf("%s is written as %s, want %s", text, got, want)
			}
		}
	}
}

func TestCanonicalNesting(t *testing.T) {
	n := Nesting{Canonical: true}
	for _, text := range []string{
		`{"a&b":[1.50,"\u00e9",{"x":null}],"n":1e2} `,
		` { "a\u0026b" : [ 15e-1 , "é" , { "x" : null } ] , "n" : 100.0 } `,
	} {
		out, of, err := n.Append([]byte("x"), []byte(text), len(text)-1, false)
		if want := `x{"a&b":[1.5,"é",{"x":null}],"n":100}`; err != nil || of.Misfit || string(out) != want {
			t.Errorf("%s is written as %s (%v), want %s", text, out, err, want)
		}
	}
}
