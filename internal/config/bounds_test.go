package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/tvmexport/tvmexport/internal/config"
)

const small = "kusto: {cluster: https://adx.kusto.windows.net, database: security}\n"

// load reads a text as a file.
func load(t testing.TB, text string) (config.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.File(file, env(nil))
	if err != nil {
		err = errors.New(strings.ReplaceAll(err.Error(), file, "c.yaml"))
	}
	return c, err
}

// endless are texts that would take a parser minutes, its memory or its stack.
func endless() map[string]string {
	var deep, keys strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&deep, "%*sa:\n", i, "")
	}
	for i := range 70_000 {
		fmt.Fprintf(&keys, "key%d: v\n", i)
	}
	return map[string]string{
		"10 MB of keys":       strings.Repeat(keys.String(), 12),
		"1 MB of keys":        keys.String(),
		"as many as may be":   keys.String()[:9_990*len("key1234: v\n")],
		"brackets":            "a: " + strings.Repeat("[", 25_000),
		"braces":              "a: " + strings.Repeat("{a: ", 7_000),
		"many brackets":       "a: " + strings.Repeat("[", 1<<20-3),
		"deep keys":           deep.String(),
		"lists in lists":      strings.Repeat("- ", 25_000) + "a",
		"keys that are keys":  strings.Repeat("? ", 25_000) + "a",
		"anchors":             "a: " + strings.Repeat("&a ", 9_000),
		"tags":                "a: " + strings.Repeat("!a ", 9_000),
		"keys in a line":      strings.Repeat("a: ", 9_000),
		"documents":           strings.Repeat("---\na: 1\n", 9_000),
		"a bomb of aliases":   "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
		"a long key":          strings.Repeat("k", 1<<20-10) + ": 1\n",
		"a long value":        "defender: {share: " + strings.Repeat("9", 1<<20-100) + "}\n",
		"a long word":         small + "defender: {api: " + strings.Repeat("x", 1<<20-200) + "}\n",
		"a long table's name": small + "tables: {" + strings.Repeat("T", 1<<20-200) + ": {}}\n",
		"no end of a quote":   "a: \"" + strings.Repeat("\\n", 1<<19-10),
	}
}

// A text that no configuration is, is refused soon and in a short sentence: a
// parser alone takes minutes for some of them.
func TestEndlessTextsAreRefusedSoon(t *testing.T) {
	for name, text := range endless() {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, text)
			if err == nil {
				t.Fatal("it is accepted")
			}
			if n := len(err.Error()); n > 20_000 {
				t.Errorf("the message has %d bytes: %.300s", n, err)
			}
		})
	}
}

func utf16LE(s string) string {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return string(out)
}

// What is refused says what it is, and where.
func TestWhatIsNotOneDocumentOfText(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"large", strings.Repeat("# x\n", 1<<18+1), "c.yaml is larger than 1 MiB"},
		{"a second document", small + "---\n" + small, "c.yaml:3:1: a second document begins here; a configuration has one document"},
		{"a second document after an end", "---\n" + small + "...\nlag: 1h\n", "c.yaml:4:1: a second document begins here"},
		{"a second document without keys", small + "---\nx\n", "c.yaml:3:1: a second document begins here"},
		{"UTF-16", utf16LE(small), "c.yaml: the file is not UTF-8 text, perhaps UTF-16"},
		{"a zero", small + "lag: \"\x00\"\n", "c.yaml: the file is not UTF-8 text"},
		{"Latin-1", small + "lag: caf\xe9\n", "c.yaml:2:9: the text is not valid UTF-8 here"},
		{"a key twice", small + "lag: 1h\nlag: 2h\n", "c.yaml:3:1: mapping key \"lag\" already defined"},
		{"a section twice", small + "lag: 1h\nkusto: {database: x}\n", "c.yaml:3:1: mapping key \"kusto\" already defined"},
		{"an anchor", "kusto: &k {cluster: https://a.example}\n", "c.yaml:1:8: the value begins with &"},
		{"an alias", small + "lag: *x\n", "c.yaml:2:6: the value begins with *"},
		{"cron without quotes", small + "schedule: * 3 * * *\n", "c.yaml:2:11: the value begins with *"},
		{"a merge", small + "serve:\n  <<: {jitter: 1m}\n", "c.yaml:3:3: the value begins with <<"},
		{"a tag", small + "lag: !!str 1h\n", "c.yaml:2:6: the value begins with !!str"},
		{"too deep", "a:\n" + strings.Repeat(" ", 1) + strings.Repeat("- ", 40) + "x\n", "nested deeper than 32 levels"},
		{"too deep in brackets", "a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "\n", "nested deeper than 32 levels"},
		{"many mistakes", small + mistakes(1000), "there are more errors; these are the first"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := load(t, tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func mistakes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "wrong%d: 1\n", i)
	}
	return b.String()
}

// Forms of a file that editors make are the same configuration.
func TestFormsOfAFile(t *testing.T) {
	text := "# first\n---\n" + small + "lag: 1h\nserve:\n  schedules:\n    T: \"* 3 * * *\"\ntables:\n  T:\n    exclude:\n    - A\n    - B\n  U: {exclude: [C]}\n"
	for name, form := range map[string]string{
		"as it is": text, "with a BOM": "\ufeff" + text, "with CRLF": strings.ReplaceAll(text, "\n", "\r\n"),
		"with both": "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n"), "with an end": text + "...\n", "with an empty document behind": text + "---\n# nothing\n",
	} {
		c, err := load(t, form)
		if err != nil || c.Lag != time.Hour || c.Serve.Schedules["T"] != "* 3 * * *" || len(c.Tables["T"].Exclude) != 2 || c.Kusto.Database != "security" {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	for _, text := range endless() {
		f.Add(text[:min(len(text), 300)])
	}
	f.Add(config.Example)
	f.Add("\ufeffa: [{b: |\n  c\n}]\n---\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := config.Parse("c.yaml", []byte(text), env(nil)); err != nil && len(err.Error()) > 20_000 {
			t.Errorf("a message of %d bytes", len(err.Error()))
		}
	})
}
