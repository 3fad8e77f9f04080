package assessment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/defender"
)

// root is what the paths of all calls begin with.
const root = "/api/machines/"

// changes is the table of what happened to vulnerabilities.
const changes = "TvmSoftwareVulnerabilityChanges"

// List implements tvmexport.ListingSource. Of changes it lists all that the service
// keeps.
func (c *Client) List(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	of, ok := sets[t.Name]
	switch {
	case !ok:
		return tvmexport.Listing{}, unknownTable("list", t.Name)
	case t.Name == changes:
		return c.listAllChanges(ctx, t)
	case of.files == "" || c.o.Via == Pages && of.pages != "":
		l, _, err := c.listPages(ctx, t, c.pagesURL(of, time.Time{}))
		return l, err
	}
	return c.listFiles(ctx, t, of)
}

// FetchUnit implements tvmexport.ListingSource.
func (c *Client) FetchUnit(ctx context.Context, t tvmexport.Table, u tvmexport.Unit, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	none := tvmexport.Answer{Counted: tvmexport.Missing}
	of, ok := sets[t.Name]
	if !ok {
		return none, unknownTable("fetch", t.Name)
	}
	if len(t.Policy.Pseudonymise) > 0 && len(c.o.PseudonymKey) == 0 {
		return none, usage("fetch", t.Name, "set pseudonymisation_key", errors.New("columns are pseudonymised, but there is no key"))
	}
	r, err := newRows(t, c.o.PseudonymKey, w)
	if err != nil {
		return none, err
	}
	at, err := url.Parse(string(u.Link))
	if err != nil || u.Link == "" { // the reason quotes the link
		return none, usage("fetch", t.Name, "list the table again", errors.New("the unit has no link"))
	}
	var a tvmexport.Answer
	if of.pages != "" && strings.EqualFold(at.Path, c.url(of.pages).Path) {
		a, err = c.fetchPage(ctx, t, u, at, r)
	} else {
		a, err = c.fetchFile(ctx, t, at, r)
	}
	a.Rows, a.Unread = r.written, r.unread()
	a.Nulled = tvmexport.UnreadValues(a.Unread)
	if err != nil {
		a.Counted, a.Next = tvmexport.Missing, nil
		return a, err
	}
	more := slices.DeleteFunc(c.learned.add(t.Name, r.found()), func(k tvmexport.Column) bool { return t.Policy.Excludes(k.Name) })
	a.Columns = append(r.published(), more...)
	if len(a.Unread) > 0 {
		c.o.Logger.Warn(tvmexport.UnreadReason(a.Unread), "table", t.Name)
	}
	return a, nil
}

// url is the address of a call.
func (c *Client) url(last string) *url.URL {
	at := *c.endpoint
	at.Path += root + last
	return &at
}

// call is one to the API for a table.
func (c *Client) call(op string, t tvmexport.Table, at *url.URL, b *defender.Budget) defender.Call {
	info, _ := catalog.Lookup(t.Name)
	return defender.Call{
		Op: op, Table: t.Name, Budget: b, Whole: true, Request: get(at), Meaning: meaningOf(info, tokenOf(at) != ""),
		Permission: info.Role + " on " + service, Asked: slog.String("path", at.Path),
	}
}

// get is the request of a call.
func get(at *url.URL) func(ctx context.Context) (*http.Request, error) {
	return func(ctx context.Context) (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
		if err != nil { // the reason quotes the address
			return nil, fmt.Errorf("the address at %s is not valid", hostName(at))
		}
		return r, nil
	}
}

// answerOf is what a call cost.
func answerOf(r defender.Result) tvmexport.Answer {
	return tvmexport.Answer{Counted: tvmexport.Missing, Bytes: r.Bytes, Calls: r.Calls, Request: r.Request, Took: r.Took}
}
