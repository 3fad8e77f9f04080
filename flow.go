package tvmexport

import (
	"context"
	"fmt"
	"time"
)

// Steps are what a run is made of. Their inputs and outputs are plain values,
// and each can be repeated. The flow below drives them and knows neither
// goroutines nor a network; an engine carries them out.
type Steps interface {
	// Count asks the source how rows are spread.
	Count(ctx context.Context, q CountQuery) (Counts, error)
	// FetchAndLand asks for each slice and lands its rows as a batch. The
	// outcomes come in the order of the inputs. An error ends the run.
	FetchAndLand(ctx context.Context, in []FetchInput) ([]FetchOutcome, error)
	// Confirm waits until the batches have landed whole and returns those
	// that did not within the time allowed.
	Confirm(ctx context.Context, run Run, batches []BatchInfo) (missing []BatchID, err error)
	Publish(ctx context.Context, p Publication) (rows int64, err error)
	Commit(ctx context.Context, c Commit) error
}

// FetchInput is one call and the batch that its rows become.
type FetchInput struct {
	Run   Run
	Slice Slice
	Batch BatchID
}

// FetchOutcome is what became of a FetchInput: a batch, or TooLarge.
type FetchOutcome struct {
	Batch    BatchInfo
	TooLarge bool  // the call cannot be answered in one piece; Why says how that showed
	Why      error // with TooLarge
	Bytes    int64 // of the answer's JSON
	Nulled   int64 // values of the answer that did not fit their type
	Calls    int
}

// BatchInfo is what the flow remembers of a batch.
type BatchInfo struct {
	ID    BatchID
	Slice Slice
	Rows  int64
	Bytes int64 // uncompressed, as landed

	Counts []int64 // rows per partition of the slice; all in the first where it is by row hash
}

// Plan is the input of a run's flow.
type Plan struct {
	Run      Run
	Limits   Limits
	RowBytes float64 // learned size of a row's JSON; 0 if nothing was learned yet
	Last     int64   // rows of the last committed run; 0 if unknown
	Known    []PartitionRecord
	Lag      time.Duration // how far the watermark stays behind the source's clock
	Until    time.Time     // upper end of the window as ordered; zero: the source's clock less Lag
}

// Progress is what a run has done, also when it failed.
type Progress struct {
	Run     Run
	Rows    int64 // published
	Fetched int64 // rows in confirmed batches
	Bytes   int64 // of source JSON
	Nulled  int64 // values that did not fit the type that the source declares, and are null
	Calls   int   // made to the source
	Slices  int
}

// flow brings one table forward: count, cut, fetch and land, confirm, publish, commit.
func flow(ctx context.Context, s Steps, plan Plan, h *Hooks) (Progress, error) {
	f := &fetching{plan: plan, steps: s, hooks: h, records: map[recordKey]int64{}, oneKey: map[Partition]bool{}, progress: Progress{Run: plan.Run}}
	if err := f.count(ctx); err != nil {
		return f.progress, err
	}
	if err := f.fetchAll(ctx); err != nil {
		return f.progress, err
	}
	if err := f.confirm(ctx); err != nil {
		return f.progress, err
	}
	pub := f.publication()
	err := finish(ctx, s, pub, &f.progress, h)
	return f.progress, err
}

// finish publishes and commits. It is also how a later run completes what an
// earlier one began to publish.
func finish(ctx context.Context, s Steps, pub Publication, p *Progress, h *Hooks) error {
	rows, err := s.Publish(ctx, pub)
	if err != nil {
		return err
	}
	if rows != pub.Rows {
		return &Error{
			Op: "publish", Table: pub.Run.Table.Name, Action: Stop, Cause: Unproven,
			Err:  fmt.Errorf("%d rows are in %s where %d were confirmed (run %s)", rows, pub.Run.Table.Destination, pub.Rows, pub.Run.ID),
			Hint: "the run was not committed; run again, and if it repeats look for rows deleted from the landing table",
		}
	}
	h.published(pub.Run, rows)
	err = s.Commit(ctx, Commit{
		Run: pub.Run, Rows: rows, Bytes: pub.Bytes, Calls: pub.Calls, Partitions: pub.Partitions,
	})
	if err != nil {
		return err
	}
	p.Run, p.Rows = pub.Run, rows
	h.committed(pub.Run, rows)
	return nil
}

// fetching is the state of a run between plan and publication.
type fetching struct {
	plan     Plan
	steps    Steps
	hooks    *Hooks
	progress Progress

	pieces  []Piece // counted, not yet cut
	ready   []Slice // cut, not yet asked for
	batches []BatchInfo
	records map[recordKey]int64
	next    int     // ordinal of the next batch
	size    float64 // JSON bytes a row, the largest mean seen; 0 while unknown
	total   int64

	oneKey map[Partition]bool // partitions whose rows all have the same key
}

type recordKey struct {
	window    Window
	partition Partition
}

// count makes the plan: how many rows lie where, by one call.
func (f *fetching) count(ctx context.Context) error {
	run := &f.plan.Run
	q := CountQuery{Table: run.Table, Window: run.Window, Depth: maxDepth}
	if f.plan.Last > 0 {
		q.Depth = max(DepthFor(f.plan.Last, f.plan.Limits.Rows), 1)
	}
	if run.Table.Watermark != "" && run.Table.LoadType != Snapshot {
		q.Bin, q.Nulls = time.Hour, true
	}
	if run.Table.Key.isRow() {
		q.Within, q.Depth = Whole.ByRowHash(), 2
	}
	counts, err := f.steps.Count(ctx, q)
	if err != nil {
		return err
	}
	f.progress.Calls += counts.Calls
	f.size = f.plan.RowBytes
	switch {
	case q.Bin > 0 && timeless(counts.Parts) && run.Window.From.IsZero():
		// The service keeps no time for this table, so that nothing can be
		// told from before: each run is a full one.
		run.Kind = FullRun
		f.pieces = []Piece{{Rows: counts.Parts[0].Rows}}
	case q.Bin > 0:
		f.closeWindow(counts.Now)
		f.pieces = tile(counts.Parts, run.Window, q.Within, q.Bin)
	default:
		f.pieces = piecesOf(counts.Parts, run.Window)
		var rows int64
		for _, p := range f.pieces {
			rows += p.Rows
		}
		depth := q.Depth
		if q.Within == Whole {
			depth = min(q.Depth, DepthFor(rows, f.plan.Limits.Rows))
			f.pieces = Coarsen(f.pieces, depth)
		}
		f.pieces = Complete(f.pieces, q.Within, run.Window, depth)
	}
	for _, p := range f.pieces {
		f.total += p.Rows
	}
	f.progress.Run = *run
	f.hooks.planned(*run, f.total, int(f.total/f.budget())+1)
	return nil
}

// timeless says whether every row counted lacks a watermark.
func timeless(parts []Count) bool { return len(parts) == 1 && parts[0].Start.IsZero() }

// closeWindow sets the window's upper end: by the source's clock, less the lag
// that late rows are given, and never before its lower end.
func (f *fetching) closeWindow(now time.Time) {
	run := &f.plan.Run
	to := now.Add(-f.plan.Lag).Truncate(Tick)
	if !f.plan.Until.IsZero() && f.plan.Until.Before(to) {
		to = f.plan.Until
	}
	if to.Before(run.Window.From) {
		to = run.Window.From
	}
	run.Window.To, run.Watermark = to, to
}

func piecesOf(parts []Count, w Window) []Piece {
	out := make([]Piece, 0, len(parts))
	for _, c := range parts {
		out = append(out, Piece{Window: w, Partition: c.Partition, Rows: c.Rows, OneKey: c.OneKey})
	}
	return out
}

func (f *fetching) budget() int64 {
	size := f.size
	if size == 0 {
		size = float64(f.plan.Run.Table.RowBytes)
	}
	if size == 0 {
		size = DefaultRowBytes
	}
	return f.plan.Limits.rowsPerCall(size)
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

func (f *fetching) round(ctx context.Context, slices []Slice) error {
	in := make([]FetchInput, len(slices))
	for i, s := range slices {
		f.next++
		in[i] = FetchInput{Run: f.plan.Run, Slice: s, Batch: BatchID(fmt.Sprintf("%s.%04d", f.plan.Run.ID, f.next))}
	}
	outcomes, err := f.steps.FetchAndLand(ctx, in)
	for i, o := range outcomes {
		f.progress.Calls += o.Calls
		f.progress.Bytes += o.Bytes
		f.progress.Nulled += o.Nulled
		switch {
		case o.TooLarge:
			if err := f.split(ctx, slices[i], o.Why); err != nil {
				return err
			}
		case o.Batch.ID != "":
			f.keep(o)
		}
	}
	return err
}

func (f *fetching) keep(o FetchOutcome) {
	f.batches = append(f.batches, o.Batch)
	f.progress.Slices++
	for i, n := range o.Batch.Counts {
		f.records[recordKey{o.Batch.Slice.Window, o.Batch.Slice.Partitions[i].Base()}] += n
	}
	if o.Batch.Rows > 0 {
		// The largest mean seen: a slice of longer rows than the average must still fit.
		f.size = max(f.size, float64(o.Bytes)/float64(o.Batch.Rows))
	}
}

// split puts a slice that was too large back in smaller parts.
func (f *fetching) split(ctx context.Context, s Slice, why error) error {
	f.hooks.splitting(f.plan.Run, s, why)
	if a, b, ok := s.Halves(); ok {
		f.ready = append(f.ready, a, b)
		return nil
	}
	finer, err := f.refine(ctx, Piece{Window: s.Window, Partition: s.Partitions[0], Rows: s.Rows})
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

// refine counts a piece that one call cannot carry more finely: in steps of
// time while it is wider than a second, then by the digits of the key, and
// where one key holds all its rows by the hash of the whole row.
func (f *fetching) refine(ctx context.Context, p Piece) ([]Piece, error) {
	q := CountQuery{
		Table: f.plan.Run.Table, Window: p.Window, Within: p.Partition,
		Depth: max(1, DepthFor(p.Rows, f.plan.Limits.Rows)),
	}
	if width := p.Window.width(); width > narrow {
		q.Bin = max(time.Second, (width / 60).Truncate(time.Second))
	}
	row, hashed := p.Partition.RowHash()
	if q.Bin == 0 && (p.OneKey || f.oneKey[p.Partition] || p.Partition.Depth() >= maxKeyDigits || p.Partition.Rest()) && !hashed {
		q.Within = p.Partition.ByRowHash()
	}
	if len(row) >= maxRowDigits {
		return nil, &Error{
			Op: "plan", Table: q.Table.Name, Action: Stop, Cause: Refused,
			Err:  fmt.Errorf("more than %d identical rows (partition %s): no query can tell them apart", f.plan.Limits.Rows, p.Partition),
			Hint: "look at the table in the portal for a fault in the data",
		}
	}
	counts, err := f.steps.Count(ctx, q)
	if err != nil {
		return nil, err
	}
	f.progress.Calls += counts.Calls
	if q.Bin > 0 {
		return tile(counts.Parts, p.Window, p.Partition, q.Bin), nil
	}
	pieces := piecesOf(counts.Parts, p.Window)
	for _, p := range pieces {
		if p.OneKey {
			f.oneKey[p.Partition] = true
		}
	}
	return Complete(pieces, q.Within, p.Window, q.Depth), nil
}

const (
	maxKeyDigits = 64 // of a SHA-256; a DeviceId has 40
	maxRowDigits = 8
)

// confirmAttempts is how often a batch that does not land is fetched again.
const confirmAttempts = 3

// confirm waits for the batches, and fetches those again that never landed.
func (f *fetching) confirm(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		missing, err := f.steps.Confirm(ctx, f.plan.Run, f.batches)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			break
		}
		if attempt == confirmAttempts {
			return &Error{
				Op: "confirm", Table: f.plan.Run.Table.Name, Action: Stop, Cause: Unproven,
				Err:  fmt.Errorf("%d of %d batches have not landed after %d attempts, %s among them", len(missing), len(f.batches), attempt, missing[0]),
				Hint: "nothing was published; look at .show ingestion failures for the table " + f.plan.Run.Table.Landing(),
			}
		}
		f.drop(missing)
		if err := f.fetchAll(ctx); err != nil {
			return err
		}
	}
	for _, b := range f.batches {
		f.progress.Fetched += b.Rows
	}
	return nil
}

// drop forgets batches and puts their slices back.
func (f *fetching) drop(ids []BatchID) {
	gone := make(map[BatchID]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	kept := f.batches[:0]
	for _, b := range f.batches {
		if !gone[b.ID] {
			kept = append(kept, b)
			continue
		}
		for i, p := range b.Slice.Partitions {
			f.records[recordKey{b.Slice.Window, p.Base()}] -= b.Counts[i]
		}
		f.ready = append(f.ready, b.Slice)
	}
	f.batches = kept
}

// publication gathers the confirmed batches into steps.
func (f *fetching) publication() Publication {
	p := Publication{Run: f.plan.Run, Bytes: f.progress.Bytes, Calls: f.progress.Calls}
	p.Steps, p.Rows = publicationSteps(f.batches)
	p.Partitions = recordsOf(f.records, f.plan.Known, f.plan.Run.Kind == FullRun)
	return p
}
