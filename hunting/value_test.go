package hunting

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/pseudonym"
	"github.com/tvmexport/tvmexport/internal/wire"
)

const (
	digits34 = "1234567890123456789012345678901234"
	tiny     = "0.1234567890123456789012345678901234"
)

// What each type reads, in which form the record holds it, and what does not
// fit: it is text then, as it came.
func TestValues(t *testing.T) {
	tests := []struct {
		wire   string // the type that the answer declares
		value  string
		want   string
		misfit bool
	}{
		{"DateTime", `"2025-04-05T13:59:21"`, `"2025-04-05T13:59:21Z"`, false},
		{"DateTime", `"2025-04-05T13:59:21.123"`, `"2025-04-05T13:59:21.123Z"`, false},
		{"DateTime", `"2025-04-05T13:59:21.1234567"`, `"2025-04-05T13:59:21.1234567Z"`, false},
		{"DateTime", `"2025-04-05T13:59:21.123456789Z"`, `"2025-04-05T13:59:21.123456789Z"`, false},
		{"DateTime", `"2025-04-05T13:59:21,5Z"`, `"2025-04-05T13:59:21.5Z"`, false},
		{"DateTime", `"2025-04-05 13:59:21"`, `"2025-04-05T13:59:21Z"`, false},
		{"DateTime", `"2025-04-05 13:59:21Z"`, `"2025-04-05T13:59:21Z"`, false},
		{"DateTime", `"2025-04-05 13:59:21 +02:00"`, `"2025-04-05T11:59:21Z"`, false},
		{"DateTime", `"2025-04-05t13:59:21z"`, `"2025-04-05T13:59:21Z"`, false},
		{"DateTime", `"2025-04-05T13:59:21+0200"`, `"2025-04-05T11:59:21Z"`, false},
		{"DateTime", `"2025-04-05T13:59:21+02"`, `"2025-04-05T11:59:21Z"`, false},
		{"DateTime", `"2025-04-05T13:59:21+00:00"`, `"2025-04-05T13:59:21+00:00"`, false},
		{"DateTime", `"2025-04-05T13:59"`, `"2025-04-05T13:59:00Z"`, false},
		{"DateTime", `"2025-04-05"`, `"2025-04-05T00:00:00Z"`, false},
		{"DateTime", `"2025\u002d04-05"`, `"2025-04-05T00:00:00Z"`, false},
		{"DateTime", `"Sat, 05 Apr 2025 13:59:21 GMT"`, `"2025-04-05T13:59:21Z"`, false},
		{"DateTime", `"2024-02-29T00:00:00Z"`, `"2024-02-29T00:00:00Z"`, false},
		{"DateTime", `"2025-02-29T00:00:00Z"`, `"2025-02-29T00:00:00Z"`, true},
		{"DateTime", `"2025-04-31T00:00:00Z"`, `"2025-04-31T00:00:00Z"`, true},
		{"DateTime", `"0000-01-01T00:00:00Z"`, `"0000-01-01T00:00:00Z"`, true},
		{"DateTime", `"9999-12-31T23:59:59-05:00"`, `"9999-12-31T23:59:59-05:00"`, true},
		{"DateTime", `"Sat, 05 Apr 2025 13:59:21 XYZ"`, `"Sat, 05 Apr 2025 13:59:21 XYZ"`, true},
		{"DateTime", `"4/5/2025"`, `"4/5/2025"`, true},
		{"DateTime", `1743861561`, `"1743861561"`, true},
		{"DateTime", `true`, `"true"`, true},
		{"DateTime", `""`, `""`, false},

		{"Double", `"INF"`, `"Infinity"`, false},
		{"Double", `"-INF"`, `"-Infinity"`, false},
		{"Double", `"+inf"`, `"Infinity"`, false},
		{"Double", `"nan"`, `"NaN"`, false},
		{"Double", `"7.5"`, `7.5`, false},
		{"Double", `" 7.5 "`, `7.5`, false},
		{"Double", `"+7.50"`, `7.5`, false},
		{"Double", `"-.5e1"`, `-5`, false},
		{"Double", `7`, `7`, false},
		{"Double", `0.12345678901234567`, `0.12345678901234567`, false},
		{"Double", `0.123456789012345678`, `"0.123456789012345678"`, false},
		{"Double", `9007199254740993`, `9007199254740993`, false},
		{"Double", `9223372036854775808`, `"9223372036854775808"`, false},
		{"Double", `1e308`, `1e308`, false},
		{"Double", `1e309`, `"1e309"`, true},
		{"Double", `1e-400`, `"1e-400"`, true},
		{"Double", `"seven"`, `"seven"`, true},
		{"Double", `"7,5"`, `"7,5"`, true},
		{"Double", `"0x10"`, `"0x10"`, true},
		{"Double", `[1]`, `"[1]"`, true},

		{"SqlDecimal", tiny, `"` + tiny + `"`, false},
		{"SqlDecimal", `"` + tiny + `"`, `"` + tiny + `"`, false},
		{"SqlDecimal", digits34, `"` + digits34 + `"`, false},
		{"SqlDecimal", `0.1`, `0.1`, false},
		{"SqlDecimal", `0.1234567890123456`, `"0.1234567890123456"`, false},
		{"SqlDecimal", `1e3`, `"1e3"`, false},
		{"SqlDecimal", digits34 + `5`, `"` + digits34 + `5"`, true},
		{"SqlDecimal", `"NaN"`, `"NaN"`, true},

		{"Int64", `"7"`, `7`, false},
		{"Int64", `"-7"`, `-7`, false},
		{"Int64", `"007"`, `7`, false},
		{"Int64", `7.0`, `7`, false},
		{"Int64", `1e3`, `1000`, false},
		{"Int64", `9223372036854775807`, `9223372036854775807`, false},
		{"Int64", `-9223372036854775808`, `-9223372036854775808`, false},
		{"Int64", `9223372036854775808`, `"9223372036854775808"`, true},
		{"Int64", `7.5`, `"7.5"`, true},
		{"Int64", `"7.5"`, `"7.5"`, true},
		{"Int64", `"many"`, `"many"`, true},
		{"Int64", `true`, `"true"`, true},
		{"Int64", `{"a": 1}`, `"{\"a\": 1}"`, true},
		{"Int32", `2147483647`, `2147483647`, false},
		{"Int32", `"2147483647"`, `2147483647`, false},
		{"Int32", `2147483648`, `"2147483648"`, true},
		{"Int32", `-2147483648`, `-2147483648`, false},
		{"Int32", `3e9`, `"3e9"`, true},

		{"SByte", `0`, `false`, false},
		{"SByte", `"1"`, `true`, false},
		{"SByte", `"True"`, `true`, false},
		{"SByte", `"FALSE"`, `false`, false},
		{"SByte", `2`, `"2"`, true},
		{"SByte", `"yes"`, `"yes"`, true},

		{"Guid", `"74BE27DE-1e4e-49d9-b579-fe0b331d3642"`, `"74BE27DE-1e4e-49d9-b579-fe0b331d3642"`, false},
		{"Guid", `"{74be27de-1e4e-49d9-b579-fe0b331d3642}"`, `"74be27de-1e4e-49d9-b579-fe0b331d3642"`, false},
		{"Guid", `"74be27de1e4e49d9b579fe0b331d3642"`, `"74be27de-1e4e-49d9-b579-fe0b331d3642"`, false},
		{"Guid", `"74be27de"`, `"74be27de"`, true},
		{"Guid", `7`, `"7"`, true},

		{"TimeSpan", `"00:00:01"`, `"00:00:01"`, false},
		{"TimeSpan", `"-1.02:03:04.1234567"`, `"-1.02:03:04.1234567"`, false},
		{"TimeSpan", `"P1DT2H3M4.5S"`, `"1.02:03:04.5"`, false},
		{"TimeSpan", `"-PT90M"`, `"-0.01:30:00"`, false},
		{"TimeSpan", `"P1Y"`, `"P1Y"`, true},
		{"TimeSpan", `"7"`, `"7"`, true},
		{"TimeSpan", `7`, `"7"`, true},

		{"String", `7`, `"7"`, false},
		{"String", `true`, `"true"`, false},
		{"String", `12345678901234567890`, `"12345678901234567890"`, false},
		{"String", `["x"]`, `"[\"x\"]"`, true},
		{"String", `"a\ud800b"`, `"a\ufffdb"`, false},
		{"String", `"a\ud83d\ude80b\udc00\ud800"`, `"a\ud83d\ude80b\ufffd\ufffd"`, false},
		{"String", `"\\ud800 is text"`, `"\\ud800 is text"`, false},
		{"String", `"a\u0000b"`, `"a\u0000b"`, false},

		{"Object", `12345678901234567890`, `"12345678901234567890"`, false},
		{"Object", `{"a":[0.12345678901234567890, 1e400, 5]}`, `{"a":["0.12345678901234567890","1e400",5]}`, false},
		{"Object", `{"a":"2025-04-05"}`, `{"a":"2025-04-05"}`, false},
		{"Object", `{"a":1,"\u0061":2}`, `"{\"a\":1,\"\\u0061\":2}"`, true},
		{"Object", `{"b":{"a":1,"a":1},"c":2}`, `{"b":"{\"a\":1,\"a\":1}","c":2}`, true},
		{"Object", `{"b":"\ud800"}`, `{"b":"\ufffd"}`, false},
		{"Object", nested(wire.MostLevels - 1), nested(wire.MostLevels - 1), false},
		{"Object", nested(wire.MostLevels), `"` + nested(wire.MostLevels) + `"`, true},
	}
	for _, api := range []API{Graph, XDR} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s/%s/%.40s", api, tt.wire, tt.value), func(t *testing.T) {
				got, n, err := read(t, api, configuration, nil,
					`{"schema":[{"name":"DeviceId","type":"String"},{"name":"V","type":"`+tt.wire+`"}],"results":[{"DeviceId":"c2","V":`+tt.value+`},{"DeviceId":"c3"}]}`)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(`{"DeviceId":"c2","V":`+tt.want+`}`, got.rows[0]); d != "" {
					t.Error(d)
				}
				if unread := n.unread(); tt.misfit != (len(unread) == 1) {
					t.Errorf("not read: %v", unread)
				}
			})
		}
	}
}

// Dynamic columns that come as text keep the same rules, and what is nested
// deeper than the destination may read is text.
func TestDynamicsAsText(t *testing.T) {
	for _, tt := range []struct {
		text, want string // of the element
		misfit     bool
	}{
		{`12345678901234567890`, `"12345678901234567890"`, false},
		{`"INF"`, `"INF"`, false},
		{`{"a": 0.12345678901234567890}`, `{"a":"0.12345678901234567890"}`, false},
		{`{"a":1,"a":2}`, `"{\"a\":1,\"a\":2}"`, true},
		{`["{\"a\":1}",{}]`, `["{\"a\":1}",{}]`, false},
		{nested(wire.MostLevels - 1), nested(wire.MostLevels - 1), false},
		{nested(wire.MostLevels), `"` + nested(wire.MostLevels) + `"`, true},
		{nested(wire.Deepest - 1), `"` + nested(wire.Deepest-1) + `"`, true},
	} {
		quoted, err := json.Marshal("[" + tt.text + "]")
		if err != nil {
			t.Fatal(err)
		}
		got, n, err := read(t, Graph, configuration, []string{"Context"}, `{"schema":[{"name":"DeviceId","type":"String"},{"name":"Context","type":"String"}],"results":[{"DeviceId":"c2","Context":`+string(quoted)+`}]}`)
		if err != nil {
			t.Errorf("%.60s: %v", tt.text, err)
			continue
		}
		if d := cmp.Diff(`{"DeviceId":"c2","Context":`+tt.want+`}`, got.rows[0]); d != "" {
			t.Error(d)
		}
		if unread := n.unread(); tt.misfit != (len(unread) == 1) {
			t.Errorf("%.60s: not read: %v", tt.text, unread)
		}
	}
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

// Text of a column that is not published appears nowhere, whether it fits or not.
func TestMisfitsKeepToTheChoice(t *testing.T) {
	table := configuration
	table.Policy = tvmexport.ColumnPolicy{Exclude: []string{"Secret"}, Pseudonymise: []string{"Name"}}
	n := newNormaliser(Graph, tvmexport.Slice{Table: table}, mark, nil, table.Columns)
	n.masks = masksForTest()
	var got rowsOf
	b := bodyOf(t, `{"schema":[{"name":"DeviceId","type":"String"},{"name":"Secret","type":"Int64"},{"name":"Name","type":"Int64"}],
		"results":[{"DeviceId":"c2","Secret":"hidden","Name":"masked"}]}`)
	if err := b.rows(n, &got); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got.rows[0], "hidden") || strings.Contains(got.rows[0], "masked") {
		t.Errorf("the row shows what it must not: %s", got.rows[0])
	}
	if unread := n.unread(); len(unread) > 0 {
		t.Errorf("counted: %v", unread)
	}
}

func bodyOf(tb testing.TB, text string) *body {
	tb.Helper()
	b, err := openBody(&http.Response{Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func masksForTest() *pseudonym.Maker { return pseudonym.New([]byte("a key of sixteen or more")) }

// sameValue compares the text of a value with its normal form, by other means
// than the normaliser's.
func sameValue(kind, text, kept string) bool {
	switch kind {
	case "SByte":
		return kept == map[string]string{"0": "false", "1": "true", "false": "false", "true": "true"}[strings.ToLower(text)]
	case "Int32", "Int64", "Double", "SqlDecimal":
		if n := strings.ToLower(strings.TrimPrefix(text, "+")); strings.HasPrefix(strings.TrimPrefix(n, "-"), "inf") || n == "nan" {
			return strings.HasPrefix(strings.ToLower(kept), n[:3])
		}
		a, ok := new(big.Float).SetPrec(4000).SetString(text)
		b, also := new(big.Float).SetPrec(4000).SetString(kept)
		if !ok || !also {
			return false
		}
		diff := new(big.Float).Sub(a, b)
		// A number that is not in JSON's form is rewritten, with 17 digits at most.
		return diff.Sign() == 0 || new(big.Float).Quo(diff.Abs(diff), a.Abs(a)).Cmp(big.NewFloat(1e-15)) < 0 && kind == "Double"
	case "DateTime":
		return strings.HasSuffix(kept, "Z") && len(kept) >= len("2025-04-05T13:59:21Z")
	case "TimeSpan":
		return strings.Contains(text, "P") && wire.IsClock([]byte(kept))
	case "Guid":
		strip := strings.NewReplacer("-", "", "{", "", "}", "", "(", "", ")", "")
		return strip.Replace(text) == strip.Replace(kept)
	}
	return false
}
