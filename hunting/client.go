package hunting

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport"
)

// Options make a Client. Fields without a default must be set.
type Options struct {
	API        API
	Endpoint   string // base URL; "" is that of Cloud and API
	Cloud      Cloud
	Credential azcore.TokenCredential
	HTTPClient *http.Client  // nil is http.DefaultClient; its Timeout should be 0
	Share      float64       // of the tenant's quota, above 0 and at most 1; 0 is 0.5
	Quota      Quota         // zero is DocumentedQuota
	MaxWait    time.Duration // longest single wait for the quota; 0 is one hour
	Logger     *slog.Logger  // nil is silent
	// OnWait is told when calls are held back, by what, and until when.
	OnWait func(cause string, until time.Time)
	// OnFallback is told when the service refused a construct and a poorer
	// way is taken.
	OnFallback func(table, what string, why error)
}

// Client is a tvmexport.Source. It is safe for concurrent use.
type Client struct {
	o      Options
	url    string
	scope  string
	budget *budget
	calls  atomic.Int64

	mu       sync.Mutex
	wire     map[string]bool // tables whose dynamic columns are taken as they are
	plain    map[string]bool // tables that are counted as a whole only
	attempts int
}

// New makes a client. It makes no call.
func New(o Options) (*Client, error) {
	if o.API.path() == "" || o.Credential == nil {
		return nil, errors.New("hunting: API and Credential must be set")
	}
	o.Endpoint = cmp.Or(o.Endpoint, o.Cloud.Endpoint(o.API))
	if o.Endpoint == "" {
		return nil, fmt.Errorf("hunting: no endpoint is known for API %q", o.API)
	}
	o.HTTPClient = cmp.Or(o.HTTPClient, http.DefaultClient)
	o.Share = cmp.Or(o.Share, 0.5)
	o.MaxWait = cmp.Or(o.MaxWait, time.Hour)
	if o.Quota == (Quota{}) {
		o.Quota = DocumentedQuota
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Client{
		o: o, url: strings.TrimSuffix(o.Endpoint, "/") + o.API.path(), scope: o.Cloud.Scope(o.API),
		budget: newBudget(o.Quota.scaled(o.Share), o.MaxWait, o.OnWait),
		wire:   map[string]bool{}, plain: map[string]bool{}, attempts: 5,
	}, nil
}

// Calls is how many calls were made so far.
func (c *Client) Calls() int64 { return c.calls.Load() }

// Count implements tvmexport.Source.
func (c *Client) Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	if q.Bin > 0 {
		return c.count(ctx, q, binsQuery(q), readBins)
	}
	if !c.is(c.plain, q.Table.Name) {
		counts, err := c.count(ctx, q, partsQuery(q), readParts)
		if !refused(err) || missing(err) {
			return counts, err
		}
		c.fallback(c.plain, q.Table.Name, "a count of the whole table instead of its parts", err)
	}
	return c.count(ctx, q, wholeQuery(q), readWhole)
}

type countReader func(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error)

func (c *Client) count(ctx context.Context, q tvmexport.CountQuery, query string, read countReader) (tvmexport.Counts, error) {
	var out tvmexport.Counts
	var rows []countRow
	a, err := c.ask(ctx, "count", q.Table.Name, query, func(b *body) error {
		rows = rows[:0]
		return b.countRows(&rows)
	})
	out.Calls = a.Calls
	if err != nil {
		return out, err
	}
	if out.Parts, err = read(q, rows); err != nil {
		return out, &tvmexport.Error{Op: "count", Table: q.Table.Name, Cause: tvmexport.Unproven, Err: err}
	}
	for _, r := range rows {
		out.Now = r.Now.Time
	}
	if len(rows) == 0 {
		now, calls, err := c.now(ctx, q.Table.Name)
		out.Calls += calls
		out.Now = now
		return out, err
	}
	return out, nil
}

// now asks for the service's clock, where a count had no row to carry it.
func (c *Client) now(ctx context.Context, table string) (time.Time, int, error) {
	var rows []countRow
	a, err := c.ask(ctx, "count", table, "print Rows = 0, Now = now()", func(b *body) error {
		rows = rows[:0]
		return b.countRows(&rows)
	})
	if err == nil && len(rows) != 1 {
		err = &tvmexport.Error{Op: "count", Table: table, Cause: tvmexport.Unproven, Err: errors.New("the service does not tell its time")}
	}
	if err != nil {
		return time.Time{}, a.Calls, err
	}
	return rows[0].Now.Time, a.Calls, nil
}

// Fetch implements tvmexport.Source.
func (c *Client) Fetch(ctx context.Context, s tvmexport.Slice, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	a, err := c.fetch(ctx, s, w, !c.is(c.wire, s.Table.Name))
	if !refused(err) || missing(err) || c.is(c.wire, s.Table.Name) || len(dynamics(s.Table)) == 0 {
		return a, err
	}
	c.fallback(c.wire, s.Table.Name, "dynamic columns as the wire has them, where null and {} look alike", err)
	b, err := c.fetch(ctx, s, w, false)
	b.Calls += a.Calls
	return b, err
}

func (c *Client) fetch(ctx context.Context, s tvmexport.Slice, w tvmexport.RowWriter, asText bool) (tvmexport.Answer, error) {
	mark := newMark()
	var columns []string
	if asText {
		columns = dynamics(s.Table)
	}
	n := newNormaliser(s.Table, c.o.API, columns, mark)
	started := false
	answer, err := c.ask(ctx, "fetch", s.Table.Name, fetchQuery(s, mark, columns), func(b *body) error {
		if started {
			// Rows of the last attempt are with the writer already: only
			// the caller can begin anew.
			return errRestart
		}
		started = true
		return b.rows(n, w)
	})
	answer.Rows, answer.Counted = n.written, n.counted
	answer.Columns = n.declared
	return answer, err
}

func dynamics(t tvmexport.Table) []string {
	var out []string
	for _, c := range t.Columns {
		if c.Type == "dynamic" {
			out = append(out, c.Name)
		}
	}
	return out
}

// newMark is a word that no data holds.
func newMark() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:]) + ":"
}

// Columns implements tvmexport.Source.
func (c *Client) Columns(ctx context.Context, table string) ([]tvmexport.Column, error) {
	if err := tvmexport.CheckIdentifier("table", table); err != nil {
		return nil, &tvmexport.Error{Op: "schema", Table: table, Cause: tvmexport.Usage, Err: err}
	}
	var columns []tvmexport.Column
	_, err := c.ask(ctx, "schema", table, name(table)+"\n| take 0", func(b *body) error {
		n := newNormaliser(tvmexport.Table{Name: table}, c.o.API, nil, newMark())
		err := b.rows(n, discard{})
		columns = n.declared
		return err
	})
	if err == nil && len(columns) == 0 {
		err = &tvmexport.Error{Op: "schema", Table: table, Cause: tvmexport.Refused, Err: errors.New("the service answers no schema")}
	}
	return columns, err
}

type discard struct{}

func (discard) WriteRow(_, _ []byte) error { return nil }

func (c *Client) is(set map[string]bool, table string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return set[table]
}

func (c *Client) fallback(set map[string]bool, table, what string, why error) {
	c.mu.Lock()
	set[table] = true
	c.mu.Unlock()
	c.o.Logger.Warn("falling back", "table", table, "to", what, "reason", why)
	if c.o.OnFallback != nil {
		c.o.OnFallback(table, what, why)
	}
}

var _ tvmexport.Source = (*Client)(nil)
