package contract

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Line is a line of a landed batch.
type Line struct {
	Row       json.RawMessage     `json:"r"`
	Batch     tvmexport.BatchID   `json:"b"`
	Number    int64               `json:"n"`
	Partition tvmexport.Partition `json:"p"`
	Rows      *int64              `json:"c"`
	Run       tvmexport.RunID     `json:"u"`
	Slice     json.RawMessage     `json:"s"`

	at time.Time // when it landed
}

// Destination is a tvmexport.Destination with a memory, on which one exporter
// at a time works. The zero value knows no orders.
type Destination struct {
	mu        sync.Mutex
	List      []tvmexport.Order
	landing   map[string][]Line
	published map[string][]Published
	steps     map[string]tvmexport.RunID // publication guard -> run
	pending   map[string]tvmexport.Publication
	commits   map[string][]tvmexport.Commit
	holders   map[string]tvmexport.LeaseHolder
	Audit     []tvmexport.Outcome
	audited   map[string]bool
	spent     map[string]spent
	leases    map[string]lease               // by owner: what it has ever held
	ended     map[string][]tvmexport.Outcome // by owner: what it said at its end
	typed     map[string][]tvmexport.Column  // of typed tables, as Fit has made them
	Lands     int
	Fitted    []tvmexport.Table            // what Fit was asked for
	Legacies  map[string]*tvmexport.Legacy // the other exporters of tables that were taken over
	Retention time.Duration                // of published rows; 0 is unknown
	// Ordered is, by table, a watermark in the configuration that no run has written.
	Ordered map[string]time.Time
	// Losses is, by table, what History says to be gone.
	Losses map[string]tvmexport.Losses
	// OnShape, if set, returns the number of the stored shape that another program has written.
	OnShape func() tvmexport.StoredShape
	// RecordsOnly: published rows do not say their run and partition.
	RecordsOnly bool
	times       map[tvmexport.RunID]time.Time // of commits
	// OnLand, if set, says how often a batch is delivered; 0 loses it.
	OnLand func(b tvmexport.Batch) int
	// OnPublish, if set, is asked before each step; its error is the answer.
	OnPublish func(p tvmexport.Publication, step int) error
	// OnFinish, if set, is asked before the audit is written; its error is the answer.
	OnFinish func(c tvmexport.InvocationEnd) error
}

// Published is a row of a published table.
type Published struct {
	Run       tvmexport.RunID
	Partition tvmexport.Partition
	Row       string
}

func (d *Destination) init() {
	if d.landing == nil {
		d.landing = map[string][]Line{}
		d.published = map[string][]Published{}
		d.steps = map[string]tvmexport.RunID{}
		d.pending = map[string]tvmexport.Publication{}
		d.commits = map[string][]tvmexport.Commit{}
		d.holders = map[string]tvmexport.LeaseHolder{}
		d.audited = map[string]bool{}
		d.spent = map[string]spent{}
		d.leases = map[string]lease{}
		d.ended = map[string][]tvmexport.Outcome{}
		d.typed = map[string][]tvmexport.Column{}
		d.times = map[tvmexport.RunID]time.Time{}
	}
}

// History implements tvmexport.Destination.
func (d *Destination) History(_ context.Context, tables []tvmexport.Table) (map[string]tvmexport.History, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	if err := understands(d.OnShape, "read ledger", ""); err != nil {
		return nil, err
	}
	out := map[string]tvmexport.History{}
	for _, t := range tables {
		h := tvmexport.History{Now: time.Now(), Lineage: !d.RecordsOnly, Retention: d.Retention, Legacy: d.Legacies[t.Name], Ordered: d.Ordered[t.Name], Losses: d.Losses[t.Name]}
		type part struct {
			partition tvmexport.Partition
			window    tvmexport.Window
		}
		effective := map[part]tvmexport.PartitionRecord{}
		for _, c := range d.commits[t.Name] {
			h.Last = &tvmexport.Committed{
				Effect:    &c.Effect,
				RunHeader: c.Run.Header(), StateAt: c.Run.StateAt, Watermark: c.Run.Watermark, Rows: c.Rows, Bytes: c.Bytes,
				Columns: c.Run.Table.Columns, Shown: c.Run.Table.Visible(),
				Destination: c.Run.Table.Destination, Losses: c.Losses, Gap: c.Gap, Unread: c.Unread, Unlike: c.Unlike,
			}
			if c.Run.Table.LoadType != tvmexport.Snapshot { // what counts is what the last run knows
				clear(effective)
			}
			if c.Run.Kind == tvmexport.FullRun {
				clear(effective)
				h.Depth, h.FullAt, h.Fetched = c.Run.Depth, d.times[c.Run.ID], tvmexport.Volume{}
			}
			h.Fetched.Rows += c.Rows
			h.Fetched.Bytes += c.Bytes
			h.Tenant = cmp.Or(h.Tenant, c.Run.Tenant)
			for _, r := range c.Partitions {
				effective[part{r.Partition, r.Window}] = r
			}
		}
		for _, r := range effective {
			h.Partitions = append(h.Partitions, r)
			h.TableRows += r.Rows
		}
		if t.LoadType != tvmexport.Snapshot {
			h.TableRows = int64(len(d.visible(t.Name)))
		}
		if p, ok := d.pending[t.Name]; ok {
			h.Publishing = &p
		}
		out[t.Name] = h
	}
	return out, nil
}

// Acquire implements tvmexport.Destination.
func (d *Destination) Acquire(_ context.Context, l tvmexport.Lease) (map[string]tvmexport.LeaseHolder, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	if err := understands(d.OnShape, "lease", ""); err != nil {
		return nil, err
	}
	d.spent[l.Owner] = spent{l.QuotaUsage, time.Now()}
	if len(l.Tables) == 0 {
		return nil, nil
	}
	held := map[string]tvmexport.LeaseHolder{}
	for _, t := range l.Tables {
		if by, ok := d.holders[t.Name]; ok && by.Owner != l.Owner && by.Expires.After(time.Now()) {
			held[t.Name] = by
			continue
		}
		d.holders[t.Name] = tvmexport.LeaseHolder{Owner: l.Owner, Expires: time.Now().Add(l.Term)}
	}
	own := d.leases[l.Owner]
	for _, t := range l.Tables {
		if _, taken := held[t.Name]; !taken && !slices.Contains(own.tables, t.Name) {
			own.tables = append(own.tables, t.Name)
		}
	}
	own.expires = time.Now().Add(l.Term)
	d.leases[l.Owner] = own
	return held, nil
}

// EndInvocation implements tvmexport.Destination.
func (d *Destination) EndInvocation(_ context.Context, c tvmexport.InvocationEnd) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	if understands(d.OnShape, "finish", "") != nil {
		return nil
	}
	for _, t := range c.Tables {
		if d.holders[t.Name].Owner == c.Owner {
			delete(d.holders, t.Name)
		}
	}
	own := d.leases[c.Owner]
	own.released = true
	d.leases[c.Owner] = own
	d.spent[c.Owner] = spent{c.QuotaUsage, time.Now()}
	if d.audited[c.Owner] {
		return nil
	}
	if len(c.Outcomes) > 0 {
		d.ended[c.Owner] = c.Outcomes
	}
	if d.OnFinish != nil {
		if err := d.OnFinish(c); err != nil {
			return err
		}
	}
	d.audited[c.Owner] = true
	d.Audit = append(d.Audit, c.Outcomes...)
	return nil
}

// Land implements tvmexport.Destination.
func (d *Destination) Land(_ context.Context, b tvmexport.Batch) error {
	var lines []Line
	if _, err := b.Data.Seek(0, io.SeekStart); err != nil {
		return err
	}
	z, err := gzip.NewReader(b.Data)
	if err != nil {
		return err
	}
	scan := bufio.NewScanner(z)
	scan.Buffer(nil, 4<<20)
	for scan.Scan() {
		var l Line
		if err := json.Unmarshal(scan.Bytes(), &l); err != nil {
			return fmt.Errorf("line %q: %w", scan.Text(), err)
		}
		lines = append(lines, l)
	}
	if err := scan.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	d.Lands++
	for i := range lines {
		lines[i].at = time.Now()
	}
	times := 1
	if d.OnLand != nil {
		times = d.OnLand(b)
	}
	for range times {
		d.landing[b.Run.Table.Name] = append(d.landing[b.Run.Table.Name], lines...)
	}
	return nil
}

// Landed implements tvmexport.Destination.
func (d *Destination) Landed(_ context.Context, run tvmexport.Run) (tvmexport.Delivery, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	byBatch := map[tvmexport.BatchID]*tvmexport.Landed{}
	seen := map[lineKey]bool{}
	var order []tvmexport.BatchID
	for _, l := range d.landing[run.Table.Name] {
		if !strings.HasPrefix(string(l.Batch), string(run.ID)+".") {
			continue
		}
		at := byBatch[l.Batch]
		if at == nil {
			at = &tvmexport.Landed{Batch: l.Batch, Tail: tvmexport.Missing}
			byBatch[l.Batch] = at
			order = append(order, l.Batch)
		}
		if l.Number == 0 {
			at.Tail = *l.Rows
			continue
		}
		at.Rows++
		if key := (lineKey{l.Batch, l.Number}); !seen[key] {
			seen[key] = true
			at.Lines++
		}
	}
	var out tvmexport.Delivery
	for _, id := range order {
		out.Batches = append(out.Batches, *byBatch[id])
	}
	return out, nil
}

// Publish implements tvmexport.Destination.
func (d *Destination) Publish(_ context.Context, p tvmexport.Publication) (tvmexport.Published, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	if err := understands(d.OnShape, "publish", p.Run.Table.Name); err != nil {
		return tvmexport.Published{}, err
	}
	table := p.Run.Table.Name
	if _, ok := d.pending[table]; !ok {
		d.pending[table] = p
	}
	for i, step := range p.Steps {
		if d.OnPublish != nil {
			if err := d.OnPublish(p, i); err != nil {
				return tvmexport.Published{}, err
			}
		}
		guard := fmt.Sprintf("%s:%s:%d", table, p.Run.Previous, i)
		if by, done := d.steps[guard]; done {
			if by != p.Run.ID {
				return tvmexport.Published{}, tvmexport.ErrSuperseded
			}
			continue
		}
		d.steps[guard] = p.Run.ID
		have := d.contents(table, p.Run)
		for _, l := range d.lines(table, step.Batches) {
			row := string(l.Row)
			if step.Late != nil && have[row] > 0 {
				have[row]--
				continue
			}
			d.published[table] = append(d.published[table], Published{p.Run.ID, l.Partition, row})
		}
	}
	var out tvmexport.Published
	for _, r := range d.published[table] {
		if r.Run == p.Run.ID {
			out.Rows++
		}
	}
	return out, nil
}

// Commit implements tvmexport.Destination.
func (d *Destination) Commit(_ context.Context, c tvmexport.Commit) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	if err := understands(d.OnShape, "commit", c.Run.Table.Name); err != nil {
		return err
	}
	table := c.Run.Table.Name
	delete(d.pending, table)
	for _, old := range d.commits[table] {
		if old.Run.ID == c.Run.ID {
			return nil
		}
	}
	d.commits[table] = append(d.commits[table], c)
	d.times[c.Run.ID] = time.Now()
	return nil
}

// Current is what readers of a table see: the rows of the newest full run and
// of the runs behind it. Runs of a Snapshot behind it replace the partitions
// that they record.
func (d *Destination) Current(table string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, r := range d.visible(table) {
		out = append(out, r.Row)
	}
	return out
}

// Commits are the commit records of a table, oldest first.
func (d *Destination) Commits(table string) []tvmexport.Commit {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.commits[table])
}

var _ tvmexport.CompleteDestination = (*Destination)(nil)

// PublishedBy counts the rows of a run in the published table.
func (d *Destination) PublishedBy(table string, run tvmexport.RunID) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, r := range d.published[table] {
		if r.Run == run {
			n++
		}
	}
	return n
}
