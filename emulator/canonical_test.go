package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func column(name string, kind value.Kind) value.Column { return value.Column{Name: name, Kind: kind} }

func dateTime(t testing.TB, text string) value.Value {
	t.Helper()
	v, ok := value.ParseDateTime(text)
	if !ok {
		t.Fatalf("%q is no datetime", text)
	}
	return v
}

func TestCanonicalRow(t *testing.T) {
	dynamic := value.DynamicJSON
	for _, tt := range []struct {
		name    string
		columns []value.Column
		row     []value.Value
		want    string
	}{
		{
			"sorted, null left out, empty string kept",
			[]value.Column{column("b", value.String), column("a", value.Long), column("B", value.DateTime), column("é", value.Int)},
			[]value.Value{value.NewString(""), value.NewLong(9007199254740993), value.Null(value.DateTime), value.NewInt(1)},
			`{"a":9007199254740993,"b":"","é":1}`,
		},
		{
			"scalars",
			[]value.Column{column("a", value.Bool), column("b", value.Bool), column("c", value.DateTime), column("d", value.TimeSpan)},
			[]value.Value{value.NewBool(true), value.NewBool(false), dateTime(t, "2026-07-19T21:46:29Z"), value.NewTimeSpan(10_000_000)},
			`{"a":true,"b":false,"c":"2026-07-19T21:46:29.0000000Z","d":"00:00:01"}`,
		},
		{
			"text that is a date and time",
			[]value.Column{column("a", value.String), column("b", value.String), column("c", value.String)},
			[]value.Value{value.NewString("2026-07-19T23:46:29+02:00"), value.NewString("2026-07-19"), value.NewString("2026-07-19T and more text")},
			`{"a":"2026-07-19T21:46:29.0000000Z","b":"2026-07-19","c":"2026-07-19T and more text"}`,
		},
		{
			"date-like text in a dynamic that was put together",
			[]value.Column{column("a", value.Dynamic)},
			[]value.Value{value.NewArray([]value.Value{value.NewString("2023-11-07T00:00:00Z"), value.NewString("2023-11-07")})},
			`{"a":["2023-11-07T00:00:00.0000000Z","2023-11-07"]}`,
		},
		{
			"date-like text in a dynamic is typed as on ingestion",
			[]value.Column{column("a", value.Dynamic)},
			[]value.Value{dynamic(`{"x":"2026-07-19T23:46:29+02:00","y":["2026-07-19T21:46:29.12Z"],"z":"2026-07-19"}`)},
			`{"a":{"x":"2026-07-19T21:46:29.0000000Z","y":["2026-07-19T21:46:29.1200000Z"],"z":"2026-07-19"}}`,
		},
		{
			"a dynamic that was typed already",
			[]value.Column{column("a", value.Dynamic)},
			[]value.Value{value.DynamicJSONTyped(`{"x":"2026-07-19T21:46:29Z"}`)},
			`{"a":{"x":"2026-07-19T21:46:29.0000000Z"}}`,
		},
		{
			"bags: sorted at every depth, null and @odata dropped, empty ones kept",
			[]value.Column{column("a", value.Dynamic)},
			[]value.Value{dynamic(`{"z":{"y":1,"x":{"n":null}},"b":null,"a@odata.type":"#SByte","c":{},"d":[],"e":[null,{"q":null}]}`)},
			`{"a":{"c":{},"d":[],"e":[null,{}],"z":{"x":{},"y":1}}}`,
		},
		{
			"empty bag, empty array, null",
			[]value.Column{column("a", value.Dynamic), column("b", value.Dynamic), column("c", value.Dynamic)},
			[]value.Value{dynamic(`{}`), dynamic(`[]`), value.Null(value.Dynamic)},
			`{"a":{},"b":[]}`,
		},
		{
			"text that holds JSON stays text",
			[]value.Column{column("a", value.Dynamic), column("b", value.String)},
			[]value.Value{dynamic(`["{\"x\":1}"]`), value.NewString(`{"x":1}`)},
			`{"a":["{\"x\":1}"],"b":"{\"x\":1}"}`,
		},
		{
			"records stand for their rows",
			[]value.Column{column("Records", value.Dynamic)},
			[]value.Value{dynamic(`{"b":1.0,"a":true,"c":null}`)},
			`{"a":true,"b":1}`,
		},
		{
			"other columns next to records",
			[]value.Column{column("Records", value.Dynamic), column("RunId", value.String)},
			[]value.Value{dynamic(`{"b":1}`), value.NewString("r")},
			`{"Records":{"b":1},"RunId":"r"}`,
		},
		{"no columns", nil, nil, `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, string(newCanonical(tt.columns).appendRow(nil, tt.row))); d != "" {
				t.Error(d)
			}
		})
	}
}

// The expected forms are those of RFC 8785, appendix B, where it has them.
func TestShortestNumbers(t *testing.T) {
	for _, tt := range []struct {
		f    float64
		want string
	}{
		{0, "0"},
		{math.Copysign(0, -1), "0"},
		{10, "10"},
		{4.3, "4.3"},
		{-1.5, "-1.5"},
		{1e15, "1000000000000000"},
		{5e-324, "5e-324"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{9007199254740992, "9007199254740992"},
		{295147905179352830000, "295147905179352830000"},
		{9.999999999999997e22, "9.999999999999997e+22"},
		{1e23, "1e+23"},
		{999999999999999700000, "999999999999999700000"},
		{1e21, "1e+21"},
		{9.999999999999997e-7, "9.999999999999997e-7"},
		{0.000001, "0.000001"},
		{333333333.3333332, "333333333.3333332"},
		{math.NaN(), `"NaN"`},
		{math.Inf(-1), `"-Infinity"`},
	} {
		if got := string(appendNumber(nil, tt.f)); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.f, got, tt.want)
		}
	}
	for text, want := range map[string]string{"1.50": "1.5", "1.0": "1", "100": "100", "1E+2": "1E+2"} {
		if got := shortDecimal(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// sum is the definition of the hash, written the plain way.
func sum(rows ...string) string {
	var hashes []string
	for _, r := range rows {
		h := sha256.Sum256([]byte(r))
		hashes = append(hashes, string(h[:]))
	}
	slices.Sort(hashes)
	total := sha256.Sum256([]byte(strings.Join(hashes, "")))
	return hex.EncodeToString(total[:])
}

func TestRowHash(t *testing.T) {
	var empty RowHash
	if got := empty.Sum(); got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" || empty.Rows() != 0 {
		t.Errorf("of no rows: %s", got)
	}
	var rows []string
	for i := range 3000 {
		rows = append(rows, strings.Repeat("x", i%700))
	}
	want := sum(rows...)
	for range 3 {
		rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		var h RowHash
		for _, r := range rows {
			h.Add([]byte(r))
		}
		if got := h.Sum(); got != want || h.Rows() != 3000 {
			t.Errorf("got %s of %d rows, want %s", got, h.Rows(), want)
		}
	}
	var once, twice RowHash
	once.Add([]byte("a"))
	twice.Add([]byte("a"))
	twice.Add([]byte("a"))
	if once.Sum() == twice.Sum() {
		t.Error("a duplicate row does not change the hash")
	}
}

// The canonical form of any dynamic is JSON, and is its own canonical form.
func FuzzCanonical(f *testing.F) {
	f.Add(`{"b":[1,2.50,{"z":null,"y":"2026-01-02T03:04:05+01:00"}],"a":"x","a":"y"}`)
	f.Add(`1e400`)
	f.Add(`"2026-01-02T03:04:05Z"`)
	f.Add(`{"\ud800":1}`)
	c := newCanonical([]value.Column{column("Records", value.Dynamic)})
	f.Fuzz(func(t *testing.T, text string) {
		once := c.appendRow(nil, []value.Value{value.DynamicJSON(text)})
		if !json.Valid(once) {
			t.Fatalf("%q became %q, which is not JSON", text, once)
		}
		twice := c.appendRow(nil, []value.Value{value.DynamicJSON(string(once))})
		if string(once) != string(twice) && value.DynamicJSON(text).IsBag() {
			t.Errorf("%q became %q and then %q", text, once, twice)
		}
	})
}

func BenchmarkRowHash(b *testing.B) {
	c := newCanonical([]value.Column{column("DeviceId", value.String), column("CveId", value.String), column("CvssScore", value.Real), column("Tags", value.Dynamic)})
	row := []value.Value{value.NewString(strings.Repeat("a", 40)), value.NewString("CVE-2026-0001"), value.NewReal(7.5), value.DynamicJSON(`["a","b"]`)}
	var buffer []byte
	var h RowHash
	for b.Loop() {
		buffer = c.appendRow(buffer[:0], row)
		h.Add(buffer)
	}
}
