package assessment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// What is read is valid JSON in UTF-8, and reading it again changes nothing.
func FuzzRows(f *testing.F) {
	for _, text := range []string{fileRow, pageRow, canonicalRow, `{"a":1}{"b":[]}`, `{"deviceGatheredInfo":"{\"a\":1}"}`, `{"cvssScore":"7.0","firstSeenTimestamp":"2026-01-01"}`, "{\"\xff\":\"\\ud800\"}"} {
		f.Add([]byte(text), uint8(0))
	}
	names := Tables()
	f.Fuzz(func(t *testing.T, text []byte, n uint8) {
		table := tableOf(t, names[int(n)%len(names)])
		_, got, err := read(t, table, string(text))
		if err == nil && len(got.rows) == 0 && len(bytes.TrimSpace(text)) > 0 {
			t.Errorf("%q has no rows and no error", text)
		}
		for _, row := range got.rows {
			if !json.Valid([]byte(row)) || !utf8.ValidString(row) {
				t.Fatalf("%q is read as %q", text, row)
			}
			_, again, err := read(t, table, row)
			if err != nil || len(again.rows) != 1 || again.rows[0] != row {
				t.Fatalf("%s is read as %v (%v)", row, again.rows, err)
			}
		}
	})
}

// A damaged file never passes for a complete one: its rows are the ones that were
// written, or there is an error.
func FuzzFile(f *testing.F) {
	f.Add(uint16(3), uint16(0), uint8(0), false)
	f.Add(uint16(0), uint16(30), uint8(255), true)
	f.Fuzz(func(t *testing.T, rows, at uint16, flip uint8, cut bool) {
		table := tableOf(t, "TvmHardwareFirmware")
		var file bytes.Buffer
		z := gzip.NewWriter(&file)
		for i := range rows % 50 {
			fmt.Fprintf(z, `{"DeviceId":"%040x"}`+"\n", i)
		}
		_ = z.Close()
		text := file.Bytes()
		switch i := int(at) % len(text); {
		case cut:
			text = text[:i]
		default:
			text[i] ^= flip
		}
		var got taken
		_, err := readFile(bytes.NewReader(text), -1, newTestRows(t, table, &got))
		if err == nil && len(text) > 0 && len(got.rows) != int(rows%50) {
			t.Errorf("%d rows of %d, cut %t at %d", len(got.rows), rows%50, cut, at)
		}
	})
}

// Both forms of a record give one row.
func FuzzForms(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	names := Tables()
	f.Fuzz(func(t *testing.T, seed uint64) {
		dice := rand.New(rand.NewPCG(seed, 1))
		table := tableOf(t, names[dice.IntN(len(names))])
		var members []member
		for _, c := range append(slices.Clone(table.Columns), tvmexport.Column{Name: "Newer", Type: "string"}) {
			members = append(members, memberOf(dice, c))
		}
		forms := [2]string{inPage(dice, members), inFile(dice, members)}
		var rows [2]string
		for i, form := range forms {
			r, got, err := read(t, table, form)
			if err != nil || len(got.rows) != 1 || r.unread() != nil {
				t.Fatalf("%s: %v, %v", form, err, r.unread())
			}
			rows[i] = got.rows[0]
		}
		if d := cmp.Diff(rows[0], rows[1]); d != "" {
			t.Errorf("%s\n%s\n%s", forms[0], forms[1], d)
		}
	})
}

// member is a value with the ways in which it is written; nil: there is none.
type member struct {
	name string
	ways []string
}

func memberOf(dice *rand.Rand, c tvmexport.Column) member {
	m := member{name: c.Name}
	if dice.IntN(4) == 0 {
		if slices.Contains(lists, c.Name) {
			m.ways = []string{"[]"}
		}
		return m
	}
	switch c.Type {
	case "string":
		text := []string{"", "plain", "a/b", "é&\"", "[x]", "{}", "12", "\n"}[dice.IntN(8)]
		quoted, _ := json.Marshal(text)
		var escaped strings.Builder
		for _, r := range text {
			fmt.Fprintf(&escaped, `\u%04x`, r)
		}
		m.ways = []string{string(quoted), `"` + escaped.String() + `"`}
	case "bool":
		m.ways = [][]string{{"true", `"True"`, `"true"`}, {"false", `"False"`, "0"}}[dice.IntN(2)]
	case "int", "long":
		n := strconv.Itoa(dice.IntN(100_000))
		m.ways = []string{n, `"` + n + `"`, n + ".0"}
	case "real":
		n := strconv.FormatFloat(float64(dice.IntN(100))/10, 'f', 1, 64)
		m.ways = []string{n, n + "0", `"` + n + `"`, strings.TrimSuffix(n, ".0")}
	case "datetime":
		at := time.Unix(dice.Int64N(4e9), 1e6*int64(dice.IntN(2)*120)).UTC()
		for _, layout := range []string{"2006-01-02 15:04:05.0000000", "2006-01-02 15:04:05.000", "2006-01-02T15:04:05.999Z", "2006-01-02T15:04:05.000+00:00"} {
			m.ways = append(m.ways, `"`+at.Format(layout)+`"`)
		}
	case "dynamic":
		text := []string{`{"a":"b","n":[1,2.5]}`, `["x","y"]`, `[{"Id":null}]`}[dice.IntN(3)]
		m.ways = []string{text, strings.ReplaceAll(text, ":", " : "), strings.ReplaceAll(text, "2.5", "2.50")}
		if slices.Contains(texts, c.Name) {
			quoted, _ := json.Marshal(text)
			m.ways = append(m.ways, string(quoted))
		}
	}
	return m
}

// inPage writes a row with names in camel case and nulls.
func inPage(dice *rand.Rand, members []member) string {
	var parts []string
	for _, m := range members {
		value := "null"
		if len(m.ways) > 0 {
			value = m.ways[dice.IntN(len(m.ways))]
		}
		name := strings.ToLower(m.name[:1]) + m.name[1:]
		if strings.HasPrefix(m.name, "OS") {
			name = "os" + m.name[2:]
		}
		parts = append(parts, `"`+name+`":`+value)
	}
	dice.Shuffle(len(parts), func(i, k int) { parts[i], parts[k] = parts[k], parts[i] })
	return "{" + strings.Join(parts, ",") + "}"
}

// inFile writes a row with names in Pascal case, without members that have no value.
func inFile(dice *rand.Rand, members []member) string {
	var parts []string
	for _, m := range members {
		if len(m.ways) == 0 || m.ways[0] == "[]" && dice.IntN(2) == 0 {
			continue
		}
		parts = append(parts, `"`+m.name+`" : `+m.ways[dice.IntN(len(m.ways))])
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ", ") + " }"
}

// BenchmarkFile reads a file of vulnerabilities of about 700 bytes each.
func BenchmarkFile(b *testing.B) {
	const n = 20_000
	table := tableOf(b, "TvmSoftwareVulnerabilities")
	var plain, file bytes.Buffer
	z, _ := gzip.NewWriterLevel(&file, gzip.BestSpeed)
	for i := range n {
		line := strings.NewReplacer("1f40", fmt.Sprintf("%040x", i/50), "10001", strconv.Itoa(10_000+i%1000), "2.1.0.0", fmt.Sprintf("2.%d.0.%d", i%7, i%50)).Replace(fileRow) + "\n"
		plain.WriteString(line)
		_, _ = z.Write([]byte(line))
	}
	_ = z.Close()
	report := func(b *testing.B) {
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		b.ReportMetric(float64(plain.Len())/n, "bytes/row")
	}
	b.Run("gzip", func(b *testing.B) {
		b.SetBytes(int64(plain.Len()))
		b.ReportAllocs()
		for b.Loop() {
			var d dropped
			if _, err := readFile(bytes.NewReader(file.Bytes()), int64(file.Len()), newTestRows(b, table, &d)); err != nil || d.rows != n {
				b.Fatal(d.rows, err)
			}
		}
		report(b)
	})
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(int64(plain.Len()))
		for b.Loop() {
			var d dropped
			if err := readLines(wire.NewStream(bytes.NewReader(plain.Bytes())), newTestRows(b, table, &d)); err != nil || d.rows != n {
				b.Fatal(d.rows, err)
			}
		}
		report(b)
	})
}

type dropped struct{ rows int }

func (d *dropped) WriteRow(_, _ []byte) error { d.rows++; return nil }
