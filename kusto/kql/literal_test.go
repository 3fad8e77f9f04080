package kql

import (
	"strings"
	"testing"
	"time"
)

func TestLiteral(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `""`},
		{"DeviceInfo", `"DeviceInfo"`},
		{`say "hi"`, `'say "hi"'`},
		{`it's "so"`, `"it's \"so\""`},
		{`C:\dir`, `"C:\\dir"`},
		{"a\nb\r\tc", `"a\nb\r\tc"`},
		{"\x00\x1f\x7f\u0085\u2028", `"\u0000\u001f\u007f\u0085\u2028"`},
		{"Zürich 東京 🙂", `"Zürich 東京 🙂"`},
		{"bad \xff byte", `"bad ` + "\uFFFD" + ` byte"`},
		{`T" | take 1; .drop table X //`, `'T" | take 1; .drop table X //'`},
		{`' or "`, `"' or \""`},
	} {
		if got := Literal(c.in); got != c.want {
			t.Errorf("literal(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

// FuzzLiteral reads a literal back by the rules of the language: it ends at
// its own quote and nowhere before.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"", `"`, `'`, `\`, `\"`, `'"`, "\n", "a\x00b", "🙂", "\xff", `'" | take 1; .drop table X`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := Literal(s)
		quote := text[0]
		if quote != '"' && quote != '\'' {
			t.Fatalf("%s does not begin with a quote", text)
		}
		for i := 1; i < len(text); i++ {
			switch {
			case text[i] == '\\':
				i++
			case text[i] == quote && i != len(text)-1:
				t.Fatalf("%s ends at byte %d", text, i)
			case text[i] < ' ':
				t.Fatalf("%s holds control character %#x", text, text[i])
			}
		}
		if !strings.HasSuffix(text, string(quote)) || len(text) < 2 {
			t.Fatalf("%s is not closed", text)
		}
	})
}

func TestIdent(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"DeviceId", "DeviceId"},
		{"kind", `["kind"]`},
		{"a b", `["a b"]`},
		{`x"]; .drop table T`, `['x"]; .drop table T']`},
	} {
		if got := Ident(c.in); got != c.want {
			t.Errorf("ident(%q) = %s, want %s", c.in, got, c.want)
		}
	}
	if got, want := Entity(`my-db's \`), `['my-db\'s \\']`; got != want {
		t.Errorf("entity: %s, want %s", got, want)
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2026, 11, 23, 5, 19, 55, 436730000, time.FixedZone("", 3600))
	if got, want := Datetime(at), "datetime(2026-11-23T04:19:55.4367300Z)"; got != want {
		t.Errorf("datetime: %s, want %s", got, want)
	}
	if got, want := Datetime(time.Time{}), "datetime(null)"; got != want {
		t.Errorf("datetime of zero: %s, want %s", got, want)
	}
	for _, c := range []struct {
		in   time.Duration
		want string
	}{
		{5 * time.Minute, "timespan(0.00:05:00.0000000)"},
		{-(50*time.Hour + 1500*time.Millisecond + 100), "timespan(-2.02:00:01.5000001)"},
		{0, "timespan(0.00:00:00.0000000)"},
	} {
		if got := Timespan(c.in); got != c.want {
			t.Errorf("timespan(%v) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestDocumentRefusesWhatKustoWouldNull(t *testing.T) {
	if _, err := Document(strings.Repeat("x", 1<<20)); err == nil {
		t.Error("a document over 1 MiB was accepted")
	}
	got, err := Document(map[string]string{"a": `b"c`})
	if want := `parse_json('{"a":"b\\"c"}')`; err != nil || got != want {
		t.Errorf("document: %s, %v, want %s", got, err, want)
	}
}
