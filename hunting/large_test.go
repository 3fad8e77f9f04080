package hunting

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// largest notes the longest row.
type largest struct{ bytes int }

func (l *largest) WriteRow(_, row []byte) error {
	l.bytes = max(l.bytes, len(row))
	return nil
}

// counting notes how many bytes are looked at for a value that comes in pieces.
func looked(t *testing.T, bytes, piece int) (int, error) {
	t.Helper()
	s := wire.NewStream(&pieces{`"` + strings.Repeat("x", bytes) + `" `, piece})
	total := 0
	err := s.Whole(func(text []byte) (int, error) {
		total += len(text)
		v := wire.Scan{Text: text}
		return v.Value(0, 0), nil
	})
	return total, err
}

// What a row costs grows with its length, not with the square of it, in however
// small pieces it comes.
func TestLargeRowsAreReadOnce(t *testing.T) {
	for _, size := range []int{1 << 20, 8 << 20} {
		total, err := looked(t, size, 4096)
		if err != nil || total > 4*size {
			t.Errorf("%d bytes are looked at for a value of %d: %v", total, size, err)
		}
	}
	body := `{"schema":[],"results":[{"DeviceId":"a","Context":"` + strings.Repeat("x", 40<<20) + `"}]}`
	var rows largest
	if err := readPieces(t, body, 16<<10, &rows); err != nil || rows.bytes < 40<<20 {
		t.Errorf("a row of %d bytes: %v", rows.bytes, err)
	}
}

func readPieces(t *testing.T, body string, piece int, w tvmexport.RowWriter) error {
	t.Helper()
	b, err := openBody(&http.Response{Body: io.NopCloser(&pieces{body, piece}), Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	return b.rows(normaliserOf(Graph, configuration, nil), w)
}

// A value over the bound is refused before it is read to its end.
func TestHugeRowIsRefused(t *testing.T) {
	read := 0
	endless := `{"schema":[],"results":[{"DeviceId":"a","Name":"` + strings.Repeat("x", 2*wire.MostBytes+4*wire.BufferBytes)
	r := &pieces{endless, 1 << 20}
	b, err := openBody(&http.Response{Body: io.NopCloser(r), Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	err = b.rows(normaliserOf(Graph, configuration, nil), discard{})
	read = len(endless) - len(r.text)
	if !errors.Is(err, wire.ErrHuge) || read > 2*wire.MostBytes+wire.BufferBytes {
		t.Errorf("%d bytes read: %v", read, err)
	}
}

// Values nested deeper than the bound are refused in one sentence that names
// the column, in all the places where they can be.
func TestDeepNesting(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	bags := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat(`}`, n) }
	const million = 1_000_000
	for name, body := range map[string]string{
		"lists":                   `{"schema":[],"results":[{"DeviceId":"a","Context":` + deep(million) + `}]}`,
		"bags":                    `{"schema":[],"results":[{"DeviceId":"a","Context":` + bags(million) + `}]}`,
		"text of a list":          `{"schema":[],"results":[{"DeviceId":"a","Context":"` + deep(million) + `"}]}`,
		"text in a list":          `{"schema":[],"results":[{"DeviceId":"a","Context":["{\"a\":` + deep(million) + `}"]}]}`,
		"text in a list, shallow": `{"schema":[],"results":[{"DeviceId":"a","Context":` + strings.Repeat("[", 600) + `"{\"a\":` + deep(600) + `}"` + strings.Repeat("]", 600) + `}]}`,
		"the schema":              `{"schema":` + deep(million) + `,"results":[]}`,
		"another member":          `{"x":` + bags(million) + `,"results":[]}`,
	} {
		_, _, err := read(t, Graph, configuration, map[bool][]string{true: {"Context"}}[name == "text of a list"], body)
		if !errors.Is(err, wire.ErrDeep) {
			t.Errorf("%s: %.200v", name, err)
			continue
		}
		if strings.Contains(body, "Context") && !strings.Contains(err.Error(), "column Context: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, fits := range []string{deep(wire.Deepest - 3), bags(wire.Deepest - 3)} {
		var rows largest
		if err := readPieces(t, `{"schema":[],"results":[{"DeviceId":"a","Context":`+fits+`}]}`, 4096, &rows); err != nil || rows.bytes < len(fits) {
			t.Errorf("%d bytes: %v", rows.bytes, err)
		}
	}
}

// Elements that are nested deeply within a text keep their place in the list.
func TestNestedTextsKeepTheirElements(t *testing.T) {
	body := `{"schema":[{"name":"Context","type":"Object"}],"results":[{"DeviceId":"a","Context":["{\"a\":{\"b@odata.type\":\"x\",\"b\":[1, 2 ]}}" , {"c":{}},"x", -1.5e3]}]}`
	got, _, err := read(t, Graph, configuration, nil, body)
	if err != nil || len(got.rows) != 1 || got.rows[0] != `{"DeviceId":"a","Context":[{"a":{"b":[1,2]}},{"c":null},"x",-1.5e3]}` {
		t.Errorf("%q, %v", got.rows, err)
	}
}
