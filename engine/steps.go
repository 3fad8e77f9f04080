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

// engine carries out the steps of a run in this process.
type engine struct {
	source      tvmexport.Source
	destination tvmexport.Destination
	compress    Compressor
	hooks       *tvmexport.Hooks
	calls       chan struct{} // one token per call under way, over all tables
	patience    Patience
	limits      tvmexport.Limits
	owner       string // the invocation
	farewell    *farewell
}

// Patience bounds what the engine waits for.
type Patience struct {
	Landing  time.Duration // for a batch to land; 0 is 15 minutes
	Attempts int           // at one call whose answer is cut off or spoiled; 0 is 4
}

func (p Patience) landing() time.Duration {
	if p.Landing == 0 {
		return 15 * time.Minute
	}
	return p.Landing
}

func (p Patience) attempts() int {
	if p.Attempts == 0 {
		return 4
	}
	return p.Attempts
}

// Count implements Steps.
func (e *engine) Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	if err := e.enter(ctx); err != nil {
		return tvmexport.Counts{}, err
	}
	defer e.leave()
	return askCount(ctx, e.source, q)
}

// Fit implements Steps.
func (e *engine) Fit(ctx context.Context, t tvmexport.Table) ([]string, error) {
	return e.destination.Fit(ctx, t)
}

func (e *engine) enter(ctx context.Context) error {
	select {
	case e.calls <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *engine) leave() { <-e.calls }

// FetchAndLand implements Steps.
func (e *engine) FetchAndLand(ctx context.Context, in []FetchInput) ([]FetchOutcome, error) {
	out := make([]FetchOutcome, len(in))
	g, each := errgroup.WithContext(ctx)
	for i := range in {
		if err := e.enter(each); err != nil {
			break
		}
		g.Go(func() error {
			defer e.leave()
			o, err := e.fetchAndLand(each, in[i])
			out[i] = o
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
	for attempt := 1; ; attempt++ {
		batch, info, err := e.fetch(ctx, in, &out)
		if err == nil {
			out.Batch = info
			return out, e.land(ctx, in, batch)
		}
		switch tvmexport.ActionOf(err) {
		case tvmexport.Split:
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

// batchData is a batch whose memory is to be given back.
type batchData struct {
	tvmexport.Batch
	chunks *chunks
}

// fetch asks for the slice and checks that the answer proves its completeness.
func (e *engine) fetch(ctx context.Context, in FetchInput, out *FetchOutcome) (_ batchData, _ tvmexport.BatchInfo, err error) {
	data := &chunks{}
	defer func() {
		if err != nil {
			data.release()
		}
	}()
	zip := e.compress(data)
	lines := newLines(in.Batch, in.Run, in.Slice, zip)
	answer, err := e.source.Fetch(ctx, in.Slice, lines)
	out.Calls += answer.Calls
	if err == nil {
		err = e.proves(in, answer)
	}
	if err == nil {
		err = placed(in, answer)
	}
	if err != nil {
		_ = zip.Close() // of what is thrown away
		return batchData{}, tvmexport.BatchInfo{}, err
	}
	prints := proven(in.Prints, answer)
	if in.Run.Table.Drift != tvmexport.Freeze && grown(in.Run.Table.Columns, answer.Columns) {
		prints = nil // they do not speak of the new column
	}
	out.Nulled += answer.Nulled
	unread := slices.Clone(answer.Unread)
	for i := range unread {
		unread[i].Batch = in.Batch
	}
	lines.unread = unread
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
		chunks: data,
	}, tvmexport.BatchInfo{ID: in.Batch, Slice: in.Slice, Rows: lines.rows, Bytes: lines.bytes, Counts: lines.counts, Prints: prints, Unread: unread}, nil
}

// proven are the fingerprints of a slice's partitions where the answer shows
// that its rows are those that were planned, or where it has one partition
// only; nil else.
func proven(planned []tvmexport.Fingerprint, a tvmexport.Answer) []tvmexport.Fingerprint {
	switch {
	case len(planned) == 0 || !a.Print.Known:
		return nil
	case len(planned) == 1:
		return []tvmexport.Fingerprint{a.Print}
	}
	sum := tvmexport.EmptyPrint
	for _, p := range planned {
		sum = sum.Add(p)
	}
	if !sum.Same(a.Print) {
		return nil
	}
	return planned
}

// proves says why an answer is not known to be complete; nil if it is.
func (e *engine) proves(in FetchInput, a tvmexport.Answer) error {
	if a.Complete() {
		return nil
	}
	fail := &tvmexport.Error{Op: "fetch", Table: in.Slice.Table.Name, Action: tvmexport.Retry, Cause: tvmexport.Unproven}
	switch {
	case a.Rows+1 >= e.limits.Rows || a.Counted >= e.limits.Rows:
		fail.Action = tvmexport.Split
		fail.Err = fmt.Errorf("the answer was cut: %d rows of %s", a.Rows, announced(a.Counted))
	case a.Counted == tvmexport.Missing:
		fail.Err = fmt.Errorf("the answer of %d rows does not hold its own count (request %s)", a.Rows, a.Request)
	default:
		fail.Err = fmt.Errorf("the answer holds %d rows and says that it has %d (request %s)", a.Rows, a.Counted, a.Request)
	}
	fail.Hint = "if this repeats, the service cuts answers below its documented row limit"
	return fail
}

func announced(n int64) string {
	if n == tvmexport.Missing {
		return "an unknown number"
	}
	return fmt.Sprint(n)
}

// land queues the batch. An answer without rows has nothing to land.
func (e *engine) land(ctx context.Context, in FetchInput, b batchData) error {
	defer b.chunks.release()
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

// Confirm implements Steps: it counts, first often and then more rarely, until
// all batches have landed, the time is over, or the destination says that
// some have failed for good.
func (e *engine) Confirm(ctx context.Context, in ConfirmInput) (ConfirmOutcome, error) {
	patient := waitFor(e.patience.landing())
	wait := time.Second
	for {
		delivery, err := e.destination.Landed(ctx, in.Run)
		if err != nil {
			return ConfirmOutcome{}, err
		}
		missing, err := lacking(in.Run, in.Batches, delivery.Batches)
		if err != nil {
			return ConfirmOutcome{}, err
		}
		if e.hooks.Confirmed != nil {
			e.hooks.Confirmed(in.Run, len(in.Batches)-len(missing), len(in.Batches))
		}
		why := delivery.Failed
		if why != nil && why.Error() == in.Known {
			why = nil // of an attempt that was made good
		}
		if len(missing) == 0 || why != nil || !time.Now().Add(wait).Before(patient.deadline) {
			return ConfirmOutcome{Missing: missing, Why: why}, nil
		}
		patient.tell(e.hooks, in.Run, len(missing), len(in.Batches), delivery.Slow)
		if err := sleep(ctx, wait); err != nil {
			return ConfirmOutcome{}, err
		}
		wait = min(wait*3/2, 10*time.Second)
	}
}

// lacking lists the batches that have not landed whole. A batch that has all
// its lines and null records among them was spoiled on the way, and waiting
// does not mend that.
func lacking(run tvmexport.Run, batches []tvmexport.BatchInfo, landed []tvmexport.Landed) ([]tvmexport.BatchID, error) {
	have := make(map[tvmexport.BatchID]tvmexport.Landed, len(landed))
	for _, l := range landed {
		have[l.Batch] = l
	}
	var missing []tvmexport.BatchID
	for _, b := range batches {
		l := have[b.ID]
		switch {
		case b.Rows == 0:
		case l.Nulls > 0:
			return nil, &tvmexport.Error{
				Op: "confirm", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Unproven,
				Err:  fmt.Errorf("%d records of batch %s landed as null in %s", l.Nulls, b.ID, run.Table.Landing()),
				Hint: "the landing table's mapping or columns are not ours any more: drop the table and run tvmexport init",
			}
		case !l.Whole(b.Rows):
			missing = append(missing, b.ID)
		}
	}
	return missing, nil
}

// Publish implements Steps.
func (e *engine) Publish(ctx context.Context, p tvmexport.Publication) (tvmexport.Published, error) {
	return e.destination.Publish(ctx, p)
}

// Commit implements Steps. The rows are published: an end of ctx does not keep
// the run from counting.
func (e *engine) Commit(ctx context.Context, c tvmexport.Commit) error {
	ctx, cancel := e.farewell.words(ctx)
	defer cancel()
	c.Owner = e.owner
	return e.destination.Commit(ctx, c)
}

// Hours implements Steps.
func (e *engine) Hours(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	return e.destination.Hours(ctx, t, w)
}

// Lacking implements Steps.
func (e *engine) Lacking(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	return e.destination.Lacking(ctx, run, late)
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
