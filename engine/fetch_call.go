package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"golang.org/x/sync/errgroup"
)

// FetchAndLand implements Steps.
func (e *engine) FetchAndLand(ctx context.Context, in []FetchInput) ([]FetchOutcome, error) {
	out := make([]FetchOutcome, len(in))
	within, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	g, each := errgroup.WithContext(within)
	for i := range in {
		if err := e.enter(each); err != nil {
			break
		}
		g.Go(func() error {
			defer e.leave()
			o, err := e.fetchAndLand(each, in[i])
			out[i] = o
			if err != nil {
				stop(err) // before the next call can begin
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return out, err
	}
	return out, context.Cause(ctx)
}

// fetchAndLand makes one call and lands its answer. An answer that does not
// prove itself is asked for again.
func (e *engine) fetchAndLand(ctx context.Context, in FetchInput) (FetchOutcome, error) {
	var out FetchOutcome
	var empty bool // an answer without rows was given before
	for attempt := 1; ; attempt++ {
		if unit := in.Slice.Unit; !unit.Expires.IsZero() && !time.Now().Before(unit.Expires) {
			out.Expired = true
			return out, nil
		}
		batch, info, err := e.fetch(ctx, in, &out)
		if err == nil && info.Rows == 0 && !empty && !out.Empty && !in.Slice.Unit.IsZero() && in.Slice.Unit.Rows != 0 {
			batch.buffer.release() // an empty unit is read twice: some services answer too early
			empty = true
			continue
		}
		if err == nil {
			out.Batch = info
			return out, e.land(ctx, in, batch)
		}
		if errors.Is(err, tvmexport.ErrUnitExpired) {
			out.Expired = true
			return out, nil
		}
		switch tvmexport.ActionOf(err) {
		case tvmexport.Split:
			if !in.Slice.Unit.IsZero() {
				return out, err // a unit cannot be divided
			}
			out.TooLarge, out.Why = true, err
			return out, nil
		case tvmexport.Retry:
			if attempt < e.patience.attempts() {
				if err := e.pause(ctx, in.Run, attempt, err); err != nil {
					return out, err
				}
				continue
			}
		}
		return out, err
	}
}

// pause waits before a call is repeated: one second, then twice as long each time.
func (e *engine) pause(ctx context.Context, run tvmexport.Run, attempt int, why error) error {
	d := time.Second << (attempt - 1)
	if e.hooks.Retrying != nil {
		e.hooks.Retrying(run, "fetch", d, why)
	}
	return sleep(ctx, d)
}

// batchData is a batch whose memory must be released.
type batchData struct {
	tvmexport.Batch
	buffer *segmentBuffer
}

// fetch asks for the slice and checks that the answer proves its completeness.
func (e *engine) fetch(ctx context.Context, in FetchInput, out *FetchOutcome) (_ batchData, _ tvmexport.BatchInfo, err error) {
	data := &segmentBuffer{}
	defer func() {
		if err != nil {
			data.release()
		}
	}()
	zip := e.compress(data)
	lines := newBatchEncoder(in.Batch, in.Run, in.Slice, zip)
	answer, err := e.answer(ctx, in.Slice, lines)
	out.Calls += answer.Calls
	if err == nil {
		err = e.proves(in, answer)
	}
	if err == nil {
		err = checkWatermark(in, answer)
	}
	if err != nil {
		_ = zip.Close() // of what is thrown away
		return batchData{}, tvmexport.BatchInfo{}, err
	}
	prints := provenFingerprints(in.Fingerprints, answer)
	if in.Run.Table.Drift != tvmexport.Freeze && hasNewColumns(in.Run.Table.Columns, answer.Columns) {
		prints = tvmexport.Fingerprints{} // they do not speak of the new column
	}
	out.Nulled += answer.Nulled
	unread := slices.Clone(answer.Unread)
	for i := range unread {
		unread[i].Batch = in.Batch
	}
	lines.unread = unread
	if !in.Slice.Unit.IsZero() {
		in.Slice.Unit.Open = len(answer.Next) > 0
		lines.slice.Unit.Open = in.Slice.Unit.Open
		out.Next, out.Empty = answer.Next, answer.Empty
	}
	if err := errors.Join(lines.close(prints), zip.Close()); err != nil {
		return batchData{}, tvmexport.BatchInfo{}, fmt.Errorf("pack batch %s: %w", in.Batch, err)
	}
	out.Bytes += answer.Bytes
	out.Columns = answer.Columns
	announceFetched(e.hooks, in.Run, in.Slice, answer)
	return batchData{
		Batch: tvmexport.Batch{
			ID: in.Batch, Run: in.Run, Slice: in.Slice,
			Rows: lines.rows, Bytes: lines.bytes, Data: data.reader(),
		},
		buffer: data,
	}, tvmexport.BatchInfo{ID: in.Batch, Slice: in.Slice, Rows: lines.rows, Bytes: lines.bytes, Counts: lines.counts, Fingerprints: prints, Unread: unread}, nil
}

// answer requests a slice, or the unit that it names, from the table's source.
func (e *engine) answer(ctx context.Context, s tvmexport.Slice, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	source := e.source(s.Table.Name)
	if !s.Unit.IsZero() {
		lists, ok := tvmexport.Ability[tvmexport.ListingSource](source)
		if !ok {
			return tvmexport.Answer{}, unsupportedSource("fetch", s.Table.Name, "does not list units", "")
		}
		a, err := lists.FetchUnit(ctx, s.Table, s.Unit, w)
		if err == nil && a.Complete() && s.Unit.Rows != tvmexport.Missing && s.Unit.Rows != a.Rows {
			err = &tvmexport.Error{
				Op: "fetch", Table: s.Table.Name, Action: tvmexport.Retry, Cause: tvmexport.Integrity,
				Err:  fmt.Errorf("the unit %.80q has %d rows, but its listing announces %d", s.Unit.ID, a.Rows, s.Unit.Rows),
				Hint: "if this repeats, the service changes files that it has listed",
			}
		}
		return a, err
	}
	counts, ok := tvmexport.Ability[tvmexport.CountingSource](source)
	if !ok {
		return tvmexport.Answer{}, noCounts(s.Table.Name)
	}
	return counts.Fetch(ctx, s, w)
}

// provenFingerprints are the fingerprints of a slice's partitions where the answer shows
// that its rows are those that were planned, or where it has one partition
// only; zero else.
func provenFingerprints(planned tvmexport.Fingerprints, a tvmexport.Answer) tvmexport.Fingerprints {
	switch {
	case !a.Fingerprint.Known:
	case planned.Len() == 1:
		return tvmexport.NewFingerprints(a.Fingerprint)
	case planned.Len() > 0 && planned.Sum().Same(a.Fingerprint):
		return planned
	}
	return tvmexport.Fingerprints{}
}

// proves says why an answer is not known to be complete; nil if it is.
func (e *engine) proves(in FetchInput, a tvmexport.Answer) error {
	if a.Complete() {
		return nil
	}
	fail := &tvmexport.Error{Op: "fetch", Table: in.Slice.Table.Name, Action: tvmexport.Retry, Cause: tvmexport.Integrity}
	switch {
	case in.Slice.Unit.IsZero() && (a.Rows+1 >= e.limits.Rows || a.Counted >= e.limits.Rows):
		fail.Action = tvmexport.Split
		fail.Err = fmt.Errorf("the answer was truncated: %d rows of %s", a.Rows, countText(a.Counted))
	case a.Counted == tvmexport.Missing && !in.Slice.Unit.IsZero():
		fail.Err = fmt.Errorf("the unit %.80q does not prove that its %d rows are all (request %s)", in.Slice.Unit.ID, a.Rows, a.Request)
		fail.Hint = "if this repeats, check for a proxy that cuts downloads"
		return fail
	case a.Counted == tvmexport.Missing:
		fail.Err = fmt.Errorf("the answer of %d rows lacks its own count (request %s)", a.Rows, a.Request)
	default:
		fail.Err = fmt.Errorf("the answer has %d rows, but its own count is %d (request %s)", a.Rows, a.Counted, a.Request)
	}
	fail.Hint = "if this repeats, the service truncates answers below its documented row limit"
	return fail
}

func countText(n int64) string {
	if n == tvmexport.Missing {
		return "an unknown number"
	}
	return fmt.Sprint(n)
}

// checkWatermark returns an error if rows may be outside the requested window: a
// watermark that cannot be read is in no window, and each run would publish the
// rows that have one again.
func checkWatermark(in FetchInput, a tvmexport.Answer) error {
	t := in.Run.Table
	i := slices.IndexFunc(a.Unread, func(u tvmexport.Unread) bool { return t.LoadType != tvmexport.Snapshot && u.Column == t.Watermark })
	if i < 0 {
		return nil
	}
	return &tvmexport.Error{
		Op: "fetch", Table: t.Name, Action: tvmexport.Retry, Cause: tvmexport.Integrity,
		Err:  fmt.Errorf("%d rows of the answer (request %s) have a watermark %s that is not a datetime", a.Unread[i].Values, a.Request, t.Watermark),
		Hint: "nothing was published; check the column in the portal, or set another WatermarkColumn in MigrationConfiguration",
	}
}

// land queues the batch. An answer without rows has nothing to land.
func (e *engine) land(ctx context.Context, in FetchInput, b batchData) error {
	defer b.buffer.release()
	if b.Rows == 0 {
		return nil
	}
	if err := e.destination.Land(ctx, b.Batch); err != nil {
		return err
	}
	if e.hooks.Landing != nil {
		e.hooks.Landing(in.Run, b.Batch)
	}
	return nil
}
