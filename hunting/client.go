package hunting

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/pseudonym"
)

// Fetch implements tvmexport.CountingSource.
func (c *Client) Fetch(ctx context.Context, s tvmexport.Slice, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	if err := check("fetch", s.Table); err != nil {
		return tvmexport.Answer{}, err
	}
	if len(s.Table.Policy.Pseudonymise) > 0 && len(c.o.PseudonymKey) == 0 {
		return tvmexport.Answer{}, &tvmexport.Error{
			Op: "fetch", Table: s.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage,
			Err: errors.New("columns are pseudonymised, but there is no key"), Hint: "set pseudonymisation_key",
		}
	}
	calls := 0
	for {
		d, p := c.dialects.get(s.Table.Name), c.phrasings.now()
		a, err := c.fetch(ctx, s, way{d, p}, w)
		calls += a.Calls
		a.Calls = calls
		if !c.rephrase(s.Table.Name, p, err) && !c.downgrade(s, d, err) {
			return a, err
		}
	}
}

// downgrade changes how the table is queried after a refused
// fetch. It says whether there is another way to ask.
func (c *Client) downgrade(s tvmexport.Slice, asked dialect, err error) bool {
	if !refused(err) || missing(err) {
		return false
	}
	t := s.Table
	asText := asked.asText(t)
	if name := absent(err, hidden(t)); name != "" && !slices.Contains(asked.hideless, name) {
		c.dialects.change(t.Name, func(d *dialect) { d.hideless = append(slices.Clone(d.hideless), name) })
		c.fallback(t.Name, "not filtering the column "+name+", which the service does not know", err)
		return true
	}
	if name := absent(err, t.Columns); slices.Contains(asText, name) {
		c.dialects.change(t.Name, func(d *dialect) { d.textless = append(slices.Clone(d.textless), name) })
		c.fallback(t.Name, "leaving out the column "+name+", which the service does not know", err)
		return true
	}
	if len(asText) > 0 && notAsText(err) {
		c.dialects.change(t.Name, func(d *dialect) { d.wire = true })
		c.fallback(t.Name, "reading dynamic columns as JSON values, where null and an empty bag are equal", err)
		return true
	}
	if s.Fingerprint && !asked.plain {
		c.dialects.change(t.Name, func(d *dialect) { d.plain = true })
		c.fallback(t.Name, "fetching without fingerprints", err)
		return true
	}
	return false
}

// way is how a slice is asked for.
type way struct {
	dialect
	phrasing
}

func (c *Client) fetch(ctx context.Context, s tvmexport.Slice, d way, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	types, asText, mark := d.typed(s.Table).Columns, d.asText(s.Table), newMark()
	s.Table, s.Fingerprint = d.hashable(s.Table), s.Fingerprint && !d.plain
	n := newNormaliser(c.o.API, s, mark, asText, types)
	if len(s.Table.Policy.Pseudonymise) > 0 {
		n.masks = pseudonym.New(c.o.PseudonymKey)
	}
	s.Table = d.without(s.Table)
	q := question{op: "fetch", table: s.Table.Name, text: d.phrasing.fetch(s, mark, asText), handsOn: true}
	answer, err := c.ask(ctx, q, func(b *body) error { return b.rows(n, w) })
	if errors.Is(err, errSchemaLate) { // the rows were already written: a new request gets them right
		c.dialects.change(s.Table.Name, func(d *dialect) { d.columns = n.schema.declared })
	}
	answer.Rows, answer.Counted, answer.Unread = n.written, n.counted, n.unread()
	answer.Columns, answer.Fingerprint = n.schema.published(), n.print
	answer.Nulled = tvmexport.UnreadValues(answer.Unread)
	if err == nil && len(answer.Unread) > 0 {
		c.o.Logger.Warn(tvmexport.UnreadReason(answer.Unread), "table", s.Table.Name)
	}
	return answer, err
}

// newMark is a word that no data holds.
func newMark() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:]) + ":"
}

// check refuses invalid names in the configuration table.
func check(op string, t tvmexport.Table) error {
	err := tvmexport.CheckIdentifier("table", t.Name)
	if err == nil && t.Watermark != "" && t.Watermark != tvmexport.IngestionTime {
		err = tvmexport.CheckIdentifier("watermark column", t.Watermark)
	}
	if err != nil {
		return &tvmexport.Error{Op: op, Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: err, Hint: "correct the row of MigrationConfiguration"}
	}
	return nil
}

func (c *Client) fallback(table, what string, why error) {
	c.o.Logger.Warn("the service refused a query; continuing with a simpler one", "table", table, "by", what, "reason", why)
	if c.o.OnFallback != nil {
		c.o.OnFallback(table, what, why)
	}
}
