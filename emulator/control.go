package emulator

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// result is the answer to a query of the control API. Rows may be read once.
type result struct {
	columns []value.Column
	rows    iter.Seq2[[]value.Value, error]
}

// control is the control API, through which a test, a demo or a trial run controls the
// emulator. It needs no token.
type control struct {
	tenants []*tenantControl // at least one
	list    func() any       // what is known of the tenants
	stats   func() any       // of all tenants together
	landed  func(ctx context.Context, database, query string) (result, error)
	faults  http.Handler
}

// maxControlBody bounds the small documents that the control API reads.
const maxControlBody = 1 << 20

// handler routes the paths below prefix.
func (c *control) handler(prefix string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"/stats", c.serveStats)
	mux.HandleFunc("GET "+prefix+"/tenants", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, c.list()) })
	mux.HandleFunc("POST "+prefix+"/consent", c.serveConsent)
	mux.HandleFunc("POST "+prefix+"/cluster", c.serveCluster)
	mux.HandleFunc("POST "+prefix+"/advance", c.serveAdvance)
	mux.HandleFunc("POST "+prefix+"/move", c.serveMove)
	mux.HandleFunc("POST "+prefix+"/silence", c.serveSilence)
	mux.HandleFunc("POST "+prefix+"/reinstall", c.serveReinstall)
	mux.HandleFunc("POST "+prefix+"/retire", c.serveRetire)
	mux.HandleFunc("GET "+prefix+"/vanished", c.serveVanished)
	mux.HandleFunc("POST "+prefix+"/drift", c.serveDrift)
	mux.HandleFunc("POST "+prefix+"/insert", c.serveInsert)
	mux.HandleFunc("GET "+prefix+"/truth", func(w http.ResponseWriter, r *http.Request) {
		c.serveRows(w, r, func(ctx context.Context, query string) (result, error) {
			t, err := c.one(r, "")
			if err != nil {
				return result{}, err
			}
			return t.truth(ctx, query)
		})
	})
	mux.HandleFunc("GET "+prefix+"/landed", func(w http.ResponseWriter, r *http.Request) {
		c.serveRows(w, r, func(ctx context.Context, query string) (result, error) {
			database := r.URL.Query().Get("database")
			if r.URL.Query().Get("tenant") != "" {
				t, err := c.one(r, "")
				if err != nil {
					return result{}, err
				}
				database = cmp.Or(database, t.database)
			}
			return c.landed(ctx, database, query)
		})
	})
	mux.Handle(prefix+"/faults", c.faults)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		replyError(w, http.StatusNotFound, "the control API has no "+r.Method+" "+r.URL.Path+
			"; it has GET stats, tenants, truth?q=, landed?q=, vanished?q=, faults; POST advance, move, silence, reinstall, retire, drift, insert, consent, cluster, faults; DELETE faults")
	})
	return mux
}

// serveAdvance lets time pass: POST {"days": n}, {"hours": n} or both.
func (c *control) serveAdvance(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Tenant string `json:"tenant,omitempty"` // "" means all
		Days   int    `json:"days,omitempty"`
		Hours  int    `json:"hours,omitempty"`
	}
	if err := readJSON(w, r, &body); err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	const most = 3650
	if body.Days < 0 || body.Hours < 0 || body.Days+body.Hours < 1 || body.Days > most || body.Hours > most {
		replyError(w, http.StatusBadRequest, fmt.Sprintf(`send {"days": n} with n from 1 to %d, or {"hours": n}`, most))
		return
	}
	list, err := c.several(r, body.Tenant)
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	for _, t := range list {
		t.advance(body.Days, body.Hours)
	}
	reply(w, http.StatusOK, body)
}

// serveInsert puts rows into a table of events: POST {"table": name, "rows": [...]}.
func (c *control) serveInsert(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Tenant string            `json:"tenant"`
		Table  string            `json:"table"`
		Rows   []json.RawMessage `json:"rows"`
	}
	err := readJSON(w, r, &body)
	var t *tenantControl
	if err == nil {
		t, err = c.one(r, body.Tenant)
	}
	if err == nil {
		err = t.insert(body.Table, body.Rows...)
	}
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, http.StatusOK, map[string]int{"rows": len(body.Rows)})
}

// serveRows answers the count and hash of a query's canonical rows, or with
// &rows=1 the rows themselves as NDJSON, in the order in which they come.
func (c *control) serveRows(w http.ResponseWriter, r *http.Request, run func(context.Context, string) (result, error)) {
	query := r.URL.Query()
	text := query.Get("q")
	if text == "" {
		replyError(w, http.StatusBadRequest, "give a query in KQL as ?q=")
		return
	}
	asRows := false
	if value := query.Get("rows"); value != "" {
		var err error
		if asRows, err = strconv.ParseBool(value); err != nil {
			replyError(w, http.StatusBadRequest, fmt.Sprintf("rows is %q; it is 0 or 1", value))
			return
		}
	}
	result, err := run(r.Context(), text)
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	if asRows {
		sendRows(w, result)
		return
	}
	var hash RowHash
	err = eachCanonical(result, func(row []byte) error {
		hash.Add(row)
		return nil
	})
	if err != nil {
		replyError(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, http.StatusOK, map[string]any{"rows": hash.Rows(), "sha256": hash.Sum()})
}

// sendRows streams the rows. An error before the first row is an answer of its
// own; a later one breaks the connection, so that nobody takes the part for all.
func sendRows(w http.ResponseWriter, result result) {
	out := bufio.NewWriterSize(w, 64<<10)
	started := false
	err := eachCanonical(result, func(row []byte) error {
		if !started {
			started = true
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		_, err := out.Write(append(row, '\n'))
		return err
	})
	switch {
	case err != nil && !started:
		replyError(w, http.StatusBadRequest, err.Error())
	case err != nil:
		panic(http.ErrAbortHandler) // the documented way to break off an answer
	default:
		w.Header().Set("Content-Type", "application/x-ndjson")
		// Only the connection can fail here, and then nobody reads the answer.
		_ = out.Flush()
	}
}

// eachCanonical calls f with the canonical form of each row, which is valid
// during the call only.
func eachCanonical(result result, f func(row []byte) error) error {
	c := newCanonical(result.columns)
	var buffer []byte
	for row, err := range result.rows {
		if err != nil {
			return err
		}
		buffer = c.appendRow(buffer[:0], row)
		if err := f(buffer); err != nil {
			return err
		}
	}
	return nil
}

var errNoBody = errors.New("the body is empty")

// readJSON reads a small document without unknown members.
func readJSON(w http.ResponseWriter, r *http.Request, target any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
	d.DisallowUnknownFields()
	if err := d.Decode(target); err != nil {
		if errors.Is(err, io.EOF) {
			return errNoBody
		}
		return fmt.Errorf("read the body: %w", err)
	}
	return nil
}

func replyError(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]string{"error": text})
}

func reply(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	// Only the connection can fail here, and then nobody reads the answer.
	_ = encoder.Encode(document)
}
