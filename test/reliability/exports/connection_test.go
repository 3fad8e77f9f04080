package exports_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport/emulator"
)

// connection is the network of one process. It fails once the process has died.
type connection struct {
	to   http.RoundTripper
	host string // of the cluster, which takes a moment for each request
	adds bool   // answers of the source have members that the catalogue does not know
	dead atomic.Bool

	mu        sync.Mutex
	leaked    []string // hosts that are none of the service's
	lists     []string // addresses of the first calls for tables
	throttled int      // answers 429
}

var errDead = errors.New("the process has died")

func (c *connection) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == c.host {
		time.Sleep(time.Millisecond + rand.N(20*time.Millisecond))
	}
	if c.dead.Load() {
		return nil, errDead
	}
	c.note(r)
	answer, err := c.to.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusTooManyRequests {
		c.mu.Lock()
		c.throttled++
		c.mu.Unlock()
	}
	if c.adds && answer.StatusCode == http.StatusOK {
		addMembers(r, answer)
	}
	return answer, nil
}

func (c *connection) note(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Host, "foreign.example"):
		c.leaked = append(c.leaked, r.URL.Host)
	case strings.HasPrefix(r.URL.Path, "/api/machines/") && !strings.Contains(r.URL.RawQuery, "skiptoken"):
		c.lists = append(c.lists, r.URL.String())
	}
}

// later is what members that came later look like in a row, by their number.
func later(row int) string {
	return `,"LaterText":"t","laterNumber":` + strconv.FormatFloat(float64(row%3)/2, 'f', -1, 64) + `,"LaterBag":{"a":[1]}}`
}

// addMembers adds members to the rows of a page or of a file. What is none stays as it is.
func addMembers(r *http.Request, answer *http.Response) {
	ofFile := strings.Contains(r.URL.Path, ofFiles)
	if !ofFile && !strings.Contains(strings.ToLower(r.URL.Path), "bymachine") {
		return
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	whole := body
	if err == nil && ofFile {
		whole, _ = addToFile(body)
	} else if err == nil {
		whole = addToPage(body)
	}
	if len(whole) != len(body) { // a file that is not complete stays that
		answer.ContentLength = int64(len(whole))
		answer.Header.Set("Content-Length", strconv.Itoa(len(whole)))
	}
	answer.Body = io.NopCloser(bytes.NewReader(whole))
	if err != nil {
		answer.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	}
}

// failing is a reader that gives the error it met before.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func addToFile(body []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return body, err
	}
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	n := 0
	for line := range strings.Lines(string(text)) {
		row, ok := strings.CutSuffix(strings.TrimRight(line, "\n"), "}")
		if !ok {
			return body, errors.New("it is not a file of rows")
		}
		if _, err := io.WriteString(packed, row+later(n)+"\n"); err != nil {
			return body, err
		}
		n++
	}
	if err := packed.Close(); err != nil {
		return body, err
	}
	return out.Bytes(), nil
}

func addToPage(body []byte) []byte {
	var page map[string]json.RawMessage
	var rows []json.RawMessage
	if json.Unmarshal(body, &page) != nil || json.Unmarshal(page["value"], &rows) != nil {
		return body
	}
	for i, row := range rows {
		text, ok := strings.CutSuffix(string(row), "}")
		if !ok || text == "{" {
			return body
		}
		rows[i] = json.RawMessage(text + later(i))
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	value, err := json.Marshal(rows)
	if err != nil {
		return body
	}
	page["value"] = value
	if e.Encode(page) != nil {
		return body
	}
	return out.Bytes()
}

// exhaust uses up the quotas of calls that exporters made before, as another program of
// the tenant would.
func (w *world) exhaust(ctx context.Context) error {
	const most = 40 // a minute allows 5 or 30
	w.mu.Lock()
	lists := append([]string(nil), w.lists...)
	w.mu.Unlock()
	for _, address := range lists {
		for range most {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
			if err != nil {
				return err
			}
			token, err := w.token(emulator.MDEResource)
			if err != nil {
				return err
			}
			request.Header.Set("Authorization", "Bearer "+token)
			answer, err := w.rig.Emulator.Transport().RoundTrip(request)
			if err != nil {
				return err
			}
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusTooManyRequests {
				break
			}
		}
	}
	return nil
}
