package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/tvmexport/tvmexport"
)

// spans makes traces of what the engine announces.
type spans struct {
	tracer trace.Tracer

	mu     sync.Mutex
	parent context.Context // of the export that is under way
	runs   map[tvmexport.RunID]under
}

// under is a run that is under way.
type under struct {
	trace.Span
	ctx context.Context
}

// Export begins the span of an export of tables; the runs until it ends are
// part of it.
func (s *spans) Export(ctx context.Context, tables []string) (end func(failed int, err error)) {
	ctx, span := s.tracer.Start(ctx, "export", trace.WithAttributes(attribute.StringSlice("tvmexport.tables", tables)))
	s.mu.Lock()
	s.parent, s.runs = ctx, map[tvmexport.RunID]under{}
	s.mu.Unlock()
	return func(failed int, err error) {
		s.mu.Lock()
		for _, r := range s.runs {
			r.End()
		}
		s.parent, s.runs = nil, nil
		s.mu.Unlock()
		span.SetAttributes(attribute.Int("tvmexport.failed", failed))
		if err != nil {
			fail(span, err)
		}
		span.End()
	}
}

func fail(span trace.Span, err error) {
	span.RecordError(err)
	span.SetStatus(codes.Error, err.Error())
}

// of finds the span of a run; nothing is done for runs that are not under way.
func (s *spans) of(id tvmexport.RunID, do func(under)) {
	s.mu.Lock()
	r, ok := s.runs[id]
	s.mu.Unlock()
	if ok {
		do(r)
	}
}

func (s *spans) event(r tvmexport.Run, name string, what ...attribute.KeyValue) {
	s.of(r.ID, func(u under) { u.AddEvent(name, trace.WithAttributes(what...)) })
}

// Hooks are what the traces listen to.
func (s *spans) Hooks() tvmexport.Hooks {
	return tvmexport.Hooks{
		Started: func(r tvmexport.Run) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.parent == nil {
				return
			}
			ctx, span := s.tracer.Start(s.parent, "run "+r.Table.Name, trace.WithAttributes(
				attribute.String("tvmexport.table", r.Table.Name), attribute.String("tvmexport.run", string(r.ID)),
				attribute.String("tvmexport.kind", string(r.Kind)), attribute.String("tvmexport.load", string(r.Table.LoadType)),
			))
			s.runs[r.ID] = under{span, ctx}
		},
		Planned: func(r tvmexport.Run, rows int64, slices int) {
			s.event(r, "planned", attribute.Int64("rows", rows), attribute.Int("calls", slices))
		},
		Fetched: func(r tvmexport.Run, _ tvmexport.Slice, a tvmexport.Answer) {
			s.of(r.ID, func(u under) {
				now := time.Now()
				_, span := s.tracer.Start(u.ctx, "fetch", trace.WithTimestamp(now.Add(-a.Took)), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
					attribute.Int64("rows", a.Rows), attribute.Int64("bytes", a.Bytes), attribute.Int("calls", a.Calls), attribute.String("request", a.Request),
				))
				span.End(trace.WithTimestamp(now))
			})
		},
		Splitting: func(r tvmexport.Run, _ tvmexport.Slice, why error) {
			s.event(r, "splitting", attribute.String("why", why.Error()))
		},
		Retrying: func(r tvmexport.Run, op string, in time.Duration, why error) {
			s.event(r, "retrying", attribute.String("op", op), attribute.String("in", in.String()), attribute.String("why", why.Error()))
		},
		Landing: func(r tvmexport.Run, b tvmexport.Batch) {
			s.event(r, "queued", attribute.String("batch", string(b.ID)), attribute.Int64("rows", b.Rows))
		},
		Confirmed: func(r tvmexport.Run, n, of int) {
			if n == of {
				s.event(r, "landed", attribute.Int("batches", n))
			}
		},
		Published: func(r tvmexport.Run, rows int64) { s.event(r, "published", attribute.Int64("rows", rows)) },
		Fallback: func(r tvmexport.Run, what string, why error) {
			s.event(r, "falling back", attribute.String("to", what), attribute.String("why", why.Error()))
		},
		Committed: func(r tvmexport.Run, rows int64) {
			s.end(r.ID, func(u under) { u.SetAttributes(attribute.Int64("tvmexport.rows", rows)) })
		},
		Failed: func(_ string, id tvmexport.RunID, err error) { s.end(id, func(u under) { fail(u.Span, err) }) },
	}
}

func (s *spans) end(id tvmexport.RunID, last func(under)) {
	s.of(id, func(u under) {
		last(u)
		u.End()
		s.mu.Lock()
		delete(s.runs, id)
		s.mu.Unlock()
	})
}
