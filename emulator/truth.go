package emulator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

// Digest identifies the rows of a result. Two results with the same Digest have the
// same rows, each as often, in any order.
type Digest struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"` // see RowHash
}

// State is the source at one moment. It does not change when the tenant does, so
// what it held can be asked later.
type State struct {
	catalog kql.Catalog
	now     time.Time
}

// State is the source as it is now; of several tenants, the first one. The data sets of the export APIs are tables next to those of hunting.
func (e *Emulator) State() State {
	return e.tenants.home().state()
}

// catalogs are the tables of two catalogs, which have different names.
type catalogs struct {
	kql.Catalog
	exports kql.Catalog
}

// Table is a table of either.
func (c catalogs) Table(db, name string) (kql.Relation, bool) {
	if t, ok := c.Catalog.Table(db, name); ok {
		return t, true
	}
	return c.exports.Table(db, name)
}

// Tables are the names of the tables of both.
func (c catalogs) Tables(db string) []string {
	return slices.Concat(c.Catalog.Tables(db), c.exports.Tables(db))
}

// Truth is the digest of a query over the source as it was.
func (s State) Truth(ctx context.Context, query string) (Digest, error) {
	r, err := s.run(ctx, query)
	if err != nil {
		return Digest{}, fmt.Errorf("truth of %q: %w", query, err)
	}
	return digest(r)
}

// Rows are the canonical rows of a query over the source as it was. A row is
// valid until the next one only; an error ends the sequence.
func (s State) Rows(ctx context.Context, query string) iter.Seq2[[]byte, error] {
	return canonicalRows(func() (result, error) { return s.run(ctx, query) })
}

// Truth is the digest of a query over the source as it is now.
func (e *Emulator) Truth(ctx context.Context, query string) (Digest, error) {
	return e.State().Truth(ctx, query)
}

// LandedRows are the canonical rows of a query over a database of the
// destination, "" for the one of Options. A row is valid until the next one
// only; an error ends the sequence.
func (e *Emulator) LandedRows(ctx context.Context, database, query string) iter.Seq2[[]byte, error] {
	return canonicalRows(func() (result, error) { return e.landed(ctx, database, query) })
}

// errEnough ends a walk over rows that nobody wants more of.
var errEnough = errors.New("no more rows are wanted")

func canonicalRows(run func() (result, error)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		r, err := run()
		if err == nil {
			err = eachCanonical(r, func(row []byte) error {
				if !yield(row, nil) {
					return errEnough
				}
				return nil
			})
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// Landed is the digest of a query over a database of the destination, "" for the
// one of Options.
func (e *Emulator) Landed(ctx context.Context, database, query string) (Digest, error) {
	r, err := e.landed(ctx, database, query)
	if err != nil {
		return Digest{}, fmt.Errorf("landed by %q: %w", query, err)
	}
	return digest(r)
}

func digest(r result) (Digest, error) {
	var hash RowHash
	err := eachCanonical(r, func(row []byte) error {
		hash.Add(row)
		return nil
	})
	if err != nil {
		return Digest{}, err
	}
	return Digest{Rows: hash.Rows(), SHA256: hash.Sum()}, nil
}

var errManyResults = errors.New("the query has several results; ask for one")

// run runs a query without the quotas of the services.
func (s State) run(ctx context.Context, query string) (result, error) {
	compiled, err := kql.Compile(query, kql.Environment{Catalog: s.catalog, Now: s.now})
	if err != nil {
		return result{}, err
	}
	if len(compiled.Statements) != 1 {
		return result{}, errManyResults
	}
	statement := compiled.Statements[0]
	return result{columns: statement.Columns(), rows: statement.Rows(ctx)}, nil
}

// Query returns the rows of a query over the source as it was, in the order of the
// query, without the quotas of the services.
func (s State) Query(ctx context.Context, query string) (Answer, error) {
	r, err := s.run(ctx, query)
	if err != nil {
		return Answer{}, fmt.Errorf("source query %q: %w", query, err)
	}
	return r.answer()
}

// Query returns the rows of a query over a database of the destination, "" for the
// one of Options, as its administrator and without the limits of a result.
func (e *Emulator) Query(ctx context.Context, database, query string) (Answer, error) {
	r, err := e.landed(ctx, database, query)
	if err != nil {
		return Answer{}, fmt.Errorf("database query %q: %w", query, err)
	}
	return r.answer()
}

// Command runs a management command as the administrator of a database of the
// destination, "" for the one of Options. It does not pass through the services, so
// faults do not disturb it. The answer is that of the command's first table.
func (e *Emulator) Command(ctx context.Context, database, text string) (Answer, error) {
	if database == "" {
		database = e.o.Database
	}
	done, err := e.engine.Command(ctx, engine.Call{Principal: e.admin, Database: database, Text: text})
	if err != nil {
		return Answer{}, fmt.Errorf("command %q: %w", text, err)
	}
	var first Answer
	for i, t := range done.Tables {
		a, err := result{columns: t.Columns, rows: t.Rows}.answer()
		if err != nil {
			return Answer{}, fmt.Errorf("command %q: %w", text, err)
		}
		if i == 0 {
			first = a
		}
	}
	return first, nil
}

// landed runs a query over the destination as its administrator, without the
// limits of a result.
func (e *Emulator) landed(ctx context.Context, database, query string) (result, error) {
	if database == "" {
		database = e.o.Database
	}
	answer, err := e.engine.Query(ctx, engine.Call{
		Principal: e.admin, Database: database, Text: query, Unrestricted: true,
		Options: map[string]any{"notruncation": true, "norequesttimeout": true},
	})
	if err != nil {
		return result{}, err
	}
	var found []engine.ResultTable
	for _, t := range answer.Tables {
		if t.Name == "PrimaryResult" {
			found = append(found, t)
		}
	}
	if len(found) != 1 {
		return result{}, errManyResults
	}
	return result{columns: found[0].Columns, rows: found[0].Rows}, nil
}
