// Package past keeps what a source held when runs were committed, and later holds
// the functions <Table>AsOf against it.
package past

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
)

// Server is the emulator that is asked.
type Server interface {
	Truth(ctx context.Context, query string) (emulator.Digest, error)
	Landed(ctx context.Context, database, query string) (emulator.Digest, error)
	LandedRows(ctx context.Context, database, query string) iter.Seq2[[]byte, error]
}

// Book is what tables held at commits.
type Book struct {
	server Server
	tables []string
	pages  map[string]map[time.Time]emulator.Digest // by table and moment of the commit
}

// NewBook makes an empty book of tables of current state.
func NewBook(s Server, tables ...string) *Book {
	b := &Book{server: s, tables: tables, pages: map[string]map[time.Time]emulator.Digest{}}
	for _, t := range tables {
		b.pages[t] = map[time.Time]emulator.Digest{}
	}
	return b
}

// Note keeps what the source holds, for the newest commit of each table for which
// exported is true. Call it only if the source has not changed since those runs.
func (b *Book) Note(ctx context.Context, exported func(table string) bool) error {
	commits, err := Commits(ctx, b.server)
	if err != nil {
		return err
	}
	for _, t := range b.tables {
		if !exported(t) {
			continue
		}
		at, ok := commits[t]
		if !ok {
			return fmt.Errorf("no run of %s is committed", t)
		}
		if b.pages[t][at], err = b.server.Truth(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// Differences says which states are not shown as they were kept, and how many
// were compared.
func (b *Book) Differences(ctx context.Context) (compared int, out []string) {
	for _, t := range b.tables {
		for at, want := range b.pages[t] {
			got, err := b.server.Landed(ctx, "", fmt.Sprintf("%sAsOf(%s)", t, Moment(at)))
			switch {
			case err != nil:
				out = append(out, err.Error())
			case got.Rows < want.Rows:
				out = append(out, fmt.Sprintf("%s as of %s: %d rows lost of %d", t, at.Format(time.RFC3339Nano), want.Rows-got.Rows, want.Rows))
			case got.Rows > want.Rows:
				out = append(out, fmt.Sprintf("%s as of %s: %d rows duplicated over %d", t, at.Format(time.RFC3339Nano), got.Rows-want.Rows, want.Rows))
			case got != want:
				out = append(out, fmt.Sprintf("%s as of %s: of %d rows some lost and some duplicated", t, at.Format(time.RFC3339Nano), want.Rows))
			}
			compared++
		}
	}
	return compared, out
}

// Commits are, by table, when the newest run was committed.
func Commits(ctx context.Context, s Server) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	for row, err := range s.LandedRows(ctx, "", `ExportRuns | where State == "committed" | summarize At = max(At) by Table`) {
		if err != nil {
			return nil, err
		}
		var commit struct {
			Table string
			At    time.Time
		}
		if err := json.Unmarshal(row, &commit); err != nil {
			return nil, err
		}
		out[commit.Table] = commit.At
	}
	return out, nil
}

// Moment is a time as KQL has it, to the tick.
func Moment(t time.Time) string {
	return "datetime(" + t.UTC().Format("2006-01-02T15:04:05.0000000Z") + ")"
}
