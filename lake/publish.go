package lake

import (
	"context"
	"errors"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/store"
)

// publisher makes files of landed batches, and commits them.
type publisher struct {
	*folder
	ledger  *ledger
	landing *landing
	reader  *reader
}

// publish implements tvmexport.Sink. First the run claims the next ordinal of its table: only
// one run can create the file of it. Then it writes the files, and notes them there.
func (p *publisher) publish(ctx context.Context, x tvmexport.Publication) (out tvmexport.Published, err error) {
	table := x.Run.Table.Name
	if err := checkName("publish", table); err != nil {
		return out, err
	}
	if _, err := p.understood(ctx, "publish", table); err != nil {
		return out, err
	}
	if err := p.describe(ctx, x.Run.Tenant); err != nil {
		return out, err
	}
	h, err := p.ledger.head(ctx, table)
	if err != nil {
		return out, err
	}
	if h.id() == x.Run.ID {
		return tvmexport.Published{Rows: h.last.Commit.Rows}, nil
	}
	if h.id() != x.Run.Previous {
		return out, superseded(x.Run, h.id())
	}
	for {
		r, etag, err := p.claim(ctx, h, x)
		if err != nil {
			return out, err
		}
		if r.State != claimed {
			if err := p.present(ctx, table, r); err != nil {
				return out, p.abandon(ctx, table, r, etag, err)
			}
			return tvmexport.Published{Rows: r.Publication.Rows}, nil
		}
		if err = p.fill(ctx, h, r, x); err != nil {
			p.discard(ctx, table, r)
			if !errors.Is(err, store.ErrNotFound) {
				return out, err
			}
			if err = p.abandon(ctx, table, r, etag, err); !raced(err) {
				return out, err
			}
			continue // another process has published the run meanwhile
		}
		r.State = written
		if err := p.ledger.save(ctx, table, r, etag); !raced(err) {
			return tvmexport.Published{Rows: x.Rows}, err
		}
		p.discard(ctx, table, r) // another process has written the files of the run
	}
}

// claim creates the file of the run's ordinal, or finds that of the run.
func (p *publisher) claim(ctx context.Context, h head, x tvmexport.Publication) (*runFile, string, error) {
	table := x.Run.Table.Name
	t := x.Run.Table
	fresh := &runFile{
		State: claimed, Ordinal: h.ordinal + 1, Header: x.Run.Header(), LoadType: t.LoadType, Destination: t.Destination,
		Columns: t.Columns, Shown: t.Visible(), Publication: x, Partitions: x.Partitions, Effect: x.Effect,
	}
	if h.last != nil {
		fresh.Before = h.last.after()
	}
	for {
		r, etag, err := p.ledger.run(ctx, table, fresh.Ordinal)
		switch {
		case err != nil:
			return nil, "", err
		case r == nil:
			err = p.write(ctx, runName(table, fresh.Ordinal), fresh, store.IfAbsent())
		case r.State == abandoned && r.Header.ID != x.Run.ID:
			err = p.ledger.save(ctx, table, fresh, etag)
		case r.State == abandoned:
			return nil, "", p.fail("publish", runName(table, r.Ordinal), table, errAbandoned)
		case r.Header.ID != x.Run.ID:
			return nil, "", superseded(x.Run, r.Header.ID)
		default:
			return r, etag, nil
		}
		if err != nil && !raced(err) {
			return nil, "", err
		}
	}
}

var errAbandoned = errors.New("the publication of the run was abandoned")

func superseded(run tvmexport.Run, by tvmexport.RunID) error {
	return &tvmexport.Error{
		Op: "publish", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.LeaseHeld,
		Err:  fmt.Errorf("run %s: %w (%s)", run.ID, tvmexport.ErrSuperseded, by),
		Hint: "run again: the next run builds on what that one published",
	}
}

// abandon gives up a publication whose files or batches are gone, so that another run can
// take its place.
func (p *publisher) abandon(ctx context.Context, table string, r *runFile, etag string, why error) error {
	r.State, r.Add, r.Remove = abandoned, nil, nil
	if err := p.ledger.save(ctx, table, r, etag); err != nil {
		return errors.Join(why, err)
	}
	return &tvmexport.Error{
		Op: "publish", Table: table, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
		Err:  fmt.Errorf("run %s cannot be published, and nothing of it is: %w", r.Header.ID, why),
		Hint: "run again: the next run fetches its rows",
	}
}

// present is an error if a file of the run is gone, or has another size.
func (p *publisher) present(ctx context.Context, table string, r *runFile) error {
	for _, a := range r.Add {
		i, err := p.store.Stat(ctx, p.table(table).File(a.Path))
		if err == nil && i.Size != a.Size {
			err = p.fail("publish", a.Path, table, fmt.Errorf("the file has %d bytes instead of %d", i.Size, a.Size))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// discard removes files that no run file names.
func (p *publisher) discard(ctx context.Context, table string, r *runFile) {
	ctx = context.WithoutCancel(ctx)
	for _, a := range r.Add {
		if err := p.store.Delete(ctx, p.table(table).File(a.Path)); err != nil {
			p.log.InfoContext(ctx, "lake: a file that nobody needs is not deleted", "file", a.Path, "error", err)
		}
	}
}

// commit implements tvmexport.Sink.
func (p *publisher) commit(ctx context.Context, c tvmexport.Commit) error {
	table := c.Run.Table.Name
	if err := checkName("commit", table); err != nil {
		return err
	}
	if _, err := p.understood(ctx, "commit", table); err != nil {
		return err
	}
	for {
		h, err := p.ledger.head(ctx, table)
		if err != nil {
			return err
		}
		if h.id() != c.Run.Previous {
			return p.counted(ctx, h, c.Run)
		}
		r, etag, err := p.ledger.run(ctx, table, h.ordinal+1)
		if err != nil {
			return err
		}
		if r == nil || r.Header.ID != c.Run.ID || r.State == abandoned || r.State == claimed {
			return &tvmexport.Error{
				Op: "commit", Table: table, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
				Err: fmt.Errorf("run %s is not published", c.Run.ID), Hint: "run again",
			}
		}
		if r.Commit == nil {
			if r.Commit, err = p.record(ctx, r, c); err != nil {
				return err
			}
			r.State = committed
			if c.Partitions != nil {
				r.Partitions = c.Partitions
			}
			if err := p.ledger.save(ctx, table, r, etag); raced(err) {
				continue
			} else if err != nil {
				return err
			}
		}
		done, err := p.table(table).Commit(ctx, h.snapshot, p.transaction(r, table))
		if errors.Is(err, delta.ErrConflict) { // other files hold the rows of before: another program has gathered them
			if err := p.again(ctx, c.Run, r.Ordinal, err); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		p.keep(table, done.Snapshot)
		// The run counts. What follows is completed by the next commit if it fails.
		if err := p.ledger.tell(ctx, table, r); err != nil {
			p.log.WarnContext(ctx, "lake: the ledger for readers lacks the newest run", "table", table, "error", err)
		}
		if err := p.landing.clear(ctx, c.Run); err != nil {
			p.log.WarnContext(ctx, "lake: batches that were published are still there", "table", table, "error", err)
		}
		return nil
	}
}

// again writes the files of a run again, on the newest version of its table.
func (p *publisher) again(ctx context.Context, run tvmexport.Run, ordinal int64, why error) error {
	table := run.Table.Name
	r, etag, err := p.ledger.run(ctx, table, ordinal)
	if err != nil {
		return err
	}
	if r == nil || r.Header.ID != run.ID || r.State != committed {
		return why
	}
	p.discard(ctx, table, r)
	r.State, r.Commit, r.Add, r.Remove = claimed, nil, nil, nil
	if err := p.ledger.save(ctx, table, r, etag); err != nil && !raced(err) {
		return err
	}
	x := r.Publication
	x.Partitions, x.Effect, x.Run.Table = r.Partitions, r.Effect, run.Table
	_, err = p.publish(ctx, x)
	return err
}

// counted is nil if the run is one of the committed ones.
func (p *publisher) counted(ctx context.Context, h head, run tvmexport.Run) error {
	for ordinal := h.ordinal; ordinal > 0; ordinal-- {
		r, _, err := p.ledger.run(ctx, run.Table.Name, ordinal)
		if err != nil {
			return err
		}
		if r != nil && r.Header.ID == run.ID {
			return nil
		}
	}
	return superseded(run, h.id())
}

func (p *publisher) record(ctx context.Context, r *runFile, c tvmexport.Commit) (*commitRecord, error) {
	at, err := p.now(ctx)
	if err != nil {
		return nil, err
	}
	if !at.After(r.Before.At) {
		at = r.Before.At.Add(tvmexport.Tick)
	}
	return &commitRecord{
		At: at, Owner: c.Owner, Rows: c.Rows, Bytes: c.Bytes, Calls: c.Calls, Losses: c.Losses,
		Gap: c.Gap, Effect: c.Effect, Unread: c.Unread, Unlike: c.Unlike,
	}, nil
}

// note is what a commit of the log says of its run.
type note struct {
	Run      tvmexport.RunID   `json:"run"`
	Previous tvmexport.RunID   `json:"previous,omitempty"`
	Kind     tvmexport.RunKind `json:"kind"`
	Rows     int64             `json:"rows"`
}

// transaction makes the commit of a run for the newest version of its table.
func (p *publisher) transaction(r *runFile, table string) func(context.Context, *delta.Snapshot) (delta.Transaction, error) {
	return func(_ context.Context, s *delta.Snapshot) (x delta.Transaction, err error) {
		x = delta.Transaction{Txn: delta.Txn{AppID: app(table), Version: r.Ordinal}, Add: r.Add, Remove: r.Remove, Operation: "WRITE"}
		have, err := s.Columns()
		if err != nil {
			return x, err
		}
		l, added := layoutOf(have, tvmexport.NameableColumns(r.Shown))
		if !s.Exists() || len(added) > 0 {
			if x.Metadata, err = p.metadata(table, s, l.columns); err != nil {
				return x, err
			}
		}
		if r.Header.Kind == tvmexport.FullRun {
			x.Remove = nil
			for a := range s.Files() {
				x.Remove = append(x.Remove, a.Path)
			}
		} else if r.LoadType != tvmexport.Snapshot {
			x.Remove = nil
			for a := range s.Files() {
				if groupIn(a) == nullGroup {
					x.Remove = append(x.Remove, a.Path)
				}
			}
		}
		x.Note, err = jsonOf(note{Run: r.Header.ID, Previous: r.Header.Previous, Kind: r.Header.Kind, Rows: r.Publication.Rows})
		return x, err
	}
}
