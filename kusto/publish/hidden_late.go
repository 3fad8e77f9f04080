package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/views"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// lateSteps are the late steps of a publication.
func lateSteps(p tvmexport.Publication) []tvmexport.PublicationStep {
	var out []tvmexport.PublicationStep
	for _, s := range p.Steps {
		if s.Late != nil {
			out = append(out, s)
		}
	}
	return out
}

// showsLate checks, after the late steps were carried out, that they compared
// landed rows with the rows of readers as they are. The policies are read
// again, because one that was set since they were last read may have hidden
// rows from a step. A policy can also change values: then a row that is
// published still does not equal its landed record. In both cases a step
// publishes rows that readers have already, so the publication is given up.
func (c *Publisher) showsLate(ctx context.Context, p tvmexport.Publication, seen views.Source, into []target) error {
	late := lateSteps(p)
	if len(late) == 0 {
		return nil
	}
	policies, err := c.Visible.ReadPolicies(ctx, "publish", 0)
	if err != nil {
		return err
	}
	err = c.Visible.SeesUnder(ctx, policies, "publish", p.Run.Table.Name, append(seen.Tables(), p.Run.Table.Landing()))
	if err == nil {
		err = c.showsValues(ctx, policies, p, seen, late)
	}
	var why *tvmexport.Error
	if !errors.As(err, &why) || why.Action != tvmexport.Stop || why.Cause != tvmexport.Permission {
		return err
	}
	err = c.giveUp(ctx, p.Run, into, p.Rows, why.Err)
	var given *tvmexport.Error
	if errors.As(err, &given) && given.Cause == tvmexport.Integrity {
		given.Cause, given.Hint = why.Cause, why.Hint
	}
	return err
}

// showsValues is an error if a policy is active and readers see published rows
// with other values than those that landed.
func (c *Publisher) showsValues(ctx context.Context, policies visibility.Policies, p tvmexport.Publication, seen views.Source, late []tvmexport.PublicationStep) error {
	table := policies.First(seen.Tables())
	if table == "" {
		return nil
	}
	for _, step := range late {
		s := conn.Statement{
			Op: "publish", Table: p.Run.Table.Name, One: true,
			Text: lackingText(p.Run, step.Batches, *step.Late, seen, p.Shown) + "| summarize Rows = coalesce(sum(Lack), 0)",
		}
		rows, err := c.conn.Query(ctx, s)
		if err != nil {
			return err
		}
		counts, err := conn.ReadRows(s, rows, func(r *conn.Reader) int64 { return r.Count("Rows") })
		if err != nil {
			return err
		}
		if counts[0] > 0 {
			return visibility.HiddenError("publish", p.Run.Table.Name,
				fmt.Errorf("the policy %s of table %s changes values that this sign-in sees: %d published rows have changed values", visibility.RowSecurity, table, counts[0]),
				visibility.SecuredHint(table))
		}
	}
	return nil
}
