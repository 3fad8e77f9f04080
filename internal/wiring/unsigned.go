package wiring

import (
	"context"
	"errors"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/signin"
)

// unsigned is a source that nobody could sign in to. A run over it exports
// nothing and fails, so that the audit says why.
type unsigned struct{ why error }

// WithoutSignIn is the source of a run that Entra has not let sign in to Defender.
// An identity of the wrong tenant ends the command instead, for then nothing may
// be written, and so do failures that are not about the identity.
func WithoutSignIn(err error) (tvmexport.Source, error) {
	if errors.Is(err, signin.ErrWrongTenant) || tvmexport.CauseOf(err) != tvmexport.Permission {
		return nil, err
	}
	return unsigned{err}, nil
}

func (u unsigned) fail(op, table string) error {
	return &tvmexport.Error{Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.CauseOf(u.why), Err: u.why}
}

// Count implements tvmexport.Source.
func (u unsigned) Count(_ context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	return tvmexport.Counts{}, u.fail("count", q.Table.Name)
}

// Fetch implements tvmexport.Source.
func (u unsigned) Fetch(_ context.Context, s tvmexport.Slice, _ tvmexport.RowWriter) (tvmexport.Answer, error) {
	return tvmexport.Answer{}, u.fail("fetch", s.Table.Name)
}

// Columns implements tvmexport.Source.
func (u unsigned) Columns(_ context.Context, table string) ([]tvmexport.Column, error) {
	return nil, u.fail("schema", table)
}

// Schemas implements tvmexport.Source.
func (u unsigned) Schemas(context.Context, []string) (map[string][]tvmexport.Column, error) {
	return nil, u.fail("schema", "")
}
