package assessment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// A walk begins with a page of one row. Its answer names the next page by a token that
// is bound to one state of the data, so that the listing knows its version, and every
// later page is known to be of it. The first unit is that page of one row, the second
// one is the next page.
const probeRows = 1

// firstPage is the name of the unit that a walk begins with.
const firstPage = "first"

// pagesURL is the address of the first page.
func (c *Client) pagesURL(of set, since time.Time) *url.URL {
	at := c.url(of.pages)
	at.RawQuery = pageSize + "=" + strconv.Itoa(probeRows)
	if !since.IsZero() {
		at.RawQuery += "&" + sinceTime + "=" + url.QueryEscape(since.UTC().Format(sinceForm))
	}
	return at
}

// walk is the state that the pages behind a token belong to.
type walk struct {
	version string
	at      time.Time // when it was generated; zero: the token does not tell
	place   *place    // where the page begins; nil: the token does not tell
	next    *url.URL  // nil: there is no next page
}

// follow reads what a page says of the walk that it belongs to.
func (c *Client) follow(asked *url.URL, p page) (walk, error) {
	since := ""
	if s := parameter(asked, sinceTime); s != "" {
		since = " since " + s
	}
	if p.next == "" {
		return walk{version: "content " + p.digest + since}, nil
	}
	next, err := checkNext(c.o.Cloud, asked, p.next, c.o.PageRows)
	if err != nil {
		return walk{}, err
	}
	w := walk{next: next}
	if at, ok := placeOf(tokenOf(next)); ok {
		w.version, w.at, w.place = versionAt(at.at)+since, at.at, &at
		return w, nil
	}
	c.opaque.Do(func() {
		c.o.Logger.Warn("the tokens of pages have a form that is not known: that all pages of a walk are of one state is not proven")
	})
	w.version = "token " + digestOf(tokenOf(next)) + since
	return w, nil
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// unit is the next page as a unit of the walk.
func (w walk) unit(version string) tvmexport.Unit {
	id := "token " + digestOf(tokenOf(w.next))
	if w.place != nil {
		id = fmt.Sprintf("file %d line %d", w.place.file, w.place.line)
	}
	return tvmexport.Unit{Version: version, ID: id, Rows: tvmexport.Missing, Link: tvmexport.Link(w.next.String())}
}

// listPages asks for the first page of a walk. asked is when that was, by the service's
// clock; zero: its answer does not tell.
func (c *Client) listPages(ctx context.Context, t tvmexport.Table, at *url.URL) (_ tvmexport.Listing, asked time.Time, _ error) {
	nowhere := func(text []byte) (int, error) {
		s := wire.Scan{Text: text}
		return s.Value(0, 0), nil
	}
	var w walk
	call := c.call("list", t, at, c.budget(sets[t.Name].pages, c.o.Quotas.Pages))
	call.Read = func(b *defender.Body) error {
		asked, _ = http.ParseTime(b.Response.Header.Get("Date")) // in UTC
		p, err := onePage(b, true, nowhere)
		if err == nil {
			w, err = c.follow(at, p)
		}
		return sorted(err)
	}
	result, err := c.service.Do(ctx, call)
	l := tvmexport.Listing{Version: w.version, At: w.at, Calls: result.Calls}
	if err != nil {
		return l, asked, c.listError(err)
	}
	l.Units = []tvmexport.Unit{{Version: l.Version, ID: firstPage, Rows: tvmexport.Missing, Link: tvmexport.Link(at.String())}}
	if w.next != nil {
		l.Units = append(l.Units, w.unit(l.Version))
	}
	return l, asked, nil
}

// fetchPage reads a page. It proves its version by its own token or by that of the next
// page, and its number of rows if both tokens are in one file.
func (c *Client) fetchPage(ctx context.Context, t tvmexport.Table, u tvmexport.Unit, at *url.URL, r *rows) (tvmexport.Answer, error) {
	if !c.o.Cloud.sameAPI(at.Host, c.endpoint.Host) || at.Scheme != c.endpoint.Scheme {
		return tvmexport.Answer{}, usage("fetch", t.Name, linkHint, fmt.Errorf("%w: a page at the host %s", errLink, hostName(at)))
	}
	from, known := placeOf(tokenOf(at))
	first := u.ID == firstPage
	var p page
	var next walk
	call := c.call("fetch", t, at, c.budget(sets[t.Name].pages, c.o.Quotas.Pages))
	call.HandsOn = true
	call.Read = func(b *defender.Body) (err error) {
		if p, err = onePage(b, first, r.row); err == nil {
			if next, err = c.follow(at, p); err == nil {
				err = sameWalk(u, first, from, known, next)
			}
		}
		return handedOver(sorted(err))
	}
	result, err := c.service.Do(ctx, call)
	a := answerOf(result)
	if err != nil {
		return a, c.pageError(err)
	}
	a.Counted, a.Empty = p.rows, p.rows == 0
	rows, _ := strconv.Atoi(parameter(at, pageSize))
	if known || first {
		a.Counted = p.count(from, next.place, rows)
	}
	if next.next != nil && !first { // the listing has the page behind the first one
		a.Next = []tvmexport.Unit{next.unit(u.Version)}
	}
	return a, nil
}

var (
	errMoved = errors.New("the service has a newer state of the data")
	errBack  = errors.New("the next page does not begin behind this one")
)

// sameWalk checks that a page is of the unit's version, and that the next page is
// behind it.
func sameWalk(u tvmexport.Unit, first bool, from place, known bool, next walk) error {
	switch {
	case first && next.version != u.Version:
		return fmt.Errorf("%w: %w", tvmexport.ErrUnitExpired, errMoved)
	case first:
		return nil
	case known != (next.place != nil) && next.next != nil:
		return fmt.Errorf("%w: its token has another form", errBack)
	case !known || next.place == nil:
		return nil
	case !next.place.at.Equal(from.at):
		return fmt.Errorf("%w: the next page is of another state", errBack)
	case next.place.file < from.file, next.place.file == from.file && next.place.line <= from.line:
		return errBack
	}
	return nil
}

// onePage reads the body of an answer as a page.
func onePage(b *defender.Body, digest bool, row func(text []byte) (int, error)) (page, error) {
	s, err := b.JSON()
	if err != nil {
		return page{}, err
	}
	p, err := readPage(s, digest, row)
	if err == nil && p.failed != nil {
		err = defender.ErrorInside(p.failed)
	}
	return p, err
}
