package hunting

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// tally is the answer to one count as it is read: its parts and its proof.
type tally struct {
	mark   string
	begin  func() countReader
	reader countReader
	rows   int64 // of the answer, without its proof
	proof  *proof
	now    nullableTime
	sum    int64
	err    error // of a row; the rows after it are not taken
}

// countReader turns the rows of an answer to a count into parts, one by one: a large
// table has many, and a row takes more memory than a part. counts returns the error of
// a row; it matters only if the answer is complete.
type countReader interface {
	take(r countRow)
	counts() ([]tvmexport.Count, error)
}

// errTooMany: a count has more parts than an answer holds, so that it was cut.
var errTooMany = errors.New("the count has more parts than one answer holds")

func unprovenf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", defender.ErrUnproven, fmt.Errorf(format, args...))
}

// readTallies reads an answer to several counts, whose rows name their count by its
// number. Rows that name none fail all counts; what fails one of them is its err.
func readTallies(b *body, list []*tally) error {
	for _, t := range list {
		*t = tally{mark: t.mark, begin: t.begin, reader: t.begin()}
	}
	rows := int64(0)
	return b.envelope(func([]byte) error { return nil }, func(text []byte) (int, error) {
		var r countRow
		end, err := r.read(text)
		if end < 0 || err != nil {
			return end, err
		}
		t := list[0]
		switch {
		case len(list) == 1 && !r.member.known:
		case len(list) == 1, !r.member.known, r.member.n >= int64(len(list)):
			return 0, unprovenf("a row of it belongs to none of its queries")
		default:
			t = list[r.member.n]
		}
		if t.err == nil {
			t.err = t.take(r)
		}
		if rows++; len(list) > 1 && rows >= tvmexport.DocumentedLimits.Rows {
			return 0, errTooMany
		}
		return end, nil
	})
}

// complete returns nil if the rows are all that the query found.
func (t *tally) complete() error {
	if t.err != nil {
		return t.err
	}
	err := t.proof.proves(t.rows, t.sum)
	switch {
	case err != nil && t.rows+1 >= tvmexport.DocumentedLimits.Rows:
		return errTooMany
	case err != nil:
		return unprovenf("%w", err)
	case t.now.IsZero():
		return unprovenf("the service does not return its time")
	}
	return nil
}

// read returns the parts of an answer that is complete.
func (t *tally) read() ([]tvmexport.Count, error) {
	out, err := t.reader.counts()
	t.reader = nil // it has many parts
	return out, err
}

// take takes a row of the answer.
func (t *tally) take(r countRow) error {
	switch {
	case r.proof != "":
		if err := t.prove(r); err != nil {
			return err
		}
		if !r.rows.known {
			return nil
		}
	case !r.rows.known:
		return unprovenf("a row of it has no row count")
	}
	r.Rows = r.rows.n
	if t.sum += r.Rows; t.sum < 0 {
		return unprovenf("the sum of its rows exceeds 64 bits")
	}
	if t.rows > tvmexport.DocumentedLimits.Rows {
		return errTooMany
	}
	t.rows++
	t.reader.take(r)
	return nil
}

// prove takes the proof of the answer.
func (t *tally) prove(r countRow) error {
	said, ok := strings.CutPrefix(r.proof, t.mark)
	if !ok {
		return unprovenf("it answers another query")
	}
	if t.proof != nil {
		return unprovenf("it contains its proof twice")
	}
	p, err := readProof(said)
	if err != nil {
		return unprovenf("%w", err)
	}
	t.proof, t.now = &p, r.Now
	return nil
}

// countRow is a row of the answer to a count.
type countRow struct {
	Part  string
	Low   string
	High  string
	Start nullableTime
	Rows  int64
	Now   nullableTime

	member nullableCount // of a joined answer: the number of the query; null in others
	rows   nullableCount
	prints [3]nullableCount
	proof  string
}

// countColumns are the columns that the answer to a count can have.
var countColumns = []string{"Part", "Low", "High", "Start", "Rows", "Now", "PrintA", "PrintB", "PrintC", proofColumn, memberColumn}

// read takes the row that text begins with, and returns its length, or a
// negative result of scan.
func (r *countRow) read(text []byte) (int, error) {
	if text[0] != '{' {
		return 0, unprovenf("a row of it is not an object")
	}
	seen := 0
	m := wire.MembersOf(text)
	for {
		if _, ok := m.Next(nil); !ok {
			break
		}
		if bytes.Contains(m.Key, wire.Sidecar) {
			continue
		}
		i := slices.IndexFunc(countColumns, func(c string) bool { return strings.EqualFold(c, string(m.Key)) })
		if i < 0 {
			return 0, unprovenf("it has a column that was not requested")
		}
		if seen&(1<<i) != 0 {
			return 0, unprovenf("a row of it has the column %s twice", countColumns[i])
		}
		seen |= 1 << i
		if err := r.take(countColumns[i], m.Value); err != nil {
			return 0, unprovenf("its column %s: %w", countColumns[i], err)
		}
	}
	if m.Fault < 0 {
		return m.Fault, nil
	}
	return m.End, nil
}

func (r *countRow) take(column string, v []byte) (err error) {
	switch column {
	case "Part":
		r.Part, err = wireText(v)
	case "Low":
		r.Low, err = wireText(v)
	case "High":
		r.High, err = wireText(v)
	case proofColumn:
		r.proof, err = wireText(v)
	case "Start":
		err = r.Start.UnmarshalJSON(v)
	case "Now":
		err = r.Now.UnmarshalJSON(v)
	case memberColumn:
		r.member, err = wireCount(v)
	case "Rows":
		r.rows, err = wireCount(v)
	default:
		at := &r.prints[column[len(column)-1]-'A']
		*at, err = wireCount(v)
	}
	return err
}

// absentValue holds for null, as each front writes it.
func absentValue(v []byte) bool { return string(v) == "null" || v[0] == '{' && empty(v) }

// wireText is a text; null, which strings do not have, is the empty one.
func wireText(v []byte) (string, error) {
	switch {
	case absentValue(v):
		return "", nil
	case v[0] != '"':
		return "", errors.New("its value is not a text")
	}
	text, _ := jsontext.AppendUnquote(nil, v) // valid except for lone surrogates
	return string(text), nil
}

// nullableCount is a number of things, or null.
type nullableCount struct {
	n     int64
	known bool
}

func wireCount(v []byte) (nullableCount, error) {
	switch {
	case absentValue(v):
		return nullableCount{}, nil
	case !wire.IsInteger(v):
		return nullableCount{}, errors.New("its value is not an integer")
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	switch {
	case err != nil:
		return nullableCount{}, errors.New("its value is beyond 64 bits")
	case n < 0:
		return nullableCount{}, errors.New("its value is negative")
	}
	return nullableCount{n, true}, nil
}
