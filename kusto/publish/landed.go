package publish

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// whole are the batches of a table's last run that are known to be whole. What
// has landed stays, so their lines are not counted again.
type whole struct {
	run     tvmexport.RunID
	batches map[tvmexport.BatchID]tvmexport.Landed
	asked   time.Time // why nothing comes, the last time

	since     time.Time // when it was first counted
	slow      string    // what delays its batches
	askedSlow bool
}

// askEvery is how often a run that waits asks why nothing comes.
const askEvery = 10 * time.Second

// Landed implements tvmexport.Destination. While something is missing, it looks
// for causes that waiting does not fix: ingestion failures, and another run that
// publishes on the same base, whose commit empties the landing table.
func (c *Arrivals) Landed(ctx context.Context, run tvmexport.Run) (tvmexport.Delivery, error) {
	var d tvmexport.Delivery
	if err := conn.CheckNames(run.Table); err != nil {
		return d, err
	}
	known := c.wholeOf(run)
	s := conn.Statement{Op: "confirm", Table: run.Table.Name, Text: landedText(run, known), Scans: true}
	rows, err := c.conn.Ask(ctx, s)
	if err != nil {
		return d, err
	}
	var alien []unparsed
	counted, err := conn.ReadRows(s, rows, func(r *conn.Reader) tvmexport.Landed {
		l := tvmexport.Landed{Batch: tvmexport.BatchID(r.Text("BatchId")), Rows: r.Count("Rows"), Nulls: r.Count("Nulls")}
		if l.Lines = r.Long("Lines"); l.Lines != recounted {
			l.Lines = r.Count("Lines")
		}
		if l.Tail = r.Long("Tail"); l.Tail != tvmexport.Missing {
			l.Tail = r.Count("Tail")
		}
		if !strings.HasPrefix(string(l.Batch), string(run.ID)+".") {
			r.Fail("BatchId", fmt.Errorf("batch %.80q is not of run %s", l.Batch, run.ID))
		}
		if n := r.Count("Unparsed"); n > 0 {
			alien = append(alien, unparsed{batch: l.Batch, rows: n, line: r.Count("FirstUnparsed")})
		}
		return l
	})
	if err != nil {
		return d, err
	}
	if len(alien) > 0 {
		return d, c.explain(ctx, run, alien[0])
	}
	if !slices.ContainsFunc(counted, whollyThere) && c.askWhy(run) { // nothing more came in whole
		if err := c.outrun(ctx, run); err != nil {
			return d, err
		}
		if err := c.visible.SeesAll(ctx, "confirm", run.Table.Name, run.Table.Landing()); err != nil {
			return d, err
		}
		if d.Failed, err = c.failures(ctx, run); err != nil {
			return d, err
		}
	}
	d.Batches = c.remember(run, counted)
	d.Slow = c.slow(ctx, run)
	return d, nil
}

func whollyThere(l tvmexport.Landed) bool { return l.Nulls == 0 && l.Tail >= 0 && l.Complete(l.Tail) }

// recounted stands for Lines where only the rows of a batch were counted again.
const recounted = -1

// landedText counts lines exactly: a delivery that came twice has each line
// twice, and that must not hide one that is missing. Of batches known to be
// whole the rows are counted alone, which is much cheaper.
func landedText(run tvmexport.Run, known []tvmexport.BatchID) string {
	text := fmt.Sprintf(`%s
| where BatchId startswith_cs %s`, kql.Ident(run.Table.Landing()), kql.Literal(string(run.ID)+"."))
	exact := fmt.Sprintf(`
| summarize Copies = count(), Nulls = countif(%s), Unparsed = countif(%s), Announced = max(BatchRows) by BatchId, Line
| summarize Rows = sumif(Copies, Line > 0), Lines = countif(Line > 0), Nulls = sumif(Nulls, Line > 0), Tail = maxif(Announced, Line == 0),
    Unparsed = countif(Unparsed > 0), FirstUnparsed = minif(Line, Unparsed > 0) by BatchId
| project BatchId, Rows, Lines, Nulls, Tail = coalesce(Tail, %d), Unparsed, FirstUnparsed = coalesce(FirstUnparsed, 0)`, kql.SpoiledRecord, kql.UnreadRecord, tvmexport.Missing)
	if len(known) == 0 {
		return text + exact
	}
	return fmt.Sprintf(`let Landed = %s;
let Known = dynamic([%s]);
union (
Landed
| where BatchId !in (Known)%s
), (
Landed
| where BatchId in (Known)
| summarize Rows = countif(Line > 0) by BatchId
| project BatchId, Rows, Lines = long(%d), Nulls = long(0), Tail = long(0), Unparsed = long(0), FirstUnparsed = long(0)
)`, text, kql.Literals(known), exact, recounted)
}

// wholeOf lists the batches of the run that are known to be whole, and forgets
// those of an earlier run of the table.
func (c *Arrivals) wholeOf(run tvmexport.Run) []tvmexport.BatchID {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.counted[run.Table.Name]
	if w == nil || w.run != run.ID {
		w = &whole{run: run.ID, batches: map[tvmexport.BatchID]tvmexport.Landed{}, asked: time.Now(), since: time.Now()}
		c.counted[run.Table.Name] = w
	}
	list := make([]tvmexport.BatchID, 0, len(w.batches))
	for id := range w.batches {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

// remember keeps the complete batches, and fills in what is known of batches of
// which only the rows were counted.
func (c *Arrivals) remember(run tvmexport.Run, counted []tvmexport.Landed) []tvmexport.Landed {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.counted[run.Table.Name]
	if w == nil || w.run != run.ID { // another run of the table has begun
		return counted
	}
	for i := range counted {
		l := &counted[i]
		if known, ok := w.batches[l.Batch]; ok && l.Lines == recounted {
			l.Lines, l.Nulls, l.Tail = known.Lines, known.Nulls, known.Tail
		}
		if whollyThere(*l) {
			w.batches[l.Batch] = *l
		}
	}
	return counted
}

// forgetBatches drops what is known of the batches of a table.
func (c *Arrivals) forgetBatches(t tvmexport.Table) {
	c.mu.Lock()
	delete(c.counted, t.Name)
	c.mu.Unlock()
}

// askWhy says, at most every askEvery, that it is time to ask.
func (c *Arrivals) askWhy(run tvmexport.Run) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.counted[run.Table.Name]
	if w == nil || w.run != run.ID || time.Since(w.asked) < askEvery {
		return false
	}
	w.asked = time.Now()
	return true
}

// outrun is an error if another run publishes on the run's base.
func (c *Arrivals) outrun(ctx context.Context, run tvmexport.Run) error {
	claims, err := claimsOn(ctx, c.conn, run)
	if err != nil {
		return err
	}
	if holder, _ := holderOf(claims); holder != "" && holder != run.ID {
		return superseded(run, holder)
	}
	return nil
}

// failures asks whether ingestion into the landing table has failed permanently
// since the run began.
func (c *Arrivals) failures(ctx context.Context, run tvmexport.Run) (failed, err error) {
	s := conn.Statement{Op: "confirm", Table: run.Table.Name, Idempotent: true, Text: failuresText(run)}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		c.conn.Log.InfoContext(ctx, "kusto: ingestion failures cannot be read", "error", err)
		return nil, nil // the count decides; this only shortens the wait
	}
	type failure struct {
		at            time.Time
		code, details string
	}
	list, err := conn.ReadRows(s, rows, func(r *conn.Reader) failure {
		return failure{r.Time("FailedOn"), r.Text("ErrorCode"), r.Text("Details")}
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	hint := "nothing was published; " + conn.InitHint(run.Table.Name) + ", and check .show ingestion failures"
	if _, known, ok := conn.CauseNamed(list[0].code + " " + list[0].details); ok {
		hint = known
	}
	return &tvmexport.Error{
		Op: "confirm", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Rejected,
		Err:  fmt.Errorf("ingestion into %s failed permanently at %s: %s", run.Table.Landing(), list[0].at.Format(time.RFC3339Nano), answers.OneLine(list[0].code, 100)), // details may quote rows
		Hint: hint,
	}, nil
}

// failuresText is the command that shows the newest permanent ingestion failure
// of a run's landing table since the run started.
func failuresText(run tvmexport.Run) string {
	return fmt.Sprintf(`.show ingestion failures
| where Table == %s and FailedOn >= %s and FailureKind == "Permanent"
| project FailedOn, ErrorCode, Details
| top 1 by FailedOn desc`, kql.Literal(run.Table.Landing()), kql.Datetime(run.StartedAt))
}
