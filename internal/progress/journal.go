package progress

import (
	"context"
	"log/slog"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Journal writes each step to a log, with what names it: the run, the table,
// the batch, the service's request.
func Journal(log *slog.Logger) tvmexport.Hooks {
	of := func(r tvmexport.Run) *slog.Logger { return log.With("table", r.Table.Name, "run", string(r.ID)) }
	return tvmexport.Hooks{
		Started: func(r tvmexport.Run) {
			of(r).Info("started", "kind", string(r.Kind), "load", string(r.Table.LoadType), "previous", string(r.Previous))
		},
		Planned: func(r tvmexport.Run, rows int64, slices int) {
			of(r).Info("planned", "rows", rows, "calls", slices)
		},
		Fetched: func(r tvmexport.Run, _ tvmexport.Slice, a tvmexport.Answer) {
			of(r).Info("fetched", "rows", a.Rows, "bytes", a.Bytes, "took", a.Took, "request", a.Request)
		},
		Splitting: func(r tvmexport.Run, _ tvmexport.Slice, why error) {
			of(r).Info("splitting", "why", why)
		},
		Retrying: func(r tvmexport.Run, op string, in time.Duration, why error) {
			of(r).Warn("retrying", "op", op, "in", in, "why", why)
		},
		Landing: func(r tvmexport.Run, b tvmexport.Batch) {
			of(r).Info("queued", "batch", string(b.ID), "rows", b.Rows, "bytes", b.Bytes)
		},
		Confirmed: func(r tvmexport.Run, n, batches int) {
			level := slog.LevelDebug
			if n == batches {
				level = slog.LevelInfo
			}
			of(r).Log(context.Background(), level, "landed", "batches", n, "of", batches)
		},
		Awaiting: func(r tvmexport.Run, a tvmexport.Awaited) {
			l := of(r).With("batches", a.Landed, "of", a.Of, "for", a.For.Round(time.Second), "most", a.Most)
			if a.Slow != "" {
				l = l.With("slow", a.Slow)
			}
			l.Info("waiting for batches to land")
		},
		Published: func(r tvmexport.Run, rows int64) { of(r).Info("published", "rows", rows) },
		Committed: func(r tvmexport.Run, rows int64) {
			l := of(r)
			if !r.Watermark.IsZero() {
				l = l.With("watermark", r.Watermark)
			}
			l.Info("committed", "rows", rows)
		},
		Fallback: func(r tvmexport.Run, what string, why error) {
			of(r).Warn("falling back", "to", what, "why", why)
		},
		Failed: func(table string, run tvmexport.RunID, err error) {
			log.Error("failed", "table", table, "run", string(run), "error", err)
		},
	}
}

// NewLog is a Printer that writes each step to a log.
func NewLog(log *slog.Logger) Printer { return &logged{log} }

type logged struct{ log *slog.Logger }

func (l *logged) Hooks() tvmexport.Hooks { return Journal(l.log) }

func (l *logged) Wait(cause string, until time.Time) {
	l.log.Info("waiting", "cause", cause, "until", until)
}

func (l *logged) Close() {}
