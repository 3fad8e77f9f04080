package setup

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Probe is one row's way through queued ingestion, into a table made for it.
type Probe struct {
	Table  string
	Create error // why the table could not be made; nothing else was tried then
	Ingest error // why the row did not arrive
	Remove error // why the table could not be dropped
	Took   time.Duration
}

// Probe makes a table shaped like a landing table, lets one row take the way
// that batches take, counts it there, and drops the table. name is one that no
// table has; wait bounds the wait for the row.
func (c *Prober) Probe(ctx context.Context, name string, wait time.Duration) Probe {
	t := tvmexport.Table{Name: name, Destination: name}
	p := Probe{Table: t.Landing()}
	began := time.Now()
	if p.Create = c.makeProbe(ctx, t); p.Create == nil {
		p.Ingest = c.sendProbe(ctx, t, wait)
	}
	p.Took = time.Since(began)
	if p.Create != nil && tvmexport.CauseOf(p.Create) == tvmexport.Permission {
		return p
	}
	// What was made is dropped also when the check was interrupted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_, p.Remove = c.conn.Command(ctx, conn.Statement{Op: "drop probe table", Text: c.DropProbe(p.Table), Idempotent: true})
	return p
}

// DropProbe is the command that drops a probe's table.
func (c *Prober) DropProbe(table string) string {
	return fmt.Sprintf(".drop table %s ifexists", kql.Ident(table))
}

// probeBatching is the shortest that the service takes
// (https://learn.microsoft.com/kusto/management/batching-policy).
const probeBatching = `{"MaximumBatchingTimeSpan":"00:00:10","MaximumNumberOfItems":1,"MaximumRawDataSizeMB":100}`

func (c *Prober) makeProbe(ctx context.Context, t tvmexport.Table) error {
	for _, text := range []string{
		TableCommand(t.Landing(), kql.LandingColumns, "made by tvmexport check, which drops it again").Text,
		mapping(t.Landing(), kql.LandingMapping, kql.LandingPaths, "").Text,
		fmt.Sprintf(".alter table %s policy ingestionbatching %s", kql.Ident(t.Landing()), kql.Literal(probeBatching)),
	} {
		if _, err := c.conn.Command(ctx, conn.Statement{Op: "init", Table: t.Landing(), Text: text, Idempotent: true}); err != nil && !exists(err) {
			return err
		}
	}
	c.installer.refreshBatching(ctx, []Command{{Kind: MakePolicy, Name: "ingestionbatching", Table: t.Landing()}})
	return nil
}

// sendProbe lands one row as a run lands a batch, and waits until it is there.
func (c *Prober) sendProbe(ctx context.Context, t tvmexport.Table, wait time.Duration) error {
	run := tvmexport.Run{ID: tvmexport.RunID(t.Name), Table: t, StartedAt: time.Now().Add(-time.Minute)}
	batch := tvmexport.Batch{ID: tvmexport.BatchID(t.Name + ".0001"), Run: run, Rows: 1}
	text := fmt.Sprintf("{\"r\":{\"Probe\":true},\"b\":%q,\"n\":1,\"p\":\"\"}\n{\"b\":%q,\"n\":0,\"c\":1,\"u\":%q}\n", batch.ID, batch.ID, run.ID)
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err := zip.Write([]byte(text))
	if err := errors.Join(err, zip.Close()); err != nil {
		return fmt.Errorf("pack the probe: %w", err)
	}
	batch.Bytes, batch.Data = int64(len(text)), bytes.NewReader(packed.Bytes())
	if err := conn.CheckNames(batch.Run.Table); err != nil {
		return err
	}
	if err := c.landing.LandNow(ctx, batch); err != nil {
		return err
	}
	deadline := time.Now().Add(wait)
	for pause := 250 * time.Millisecond; ; pause = min(pause*3/2, 5*time.Second) {
		delivery, err := c.landed(ctx, run)
		if err != nil {
			return err
		}
		for _, l := range delivery.Batches {
			if l.Complete(1) && l.Nulls == 0 {
				return nil
			}
		}
		if delivery.Failed != nil {
			return delivery.Failed
		}
		if time.Now().Add(pause).After(deadline) {
			return &tvmexport.Error{
				Op: "probe", Table: t.Landing(), Action: tvmexport.Stop, Cause: tvmexport.Integrity,
				Err:  fmt.Errorf("the row was accepted for ingestion and has not arrived within %s", wait),
				Hint: "check .show ingestion failures, and whether the cluster reaches its own storage (its managed private endpoints, its firewall)",
			}
		}
		if err := conn.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}
