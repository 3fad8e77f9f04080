package conn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata/query"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/gather"
)

// How requests of several tables are joined. A request waits linger for others, which
// is short compared with the time that the service takes for it. While one is under way,
// others gather, for patience at most: no table waits long for another one.
const (
	linger     = 20 * time.Millisecond
	patience   = time.Second
	mostParts  = 40
	mostOfText = 200_000 // bytes; the service takes 1 MB and more
)

// NewGroup makes a group of requests with the limits of all.
func NewGroup[I, A any](alone func(context.Context, I) (A, error), together func(context.Context, []I) []gather.Reply[A], text func(I) string) *gather.Group[I, A] {
	return &gather.Group[I, A]{
		Alone: alone, Together: together, Linger: linger, Patience: patience, Most: mostParts, Largest: mostOfText,
		Size:    func(item I) int { return len(text(item)) },
		Compare: func(a, b I) int { return cmp.Compare(text(a), text(b)) },
	}
}

// Ask is [Conn.Query] for a query with a small answer: queries that are asked at
// about the same time become one request. Columns of the same name must have the
// same type in all of them, else each query is sent by itself.
func (c *Conn) Ask(ctx context.Context, s Statement) ([]query.Row, error) {
	if s.Scans {
		return c.scans.Ask(ctx, s)
	}
	return c.asks.Ask(ctx, s)
}

// askTogether sends queries as one. The answer has a row for each of them with the
// number of its rows, and its rows are numbered: a query whose rows are not complete
// is asked alone, like all of them if the service refuses the joint one.
func (c *Conn) askTogether(ctx context.Context, list []Statement) []gather.Reply[[]query.Row] {
	joint := Statement{Op: list[0].Op, Text: jointText(list)}
	rows, err := c.Query(ctx, joint)
	if err == nil {
		var parts [][]query.Row
		if parts, err = split(len(list), joint, rows); err == nil {
			return repliesTo(list, parts)
		}
	}
	c.Log.DebugContext(ctx, "kusto: joint query failed", "queries", len(list), "error", err)
	return FailedTogether[[]query.Row](err, joint.Op, len(list), func(i int) Statement { return list[i] })
}

// repliesTo are the answers that are complete.
func repliesTo(list []Statement, parts [][]query.Row) []gather.Reply[[]query.Row] {
	replies := make([]gather.Reply[[]query.Row], len(list))
	for i, rows := range parts {
		if rows != nil && (!list[i].One || len(rows) == 1) {
			replies[i] = gather.Done(rows)
		}
	}
	return replies
}

// FailedTogether are the replies to n items if a joint request has failed: none if it
// was refused, for a single one may be accepted; else the error, which is that of the
// service or of the connection and concerns all. sent is the step of the joint request,
// and about has the step and the table of an item.
func FailedTogether[A any](err error, sent string, n int, about func(i int) Statement) []gather.Reply[A] {
	replies := make([]gather.Reply[A], n)
	var failed *tvmexport.Error
	if !errors.As(err, &failed) || failed.Action == tvmexport.Stop {
		return replies
	}
	for i := range replies {
		replies[i] = gather.Failed[A](About(failed, sent, about(i)))
	}
	return replies
}

// The columns that a joint query adds to those of its parts.
const (
	partColumn  = "JointPart" // which query the row is of
	orderColumn = "JointRow"  // its number, from 1; null in the row with the count
	countColumn = "JointRows" // how many rows the query has
)

// jointText is one query for several. Each is the body of a function of its own, so
// that names which it defines concern nobody else.
func jointText(list []Statement) string {
	var lets strings.Builder
	parts := make([]string, len(list))
	for i, s := range list {
		fmt.Fprintf(&lets, "let Query%d = () {\n%s\n};\nlet Rows%d = materialize(Query%d() | serialize %s = row_number());\n", i, s.Text, i, i, orderColumn)
		parts[i] = fmt.Sprintf("Rows%d\n| extend %s = %d\n), (\nRows%d\n| summarize %s = count()\n| extend %s = %d", i, partColumn, i, i, countColumn, partColumn, i)
	}
	return lets.String() + "union (\n" + strings.Join(parts, "\n), (\n") + "\n)"
}

// split returns the rows of each part, in their order; nil for a part that is not
// complete.
func split(n int, s Statement, rows []query.Row) ([][]query.Row, error) {
	type place struct {
		part, order, count int64
		row                query.Row
	}
	if len(rows) > 0 {
		if name := renamed(rows[0]); name != "" {
			return nil, RefusedError(s.Op, "", fmt.Errorf("column %s has several types in a joint query", name), "")
		}
	}
	places, err := ReadRows(s, rows, func(r *Reader) place {
		return place{r.Count(partColumn), r.Long(orderColumn), r.Long(countColumn), r.row}
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.order, b.order) })
	counts, out := make([]int64, n), make([][]query.Row, n)
	marks := make([]int, n)
	for _, p := range places {
		switch {
		case p.part >= int64(n):
			return nil, RefusedError(s.Op, "", fmt.Errorf("the answer of the service has a row of part %d of %d", p.part, n), "")
		case p.order > 0:
			out[p.part] = append(out[p.part], p.row)
			if p.order != int64(len(out[p.part])) {
				marks[p.part]++ // a row is missing or there twice
			}
		default:
			marks[p.part]++
			counts[p.part] = p.count
			out[p.part] = slices.Clip(out[p.part])
		}
	}
	for i := range out {
		switch {
		case marks[i] != 1 || counts[i] != int64(len(out[i])):
			out[i] = nil
		case out[i] == nil:
			out[i] = []query.Row{}
		}
	}
	return out, nil
}

// renamed is a column that the service has renamed because its type differs between
// the parts of a union (https://learn.microsoft.com/kusto/query/union-operator); "" if none.
func renamed(row query.Row) string {
	for _, c := range row.Columns() {
		if i := strings.LastIndexByte(c.Name(), '_'); i > 0 && strings.EqualFold(c.Name()[i+1:], string(c.Type())) {
			return c.Name()
		}
	}
	return ""
}

// About is the error of a request for the step sent, with the step and the table of the
// statement that it was sent for. An error of another step, such as the sign-in, stays.
func About(err error, sent string, s Statement) error {
	var failed *tvmexport.Error
	if err == nil || !errors.As(err, &failed) || failed.Op != sent {
		return err
	}
	own := *failed
	own.Op, own.Table = s.Op, s.Table
	return &own
}
