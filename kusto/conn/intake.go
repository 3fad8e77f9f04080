package conn

import (
	"context"
	"fmt"

	"github.com/Azure/azure-kusto-go/azkustodata/query"

	"github.com/tvmexport/tvmexport"
)

// AskStrings sends a command to the ingestion endpoint, reads string columns, and
// returns the rows that check keeps. An answer that check refuses is requested
// again, like one that failed.
func (c *Conn) AskStrings(ctx context.Context, s Statement, check func(rows [][]string) ([][]string, error), columns ...string) (kept [][]string, err error) {
	_, err = c.execute(ctx, c.Intake, s, func(ctx context.Context) ([]query.Row, error) {
		data, err := c.Intake.client.Mgmt(ctx, "NetDefaultDB", stmt(s.Text))
		if err != nil {
			return nil, err
		}
		rows, err := s.rows(data.Tables())
		if err != nil {
			return nil, err
		}
		found, err := texts(rows, columns)
		if err == nil {
			found, err = check(found)
		}
		if err != nil { // values are secrets: none is quoted
			return nil, &tvmexport.Error{
				Op: s.Op, Table: s.Table, Action: tvmexport.Retry,
				Err:  fmt.Errorf("the answer of %s %s to %s cannot be used for uploads: %w", c.Intake.setting, c.Intake.URI, s.Text, err),
				Hint: "check that kusto.ingest is the ingestion URI from the cluster's page in the portal, not the query URI, and that no proxy or gateway alters answers",
			}
		}
		kept = found
		return nil, nil
	})
	return kept, err
}

// texts are the values of string columns.
func texts(rows []query.Row, columns []string) ([][]string, error) {
	out := make([][]string, len(rows))
	for i, row := range rows {
		for _, name := range columns {
			v, err := row.StringByName(name)
			if err != nil {
				return nil, fmt.Errorf("column %s is missing or is not a string", name)
			}
			out[i] = append(out[i], v)
		}
	}
	return out, nil
}
