package conn

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// proof reads an answer in the v2 form on its way to the SDK and checks that
// it is complete: every primary table has as many rows as the service counted,
// none of their texts is null, and the answer has its last frame
// (https://learn.microsoft.com/kusto/api/rest/response-v2). The SDK compares
// no counts, takes an answer that ends between two frames for a complete one,
// and ignores HasErrors without a text and Cancelled.
//
// It scans bytes and keeps nothing of the rows.
type proof struct {
	from io.ReadCloser

	mu   sync.Mutex // the SDK reads in a goroutine of its own
	scan frameScan
}

func newProof(from io.ReadCloser) *proof { return &proof{from: from} }

// Read implements io.Reader.
func (p *proof) Read(b []byte) (int, error) {
	n, err := p.from.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scan.write(b[:n])
	return n, err
}

// Close implements io.Closer.
func (p *proof) Close() error { return p.from.Close() }

// incomplete says that an answer is not known to be whole. Asking again may help.
type incomplete struct{ reason string }

func (e incomplete) Error() string {
	return "the answer of the service is incomplete: " + e.reason
}

// err is nil if what was read is a complete answer.
func (p *proof) err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch s := &p.scan; {
	case s.fault != nil:
		return s.fault
	case !s.ended:
		return incomplete{"it ends before its last frame"}
	case s.tables == 0:
		return incomplete{"it holds no result"}
	}
	return nil
}

// frame is what the proof needs of one frame.
type frame struct {
	kind         string // FrameType
	tableKind    string
	fragmentType string
	table        string // TableId
	count        string // RowCount
	hasErrors    string
	cancelled    string
	failed       bool     // it has OneApiErrors, which the SDK reports
	rows         int64    // elements of Rows
	types        []string // ColumnType of each of Columns
	nulls        []bool   // by column, whether a value of it is null
}

// null notes a null value of the column with this index.
func (f *frame) null(column int) {
	if column < len(f.nulls) {
		f.nulls[column] = true
		return
	}
	if column < mostColumns {
		f.nulls = append(f.nulls, make([]bool, column-len(f.nulls)+1)...)
		f.nulls[column] = true
	}
}

// mostColumns is more than the answer to any query of ours has. Values beyond
// are not looked at.
const mostColumns = 1024

// set keeps a scalar member.
func (f *frame) set(key, value string) {
	switch key {
	case "FrameType":
		f.kind = value
	case "TableKind":
		f.tableKind = value
	case "TableFragmentType":
		f.fragmentType = value
	case "TableId":
		f.table = value
	case "RowCount":
		f.count = value
	case "HasErrors":
		f.hasErrors = value
	case "Cancelled":
		f.cancelled = value
	}
}

// completeness is what the frames so far say.
type completeness struct {
	fault  error
	ended  bool     // the last frame was read
	tables int      // complete primary tables
	open   string   // TableId of the primary table that is being read
	types  []string // of its columns
	rows   int64    // of that table
}

// add judges one more frame.
func (v *completeness) add(f frame) {
	if v.fault != nil {
		return
	}
	switch f.kind {
	case "TableHeader":
		v.open, v.types, v.rows = f.table, f.types, 0
	case "TableFragment":
		if f.fragmentType != "DataAppend" || f.table != v.open {
			v.fault = incomplete{fmt.Sprintf("a fragment of type %.20q is for table %.20q while table %.20q is open", f.fragmentType, f.table, v.open)}
			return
		}
		v.rows += f.rows
		v.texts(f.nulls)
	case "TableCompletion":
		v.complete(f)
	case "DataSetCompletion":
		v.ended = true
		switch {
		case f.cancelled == "true":
			v.fault = incomplete{"the service cancelled the query"}
		case f.hasErrors != "false" && !f.failed:
			v.fault = incomplete{"the service reports an error without a text"}
		}
	}
}

// texts rejects nulls in columns of texts, which the service never has
// (https://learn.microsoft.com/kusto/query/scalar-data-types/null-values). The
// SDK takes them for empty texts: a row without names would be about nothing.
func (v *completeness) texts(nulls []bool) {
	for i, null := range nulls {
		if null && i < len(v.types) && v.types[i] == "string" {
			v.fault = incomplete{fmt.Sprintf("column %d of a table, of type string, has null values", i+1)}
			return
		}
	}
}

// complete compares the rows of a table with the service's own count.
func (v *completeness) complete(f frame) {
	v.tables++
	if f.failed {
		return // the SDK reports the error; the count is that of the rows before it
	}
	n, err := strconv.ParseInt(f.count, 10, 64)
	switch {
	case err != nil || n < 0:
		v.fault = incomplete{fmt.Sprintf("the service gives the row count %.20q", f.count)}
	case n != v.rows:
		v.fault = incomplete{fmt.Sprintf("it holds %d rows of a table, and the service counted %d", v.rows, n)}
	}
}

// errNoResult: a command or query came back without a result table.
var errNoResult = errors.New("the answer of the service holds no result")
