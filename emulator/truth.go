package emulator

import (
	"context"
	"errors"
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/engine"
	"github.com/tvmexport/tvmexport/emulator/kql"
)

// Digest says which rows a result holds, whatever their order. Two results with
// the same Digest hold the same rows.
type Digest struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"` // see RowHash
}

// Truth is the digest of a query over the source as it is now.
func (e *Emulator) Truth(ctx context.Context, query string) (Digest, error) {
	r, err := e.truth(ctx, query)
	if err != nil {
		return Digest{}, fmt.Errorf("truth of %q: %w", query, err)
	}
	return digest(r)
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

// truth runs a query over the tenant, without the quotas of the services.
func (e *Emulator) truth(ctx context.Context, query string) (result, error) {
	compiled, err := kql.Compile(query, kql.Environment{Catalog: e.tenant.Catalog(), Now: e.tenant.Now()})
	if err != nil {
		return result{}, err
	}
	if len(compiled.Statements) != 1 {
		return result{}, errManyResults
	}
	s := compiled.Statements[0]
	return result{columns: s.Columns(), rows: s.Rows(ctx)}, nil
}

// landed runs a query over the destination as its administrator, without the
// limits of a result.
func (e *Emulator) landed(ctx context.Context, database, query string) (result, error) {
	if database == "" {
		database = e.o.Database
	}
	answer, err := e.engine.Query(ctx, engine.Call{
		Principal: e.admin, Database: database, Text: query,
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
