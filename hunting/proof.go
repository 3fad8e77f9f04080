package hunting

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// proof is an answer's statement about itself: how many parts the query found,
// and how many rows they have. The query adds up the parts that it gives, and puts
// the sums into an additional row, in a separate column, after a word that no data
// contains.
type proof struct {
	parts, rows int64
}

// proofColumn carries the proof of a count.
const proofColumn = "Proof"

// proven asks for counted rows, grouped by the expression by, and for one more
// row with the proof of the answer. The groups are kept, so that the table is read once.
func (p phrasing) proven(counted, sums, by, mark string) union {
	return union{
		let: p.kept(fmt.Sprintf("%s\n| summarize Rows = count()%s by %s", counted, sums, by)),
		legs: []string{"", fmt.Sprintf("\n| summarize Rows = sum(Rows), Parts = count()\n| project %s = strcat(%s, tostring(Parts), '.', tostring(coalesce(Rows, 0))), Now = now()",
			proofColumn, text(mark))},
	}
}

// readProof reads the value of the proof column behind its mark.
func readProof(said string) (proof, error) {
	parts, rows, ok := strings.Cut(said, ".")
	p, errParts := strconv.ParseInt(parts, 10, 64)
	r, errRows := strconv.ParseInt(rows, 10, 64)
	if !ok || errParts != nil || errRows != nil || p < 0 || r < 0 {
		return proof{}, errors.New("its proof is not a pair of numbers")
	}
	return proof{parts: p, rows: r}, nil
}

// proves returns nil if the proof shows that an answer with these parts and rows is
// complete, else the reason.
func (p *proof) proves(parts, rows int64) error {
	switch {
	case p == nil:
		return fmt.Errorf("it has %d parts and lacks its proof row: it was truncated, or answers another query", parts)
	case p.parts != parts || p.rows != rows:
		return fmt.Errorf("it has %d parts with %d rows, but its proof says %d parts with %d rows", parts, rows, p.parts, p.rows)
	}
	return nil
}

// unused is a name that no column of the table has, so that a column added by
// a query hides none.
func unused(t tvmexport.Table, want string) string {
	for taken(t, want) {
		want += "_"
	}
	return want
}

func taken(t tvmexport.Table, name string) bool {
	if strings.EqualFold(name, t.Watermark) || strings.EqualFold(name, t.Key.Column) {
		return true
	}
	for _, c := range t.Columns {
		if strings.EqualFold(name, c.Name) {
			return true
		}
	}
	for _, c := range t.Key.Hashed {
		if strings.EqualFold(name, c) {
			return true
		}
	}
	return false
}
