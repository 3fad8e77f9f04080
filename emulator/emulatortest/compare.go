package emulatortest

import (
	"context"
	"crypto/sha256"
	"fmt"
)

// Query returns the rows of a KQL query over the database, as its administrator. It
// does not pass through the services: no quota, no fault, no limit of 500,000 rows.
func (e *Emulator) Query(ctx context.Context, query string) (Answer, error) {
	return e.services.Query(ctx, "", query)
}

// QuerySource is Query over the tables of the tenant.
func (e *Emulator) QuerySource(ctx context.Context, query string) (Answer, error) {
	return e.services.State().Query(ctx, query)
}

// Command runs a management command on the database as its administrator, such as
// .create table. It does not pass through the services. The answer is the first table of
// the result.
func (e *Emulator) Command(ctx context.Context, text string) (Answer, error) {
	return e.services.Command(ctx, "", text)
}

// Truth is the digest of the rows that a query over the source gives now. Digests are
// equal if the rows are, each as often, in any order.
func (e *Emulator) Truth(ctx context.Context, query string) (Digest, error) {
	return e.services.Truth(ctx, query)
}

// Landed is the digest of the rows that a query over the database gives now. A result
// whose only column is the dynamic Records represents the rows in it.
func (e *Emulator) Landed(ctx context.Context, query string) (Digest, error) {
	return e.services.Landed(ctx, "", query)
}

// Difference is how the rows of the database differ from those of the source.
type Difference struct {
	Source, Landed int64 // rows
	Missing        int64 // rows of the source that have not landed, or not often enough
	Extra          int64 // rows that have landed and are not in the source, or too often
	// One row of each as JSON in canonical form: members sorted, nulls left out. It is
	// "" if there is none.
	MissingRow, ExtraRow string
}

// Equal reports whether both have the same rows, each as often.
func (d Difference) Equal() bool { return d.Missing == 0 && d.Extra == 0 }

// String describes the difference in one line.
func (d Difference) String() string {
	if d.Equal() {
		return fmt.Sprintf("equal: %d rows", d.Source)
	}
	text := fmt.Sprintf("source %d rows, landed %d: %d missing, %d extra", d.Source, d.Landed, d.Missing, d.Extra)
	if d.MissingRow != "" {
		text += "; missing " + d.MissingRow
	}
	if d.ExtraRow != "" {
		text += "; extra " + d.ExtraRow
	}
	return text
}

// Compare compares the rows of a query over the source with those of a query over the
// database, such as the names of a table and of its copy. Texts that are full dates and times are compared as times, since the
// database types them so. The error is that of a query.
func (e *Emulator) Compare(ctx context.Context, source, landed string) (Difference, error) {
	var d Difference
	rows := map[[sha256.Size]byte]int64{} // how often the source has them more
	state := e.services.State()
	for row, err := range state.Rows(ctx, source) {
		if err != nil {
			return Difference{}, fmt.Errorf("source query %q: %w", source, err)
		}
		d.Source++
		rows[sha256.Sum256(row)]++
	}
	for row, err := range e.services.LandedRows(ctx, "", landed) {
		if err != nil {
			return Difference{}, fmt.Errorf("database query %q: %w", landed, err)
		}
		d.Landed++
		hash := sha256.Sum256(row)
		if rows[hash] <= 0 {
			d.Extra++
			if d.ExtraRow == "" {
				d.ExtraRow = string(row)
			}
		}
		rows[hash]--
	}
	for _, n := range rows {
		d.Missing += max(0, n)
	}
	if d.Missing == 0 {
		return d, nil
	}
	for row, err := range state.Rows(ctx, source) {
		if err != nil {
			return Difference{}, fmt.Errorf("source query %q: %w", source, err)
		}
		if rows[sha256.Sum256(row)] > 0 {
			d.MissingRow = string(row)
			break
		}
	}
	return d, nil
}
