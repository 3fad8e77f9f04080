package assessment

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// listFiles calls for the addresses of the files of the newest state.
func (c *Client) listFiles(ctx context.Context, t tvmexport.Table, of set) (tvmexport.Listing, error) {
	at := c.url(of.files)
	if of.hours > 0 {
		at.RawQuery = "sasValidHours=" + strconv.Itoa(of.hours)
	}
	var l tvmexport.Listing
	call := c.call("list", t, at, c.budget(of.files, c.o.Quotas.Files))
	call.Read = func(b *defender.Body) error {
		s, err := b.JSON()
		if err == nil {
			l, err = readListing(s, c.endpoint, c.o.Cloud.Storage())
		}
		return sorted(err)
	}
	result, err := c.service.Do(ctx, call)
	l.Calls = result.Calls
	return l, c.listError(err)
}

// fetchFile downloads a file. The request has no token: the address is signed.
func (c *Client) fetchFile(ctx context.Context, t tvmexport.Table, at *url.URL, r *rows) (tvmexport.Answer, error) {
	at, err := checkFile(c.endpoint, c.o.Cloud.Storage(), at.String())
	if err != nil {
		return tvmexport.Answer{}, usage("fetch", t.Name, linkHint, err)
	}
	var bytes int64
	var filled bool
	result, err := c.service.Do(ctx, defender.Call{
		Op: "fetch", Table: t.Name, Budget: c.files, Anonymous: true, HandsOn: true, Whole: true,
		Request: get(at), Meaning: meaningOfStorage(at),
		Read: func(b *defender.Body) error {
			if strings.EqualFold(b.Response.Header.Get("Content-Encoding"), "gzip") { // it was decompressed by that
				s := wire.NewStream(b)
				defer func() { bytes = s.Read() }()
				return handedOver(readLines(s, r))
			}
			of, err := readFile(b, b.Response.ContentLength, r)
			bytes, filled = of.bytes, of.filled
			return handedOver(err)
		},
	})
	a := answerOf(result)
	a.Bytes, a.Calls = bytes, 0 // storage has no quota
	if err == nil {
		a.Counted, a.Empty = r.written, filled && r.written == 0
	}
	return a, c.fileError(at, err)
}
