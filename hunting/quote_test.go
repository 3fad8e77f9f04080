package hunting

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
)

// planted are values of rows in all forms: a key, a text, a number, a dynamic
// column in both of its forms, the key of a bag, an undeclared column.
const (
	plantedText   = "PLUMAGEQUARTZ"
	plantedNumber = "8675309427"
	plantedAnswer = `{"@odata.context":"x","schema":[{"name":"DeviceId","type":"String"},{"name":"Name","type":"String"},{"name":"At","type":"DateTime"},{"name":"Size","type":"Int64"},{"name":"Tags","type":"String"},{"name":"Info","type":"Object"}],` +
		`"results":[{"DeviceId":"PLUMAGEQUARTZ-0","Name":"PLUMAGEQUARTZ-1","At":"2026-11-20T10:00:00Z","Size":8675309427,"Tags":"[{\"PLUMAGEQUARTZ-2\":[\"PLUMAGEQUARTZ-3\",8675309427]}]","Info":{"a@odata.type":"#Int64","a":8675309427,"PLUMAGEQUARTZ-4":["{\"b\":\"PLUMAGEQUARTZ-5\"}"]},"Extra":"PLUMAGEQUARTZ-6"},` +
		`{"DeviceId":"NONCE:1"}]}`
)

var plantedTable = tvmexport.Table{
	Name: "DeviceTvmSoftwareInventory", Key: tvmexport.Key{Column: "DeviceId"},
	Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Name", Type: "string"}, {Name: "At", Type: "datetime"}, {Name: "Size", Type: "long"}, {Name: "Tags", Type: "dynamic"}},
}

// randomWord is the word by which a query marks its own row. By chance it holds
// any five digits.
var randomWord = regexp.MustCompile(`[0-9a-f]{32}`)

// quotes is the part of the planted values that a text holds, "" for none.
func quotes(text string) string {
	text = randomWord.ReplaceAllString(text, "")
	for _, p := range []string{plantedText, plantedNumber} {
		for i := range len(p) - 4 {
			if strings.Contains(text, p[i:i+5]) {
				return p[i : i+5]
			}
		}
	}
	return ""
}

// corrupt corrupts a text at a place, in one of several ways.
func corrupt(text string, at int, way int) string {
	at %= len(text)
	head, tail := text[:at], text[at:]
	switch way % 8 {
	case 0:
		return head
	case 1:
		return head + tail[1:]
	case 2:
		return head + `"` + tail
	case 3:
		return head + "\x00" + tail[1:]
	case 4:
		return head + "{" + tail[1:]
	case 5:
		return head + `\` + tail
	case 6: // a text where something else was
		return head + `"` + plantedText + `"` + tail
	}
	return head + plantedNumber + tail
}

// written fetches a corrupt answer from a service that repeats it, and returns
// everything that was reported about it: errors, logs at level debug, hooks.
func written(t *testing.T, body string, contentType string, status int) string {
	t.Helper()
	var out bytes.Buffer
	s := &service{reply: func(int, string) answer {
		return answer{status: status, body: body, header: http.Header{"Content-Type": {contentType}}}
	}}
	c := s.client(t, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.OnRetry = func(_, _ string, _ time.Duration, why error) { fmt.Fprintln(&out, why) }
		o.OnFallback = func(_, what string, why error) { fmt.Fprintln(&out, what, why) }
	})
	for _, pseudonymise := range [][]string{nil, {"DeviceId", "Name"}} {
		table := plantedTable
		table.Policy.Pseudonymise = pseudonymise
		c.o.PseudonymKey = []byte("0123456789abcdef0123456789abcdef")
		if _, err := c.Fetch(t.Context(), tvmexport.Slice{Table: table, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}, discard{}); err != nil {
			fmt.Fprintln(&out, err)
		}
	}
	if _, err := c.Count(t.Context(), tvmexport.CountQuery{Table: plantedTable, Depth: 1, Within: tvmexport.AllPartitions}); err != nil {
		fmt.Fprintln(&out, err)
	}
	if _, err := c.Columns(t.Context(), plantedTable.Name); err != nil {
		fmt.Fprintln(&out, err)
	}
	return out.String()
}

// No message about an answer quotes its rows, for any corruption at any place and
// for every status.
func TestNothingQuotesRows(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	whole := plantedAnswer
	counts := `{"schema":[],"results":[{"Part":"PLUMAGEQUARTZ","Low":"PLUMAGEQUARTZ","High":8675309427,"Rows":"PLUMAGEQUARTZ","Now":"PLUMAGEQUARTZ"}]}`
	synctest.Test(t, func(t *testing.T) {
		tried := 0
		try := func(body, contentType string, status int) {
			tried++
			said := written(t, body, contentType, status)
			if q := quotes(said); q != "" {
				t.Fatalf("%q is quoted for %s:\n%s", q, body, said)
			}
		}
		for at := range len(whole) {
			try(corrupt(whole, at, at), "application/json", 200)
			try(corrupt(whole, at, at/8), "application/json", 200)
		}
		for at := range len(counts) {
			for way := range 8 {
				try(corrupt(counts, at, way), "application/json", 200)
			}
		}
		for _, status := range []int{200, 400, 401, 403, 404, 418, 500, 502} {
			for _, body := range []string{
				whole, counts, whole[len(whole)/2:], plantedText, `"` + plantedText + `"`, "[" + whole + "]",
				`{"error":{"code":"` + plantedText + `"},"results":[{"a":"` + plantedText + `"}]}`,
				`{"error":"` + plantedText + `"}`, `<html><body>` + whole + `</body></html>`, `<?xml version="1.0"?><rows>` + plantedText + `</rows>`,
				strings.Replace(whole, "results", "rows", 1), "\xef\xbb\xbf" + whole[:300],
			} {
				try(body, "text/plain; a="+plantedText, status)
			}
		}
		if tried < 1000 {
			t.Errorf("%d answers tried", tried)
		}
	})
}

// FuzzNothingQuotesRows breaks the answer in two places.
func FuzzNothingQuotesRows(f *testing.F) {
	f.Add(400, 0, 500, 3)
	f.Add(470, 6, 100, 2)
	f.Fuzz(func(t *testing.T, at, way, at2, way2 int) {
		if at < 0 || way < 0 || at2 < 0 || way2 < 0 {
			t.Skip("places and ways are not negative")
		}
		body := corrupt(plantedAnswer, at, way)
		if len(body) > 0 {
			body = corrupt(body, at2, way2)
		}
		synctest.Test(t, func(t *testing.T) {
			if said := written(t, body, "application/json", 200); quotes(said) != "" {
				t.Errorf("%q is quoted for %s:\n%s", quotes(said), body, said)
			}
		})
	})
}
