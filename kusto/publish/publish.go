package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// Publish implements tvmexport.Destination. First the run claims its base. A key
// of the table and the previous run guards the publishing row: only one run can
// write it, and later runs find out what they have to complete. Then each step is
// one command for each target table, guarded in the same way. The tags of the
// extents that it made show its result. Each table must hold what was confirmed.
func (c *Publisher) Publish(ctx context.Context, p tvmexport.Publication) (tvmexport.Published, error) {
	if err := conn.CheckNames(p.Run.Table); err != nil {
		return tvmexport.Published{}, err
	}
	into, err := c.targets(ctx, p)
	if err != nil {
		return tvmexport.Published{}, err
	}
	base, fresh, err := c.claimBase(ctx, p)
	if err != nil {
		return tvmexport.Published{}, err
	}
	done := make([]extents, len(into))
	if !fresh && len(p.Steps) > 0 {
		if done, err = c.operations.publishedIn(ctx, p.Run, into); err != nil {
			return tvmexport.Published{}, err
		}
		if err := c.checkLanding(ctx, p, base, into, done); err != nil {
			return tvmexport.Published{}, err
		}
	}
	seen, err := c.seenBy(ctx, p)
	if err != nil {
		return tvmexport.Published{}, err
	}
	if len(lateSteps(p)) > 0 {
		// What is published is what readers lack at this moment: a policy may have come since the run began.
		if err := c.Visible.SeesAllNow(ctx, "publish", p.Run.Table.Name, seen.Tables()...); err != nil {
			return tvmexport.Published{}, err
		}
	}
	a := attempt{Publication: p, base: base, into: into, seen: seen}
	defer c.ledger.Forget(p.Run.Table)
	for ordinal := range p.Steps {
		if err := c.fill(ctx, a, ordinal, done); err != nil {
			return tvmexport.Published{}, err
		}
	}
	if err := c.showsLate(ctx, p, seen, into); err != nil {
		return tvmexport.Published{}, err
	}
	// What does not fit its type is counted at the same time.
	out := tvmexport.Published{Rows: p.Rows}
	var rows int64
	var g errgroup.Group
	g.Go(func() (err error) {
		rows, err = c.allProven(ctx, a)
		return err
	})
	g.Go(func() error {
		out.Unread, out.Notes = c.nulled(ctx, p, into)
		return nil
	})
	if err := g.Wait(); err != nil {
		return tvmexport.Published{Rows: rows}, err
	}
	return out, nil
}

// fill carries out a step for each table that does not have it yet, at the same time. A
// late row is one that the table of the readers does not have yet. So with late rows that
// table comes last: all tables get the same rows.
func (c *Publisher) fill(ctx context.Context, a attempt, ordinal int, done []extents) error {
	var g errgroup.Group // without a common context: a failure of one table does not end the command of another one
	for i, t := range a.into {
		if done[i].has(t.key(a.base, ordinal)) {
			continue
		}
		if a.Steps[ordinal].Late == nil {
			g.Go(func() error { return c.step(ctx, a, ordinal, t) })
		} else if err := c.step(ctx, a, ordinal, t); err != nil {
			return err
		}
	}
	return g.Wait()
}

// attempt is one call of Publish: the publication, the base that it claimed, and
// the tables that it fills and that readers see.
type attempt struct {
	tvmexport.Publication
	base base
	into []target
	seen views.Source
}

// allProven counts the rows of the publication in each of its tables, at the same
// time. A publication without steps has no rows anywhere.
func (c *Publisher) allProven(ctx context.Context, a attempt) (int64, error) {
	if len(a.Steps) == 0 && a.Rows == 0 {
		return 0, nil
	}
	done, err := c.operations.publishedIn(ctx, a.Run, a.into)
	if err != nil {
		return 0, err
	}
	for i, t := range a.into {
		if rows, err := c.proven(ctx, a, t, done[i]); err != nil {
			return rows, err
		}
	}
	return a.Rows, nil
}

// proven compares the rows of the publication in a table, after its steps have run,
// with those that were confirmed.
func (c *Publisher) proven(ctx context.Context, a attempt, t target, done extents) (int64, error) {
	for i, s := range a.Steps {
		if s.Rows > 0 && !done.has(t.key(a.base, i)) {
			return done.rows, c.unsettled(ctx, a, t, t.key(a.base, i), done)
		}
	}
	if done.rows != a.Rows {
		// A command ran twice, or rows were deleted. Finishing the publication
		// would not correct it.
		return done.rows, c.giveUp(ctx, a.Run, a.into, done.rows, fmt.Errorf("%d rows of it are in %s, but %d were confirmed", done.rows, t.Table, a.Rows))
	}
	return done.rows, nil
}

// base is the base of a publication: the table and the previous run, and the
// publication that was given up on the same base, if any.
type base struct {
	Table    string
	Previous tvmexport.RunID
	Instead  tvmexport.RunID // of an abandoned publication
	lost     int             // claims whose rows were deleted from the ledger; they have guards of their own
	apart    tvmexport.RunID // a run whose steps have guards of their own; "" if they are those of the base
}

// label begins the guards of the base. It depends only on what the process reads, too,
// that finishes the publication.
func (b base) label() string {
	previous := string(b.Previous)
	if previous == "" {
		previous = "none"
	}
	if b.Instead != "" {
		previous += "~" + string(b.Instead)
	}
	return "tvmexport:" + b.Table + ":" + previous
}

// key guards the step of that ordinal.
func (b base) key(step int) string {
	if b.apart != "" {
		return fmt.Sprintf("%s@%s:%d", b.label(), b.apart, step)
	}
	return fmt.Sprintf("%s:%d", b.label(), step)
}

// claimKey guards the publishing row.
func (b base) claimKey() string {
	if b.lost > 0 {
		return fmt.Sprintf("%s+%d:claim", b.label(), b.lost)
	}
	return b.label() + ":claim"
}

// claimBase writes the publishing row, or finds it written. fresh says that it
// is written by this call, so that nothing of the publication can be there yet.
func (c *Publisher) claimBase(ctx context.Context, p tvmexport.Publication) (b base, fresh bool, err error) {
	if err := c.ledger.WritePartitions(ctx, "publish", p.Run, p.Partitions); err != nil {
		return b, false, err
	}
	b = base{Table: p.Run.Table.Name, Previous: p.Run.Previous}
	row := ledger.RecordOf(p.Run, kql.PublishingState)
	row.Rows, row.Bytes, row.Calls = p.Rows, p.Bytes, p.Calls
	// Each round passes one publication that was given up on this base.
	write := c.conn.Append
	for range 100 {
		if p.Apart {
			b.apart = p.Run.ID
		}
		if row.Detail, err = kql.Document(p); err != nil {
			return b, false, conn.RefusedError("publish", p.Run.Table.Name, fmt.Errorf("describe the publication: %w", err), "export the table in smaller windows")
		}
		if fresh, err = write(ctx, row.Append("publish", b.claimKey())); err != nil {
			return b, false, err
		}
		write = c.conn.AppendAlone // with the guard of another claim
		// The guard may have let two in: what the ledger says decides.
		claims, err := claimsOn(ctx, c.conn, p.Run)
		if err != nil {
			return b, false, err
		}
		holder, instead := holderOf(claims)
		passed := instead != b.Instead // the guard is that of a publication which was given up
		b.Instead = instead
		switch holder {
		case p.Run.ID:
			c.noteClaim(p.Run, claims)
			return b, fresh, nil
		case "":
			if err := c.Visible.SeesAllNow(ctx, "publish", p.Run.Table.Name, kql.RunsTable); err != nil {
				return b, false, err
			}
			if !fresh && !passed {
				// The guard knows of a claim that the ledger does not hold. Steps of that
				// run may be there, so those of this one need guards of their own.
				b.lost++
				p.Apart = true
			}
		default:
			return b, false, superseded(p.Run, holder)
		}
	}
	return b, false, conn.RefusedError("publish", p.Run.Table.Name, errors.New("the ledger rejects the publication"), "check the rows of "+kql.RunsTable)
}

// noteClaim remembers the run's claim, which is one of those that were read.
func (c *Publisher) noteClaim(run tvmexport.Run, claims []claimed) {
	i := slices.IndexFunc(claims, func(l claimed) bool { return l.is(run.ID, kql.PublishingState) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claims[run.Table.Name] = claims[i]
}

func superseded(run tvmexport.Run, by tvmexport.RunID) error {
	return &tvmexport.Error{
		Op: "publish", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.LeaseHeld,
		Err:  fmt.Errorf("run %s: %w (%s)", run.ID, tvmexport.ErrSuperseded, by),
		Hint: "run again: the next run builds on what that one published",
	}
}

// claimed is a publishing or abandoned row on a base.
type claimed struct {
	Run   tvmexport.RunID
	State string
	Seen  time.Time // when it could be seen first
}

func (c claimed) is(run tvmexport.RunID, state string) bool { return c.Run == run && c.State == state }

// claimsOn reads the publishing and abandoned rows on the run's base, in the
// order in which they could be seen: a command that began early may end late. It is
// an error if a newer program has raised the number of the stored shape.
func claimsOn(ctx context.Context, to *conn.Conn, run tvmexport.Run) ([]claimed, error) {
	s := conn.Statement{Op: "publish", Table: run.Table.Name, Text: claimsText(run)}
	rows, err := to.Ask(ctx, s)
	if err != nil {
		return nil, err
	}
	var found ledger.Numbers
	var claims []claimed
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		if !found.Read(r, "Seen") {
			claims = append(claims, claimed{tvmexport.RunID(r.Text("RunId")), r.Text("State"), r.Time("Seen")})
		}
		return struct{}{}
	})
	if err == nil {
		err = found.Highest().Beyond(s.Op, run.Table.Name, ledger.Shape)
	}
	return claims, err
}

// claimsText is the query for the claims on the base of a run, the earliest first,
// and for the numbers of the stored shape.
func claimsText(run tvmexport.Run) string {
	return fmt.Sprintf(`union (
%s
| where Table == %s and Previous == %s and State in (%s)
| project Seen = coalesce(ingestion_time(), At), RunId, State, Owner = "", Shape = long(null)
), (
%s
| project Seen = At, RunId = "", State = "", Owner, Shape
)
| order by Seen asc, RunId asc`, kql.RunsTable, kql.Literal(run.Table.Name), kql.Literal(string(run.Previous)), kql.Literals([]string{kql.PublishingState, kql.AbandonedState}), ledger.NumbersText)
}

// holderOf is the run that holds a base: the earliest publication that was not given
// up. instead is the last one that was, "" if none.
func holderOf(list []claimed) (holder, instead tvmexport.RunID) {
	for _, c := range list {
		if c.State == kql.AbandonedState {
			instead = c.Run
		}
	}
	for _, c := range list {
		if c.State == kql.PublishingState && !slices.ContainsFunc(list, func(o claimed) bool { return o.is(c.Run, kql.AbandonedState) }) {
			return c.Run, instead
		}
	}
	return "", instead
}

// unsettled says why a step that was carried out left nothing behind. Where
// another run that never committed holds the step, neither can be finished:
// this one is given up, and the base becomes free.
func (c *Publisher) unsettled(ctx context.Context, a attempt, t target, key string, done extents) error {
	other, err := c.operations.extents(ctx, a.Run, t, kql.KeyTag(key))
	if err != nil {
		return err
	}
	for tag := range other.tags {
		by, ok := strings.CutPrefix(tag, kql.RunTag(""))
		if !ok || by == string(a.Run.ID) {
			continue
		}
		counts, err := c.ledger.IsCommitted(ctx, a.Run.Table.Name, tvmexport.RunID(by))
		if err != nil {
			return err
		}
		if counts {
			return superseded(a.Run, tvmexport.RunID(by))
		}
		return c.giveUp(ctx, a.Run, a.into, done.rows, fmt.Errorf("run %s, which never committed, has published a part of %s on the same base", by, t.Table))
	}
	return c.giveUp(ctx, a.Run, a.into, done.rows, fmt.Errorf("a publishing command of it left no rows in %s", t.Table))
}
