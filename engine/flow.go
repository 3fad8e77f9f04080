package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Steps are what a run is made of. Their inputs and outputs are plain values,
// and each can be repeated. The flow below drives them and knows neither
// goroutines nor a network; an engine carries them out.
type Steps interface {
	// Fit makes what readers use fit the columns that the table shows.
	Fit(ctx context.Context, t tvmexport.Table) (changes []string, err error)
	// Count asks the source how rows are spread.
	Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error)
	// Hours asks the destination what readers see, by hour of the watermark.
	Hours(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error)
	// FetchAndLand asks for each slice and lands its rows as a batch. The
	// outcomes come in the order of the inputs. An error ends the run.
	FetchAndLand(ctx context.Context, in []FetchInput) ([]FetchOutcome, error)
	// Confirm waits until the batches have landed whole.
	Confirm(ctx context.Context, in ConfirmInput) (ConfirmOutcome, error)
	// Lacking counts the rows of late batches that readers do not see.
	Lacking(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error)
	Publish(ctx context.Context, p tvmexport.Publication) (tvmexport.Published, error)
	Commit(ctx context.Context, c tvmexport.Commit) error
}

// FetchInput is one call and the batch that its rows become.
type FetchInput struct {
	Run    tvmexport.Run
	Slice  tvmexport.Slice
	Batch  tvmexport.BatchID
	Prints []tvmexport.Fingerprint // of the slice's partitions as planned; nil: not asked for
}

// FetchOutcome is what became of a FetchInput: a batch, or TooLarge.
type FetchOutcome struct {
	Batch    tvmexport.BatchInfo
	TooLarge bool  // the call cannot be answered in one piece; Why says how that showed
	Why      error // with TooLarge
	Bytes    int64 // of the answer's JSON
	Nulled   int64 // values of the answer that do not fit their type
	Calls    int
	Columns  []tvmexport.Column // that the answer declares
}

// ConfirmInput names the batches to wait for, and the failure that is known already.
type ConfirmInput struct {
	Run     tvmexport.Run
	Batches []tvmexport.BatchInfo
	Known   string // the last outcome's Why as text
}

// ConfirmOutcome names the batches that have not landed whole in the time allowed, or
// never will: then Why says so.
type ConfirmOutcome struct {
	Missing []tvmexport.BatchID
	Why     error
}

// Plan is the input of a run's flow.
type Plan struct {
	Run        tvmexport.Run
	Limits     tvmexport.Limits
	RowBytes   float64 // learned size of a row's JSON; 0 if nothing was learned yet
	Last       int64   // rows of the last committed run; 0 if unknown
	Known      []tvmexport.PartitionRecord
	Depth      int                   // of Known
	Whole      string                // why a Snapshot is fetched whole
	Only       []tvmexport.Partition // of a Snapshot's delta: what it replaces; nil: what differs from Known
	Lag        time.Duration         // how far the watermark stays behind the source's clock
	Until      time.Time             // upper end of the window as ordered; zero: the source's clock less Lag
	Recount    time.Duration         // how far back published hours are counted again for late rows
	Again      []tvmexport.Window    // published windows that are asked for again
	Leftovers  []tvmexport.Leftover
	Unlike     []string           // columns that have values in what readers keep which are not those of the source
	Losses     tvmexport.Losses   // that the run makes up for
	Apart      bool               // rows of the ledger are gone
	Live       []tvmexport.Column // the source's schema without hidden columns; answers are held against it
	Loose      bool               // the answers have other columns than Live, which the source tells all the same
	Notes      []string           // what people should know of the plan, a sentence each
	Consistent bool               // the table must not move while it is read
	StepBytes  int64              // of one publishing command; 0 is about 1 GB
	From       time.Time          // where the request itself says that the window begins; zero: it does not
}

// Progress is what a run has done, also when it failed.
type Progress struct {
	Run     tvmexport.Run
	Rows    int64              // published
	Fetched int64              // rows in confirmed batches
	Resumed int64              // rows of them that an earlier run had landed
	Late    int64              // rows of them that came late
	Bytes   int64              // of source JSON
	Nulled  int64              // fetched values that do not fit the type that the source declares
	Unread  []tvmexport.Unread // those of published rows, by column
	Calls   int                // made to the source
	Slices  int
	Parts   int      // of a Snapshot, that the source was asked to compare
	Changed int      // parts that were fetched
	Whole   string   // why a Snapshot was fetched whole; "" where it was not
	Notes   []string // what people should know of the run, a sentence each
}

// flow brings one table forward: count, cut, fetch and land, confirm, publish, commit.
func flow(ctx context.Context, s Steps, plan Plan, h *tvmexport.Hooks) (Progress, error) {
	f := &fetching{plan: plan, steps: s, hooks: h, oneKey: map[tvmexport.Partition]bool{}, progress: Progress{Run: plan.Run, Whole: plan.Whole, Notes: slices.Clone(plan.Notes)}}
	for _, step := range []func(context.Context) error{f.count, f.fetchAll, f.compare, f.settle, f.confirm, f.weighLate} {
		if err := step(ctx); err != nil {
			return f.progress, err
		}
	}
	err := finish(ctx, s, f.publication(), &f.progress, h)
	if n := f.progress.Late; n > 0 && err == nil {
		f.note("%d rows with an older watermark were missing and are published now", n)
	}
	return f.progress, err
}

// finish publishes and commits. It is also how a later run completes what an
// earlier one began to publish.
func finish(ctx context.Context, s Steps, pub tvmexport.Publication, p *Progress, h *tvmexport.Hooks) error {
	published, err := s.Publish(ctx, pub)
	if err != nil {
		return err
	}
	rows := published.Rows
	if rows != pub.Rows {
		return &tvmexport.Error{
			Op: "publish", Table: pub.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Unproven,
			Err:  fmt.Errorf("%d rows are in %s where %d were confirmed (run %s)", rows, pub.Run.Table.Destination, pub.Rows, pub.Run.ID),
			Hint: "the run was not committed; run again, and if it repeats look for rows deleted from the landing table",
		}
	}
	announcePublished(h, pub.Run, rows)
	unread := mostUnread(pub.Unread, published.Unread)
	err = s.Commit(ctx, tvmexport.Commit{
		Run: pub.Run, Rows: rows, Bytes: pub.Bytes, Calls: pub.Calls, Partitions: pub.Partitions, Losses: pub.Losses,
		Unread: unread, Unlike: pub.Unlike,
	})
	if err != nil {
		return err
	}
	p.Run, p.Rows, p.Notes, p.Unread = pub.Run, rows, append(p.Notes, published.Notes...), unread
	announceCommitted(h, pub.Run, rows)
	return nil
}

// fetching is the state of a run between plan and publication.
type fetching struct {
	plan     Plan
	steps    Steps
	hooks    *tvmexport.Hooks
	progress Progress

	pieces   []Piece           // counted, not yet cut
	ready    []tvmexport.Slice // cut, not yet asked for
	batches  []tvmexport.BatchInfo
	adopted  []tvmexport.BatchInfo // landed by an earlier run
	asked    []tvmexport.Partition // of a Snapshot's delta: what the run replaces
	lacking  map[tvmexport.BatchID]int64
	prints   map[tvmexport.Partition]tvmexport.Fingerprint // as planned
	next     int                                           // ordinal of the next batch
	refusals int                                           // answers that were too large
	size     float64                                       // JSON bytes a row, the largest mean seen; 0 while unknown
	total    int64
	held     int64              // rows counted, whether they are fetched or not
	counted  tally              // of the parts that are fetched
	schema   []tvmexport.Column // of the first answer

	oneKey map[tvmexport.Partition]bool // partitions whose rows all have the same key
}

func (f *fetching) budget() int64 {
	size := f.size
	if size == 0 {
		size = float64(f.plan.Run.Table.RowBytes)
	}
	if size == 0 {
		size = tvmexport.DefaultRowBytes
	}
	return rowsPerCall(f.plan.Limits, size)
}

// fetchAll asks for everything that was counted. It goes in rounds: the size
// of a row is learned from the answers, and what was too large comes back in
// smaller parts. Until the first answer has come, calls go one at a time.
func (f *fetching) fetchAll(ctx context.Context) error {
	for len(f.pieces) > 0 || len(f.ready) > 0 {
		next := f.ready
		f.ready = nil
		switch {
		case f.size > 0:
			cut := Cut(f.plan.Run.Table, f.pieces, f.budget(), 0)
			next, f.pieces = append(next, cut.Slices...), nil
			if err := f.refineAll(ctx, cut.Large); err != nil {
				return err
			}
		case len(next) > 0:
			next, f.ready = next[:1], next[1:]
		default:
			cut := Cut(f.plan.Run.Table, f.pieces, f.budget(), 1)
			next, f.pieces = cut.Slices, cut.Rest
			if err := f.refineAll(ctx, cut.Large); err != nil {
				return err
			}
		}
		if err := f.round(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

func (f *fetching) refineAll(ctx context.Context, large []Piece) error {
	for _, p := range large {
		finer, err := f.refine(ctx, p)
		if err != nil {
			return err
		}
		f.pieces = append(f.pieces, finer...)
	}
	return nil
}

func (f *fetching) round(ctx context.Context, slices []tvmexport.Slice) error {
	in := make([]FetchInput, len(slices))
	for i, s := range slices {
		f.next++
		s.Print = f.prints != nil
		in[i] = FetchInput{
			Run: f.plan.Run, Slice: s, Batch: tvmexport.BatchID(fmt.Sprintf("%s.%04d", f.plan.Run.ID, f.next)), Prints: f.printsOf(s),
		}
	}
	outcomes, err := f.steps.FetchAndLand(ctx, in)
	var shifted error
	for i, o := range outcomes {
		f.progress.Calls += o.Calls
		f.progress.Bytes += o.Bytes
		f.progress.Nulled += o.Nulled
		switch {
		case o.TooLarge && shifted == nil:
			if err := f.split(ctx, slices[i], o.Why); err != nil {
				return err
			}
		case o.Batch.ID != "":
			shifted = cmp.Or(shifted, f.sameSchema(o.Columns))
			f.batches = append(f.batches, o.Batch)
			f.progress.Slices++
			if o.Batch.Rows > 0 {
				// The largest mean seen: a slice of longer rows than the average must still fit.
				f.size = max(f.size, float64(o.Bytes)/float64(o.Batch.Rows))
			}
		}
	}
	return cmp.Or(shifted, err)
}

func (f *fetching) printsOf(s tvmexport.Slice) []tvmexport.Fingerprint {
	if f.prints == nil {
		return nil
	}
	out := make([]tvmexport.Fingerprint, len(s.Partitions))
	for i, p := range s.Partitions {
		out[i] = f.prints[p]
	}
	return out
}

// split puts a slice that was too large back in smaller parts.
func (f *fetching) split(ctx context.Context, s tvmexport.Slice, why error) error {
	announceSplitting(f.hooks, f.plan.Run, s, why)
	if err := f.helpless(why); err != nil {
		return err
	}
	if a, b, ok := sliceHalves(s); ok {
		f.ready = append(f.ready, a, b)
		return nil
	}
	finer, err := f.refine(ctx, Piece{Window: s.Window, Partition: s.Partitions[0], Late: s.Late, Rows: s.Rows})
	if err != nil {
		return err
	}
	var total int64
	for _, p := range finer {
		total += p.Rows
	}
	// Packed together they were too large: at most half of them go in one call.
	cut := Cut(s.Table, finer, max(total/2, 1), 0)
	f.ready = append(f.ready, cut.Slices...)
	for _, p := range cut.Large {
		f.ready = append(f.ready, p.Slice(s.Table))
	}
	return nil
}

// confirmAttempts is how often a batch that does not land is fetched again.
const confirmAttempts = 3

// confirm waits for the batches, and fetches those again that never landed.
func (f *fetching) confirm(ctx context.Context) error {
	known := ""
	for attempt := 1; ; attempt++ {
		out, err := f.steps.Confirm(ctx, ConfirmInput{Run: f.plan.Run, Batches: f.batches, Known: known})
		if err != nil {
			return err
		}
		if len(out.Missing) == 0 {
			break
		}
		if out.Why != nil {
			known = out.Why.Error()
		}
		if attempt == confirmAttempts {
			return f.neverLanded(out)
		}
		f.drop(out.Missing)
		if err := f.fetchAll(ctx); err != nil {
			return err
		}
	}
	for _, b := range f.batches {
		f.progress.Fetched += b.Rows
	}
	return nil
}

func (f *fetching) neverLanded(out ConfirmOutcome) error {
	if out.Why != nil {
		return out.Why
	}
	return &tvmexport.Error{
		Op: "confirm", Table: f.plan.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Unproven,
		Err:  fmt.Errorf("%d of %d batches have not landed after %d attempts, %s among them", len(out.Missing), len(f.batches), confirmAttempts, out.Missing[0]),
		Hint: "nothing was published; look at .show ingestion failures for the table " + f.plan.Run.Table.Landing(),
	}
}

// drop forgets batches and puts their slices back.
func (f *fetching) drop(ids []tvmexport.BatchID) {
	dropped := make(map[tvmexport.BatchID]bool, len(ids))
	for _, id := range ids {
		dropped[id] = true
	}
	f.batches = slices.DeleteFunc(f.batches, func(b tvmexport.BatchInfo) bool {
		if !dropped[b.ID] {
			return false
		}
		f.ready = append(f.ready, b.Slice)
		return true
	})
}

// weighLate finds out how many rows of the windows that were asked for again
// are missing in what readers see.
func (f *fetching) weighLate(ctx context.Context) error {
	var late []tvmexport.BatchInfo
	for _, b := range f.all() {
		if b.Slice.Late && b.Rows > 0 {
			late = append(late, b)
		}
	}
	if len(late) == 0 {
		return nil
	}
	lacking, err := f.steps.Lacking(ctx, f.plan.Run, late)
	if err != nil {
		return err
	}
	f.lacking = lacking
	for _, n := range lacking {
		f.progress.Late += n
	}
	return nil
}

func (f *fetching) note(format string, args ...any) {
	f.progress.Notes = append(f.progress.Notes, fmt.Sprintf(format, args...))
}

// all are the batches that are to be published.
func (f *fetching) all() []tvmexport.BatchInfo { return append(slices.Clip(f.adopted), f.batches...) }

// publication gathers the confirmed batches into steps.
func (f *fetching) publication() tvmexport.Publication {
	run := f.plan.Run
	p := tvmexport.Publication{
		Run: run, Bytes: f.progress.Bytes, Calls: f.progress.Calls,
		Layout: cmp.Or(run.Table.Layout, tvmexport.Both), Columns: run.Table.Columns, Shown: run.Table.Visible(),
	}
	for _, b := range f.all() {
		p.Unread = addUnread(p.Unread, b.Unread)
	}
	p.Unlike = f.plan.Unlike
	if p.Apart = f.plan.Apart; run.Kind != tvmexport.FullRun { // readers of a full run see nothing of the runs before it
		p.Losses = f.plan.Losses
	}
	p.Steps, p.Rows = publicationSteps(f.all(), f.lacking, run.Table, f.plan.StepBytes)
	p.Partitions = vanished(recordsOf(f.all(), run), f.plan.Known, run, f.asked)
	return p
}
