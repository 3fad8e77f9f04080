package publish

import (
	"context"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport/internal/gather"
	"github.com/tvmexport/tvmexport/kusto/conn"
)

// operationState is a row of .show operations about an operation.
type operationState struct {
	id, name, status string
	again            bool
}

// stateOf asks for the state of an operation; no row: the service does not know it.
func (c *operations) stateOf(ctx context.Context, id string) ([]operationState, error) {
	s := conn.Statement{
		Op: "publish", Idempotent: true,
		Text: fmt.Sprintf(".show operations %s | project State, Status, ShouldRetry", id),
	}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) operationState {
		return operationState{id: id, name: r.Text("State"), status: r.Text("Status"), again: r.Flag("ShouldRetry")}
	})
}

// statesTogether asks for the states of several operations.
func (c *operations) statesTogether(ctx context.Context, ids []string) []gather.Reply[[]operationState] {
	found, err := readList[struct {
		Id, State, Status string
		Again             *bool
	}](ctx, c.conn, conn.Statement{Op: "publish", Text: statesText(ids)})
	if err != nil {
		return conn.FailedTogether[[]operationState](err, "publish", len(ids), func(int) conn.Statement { return conn.Statement{Op: "publish"} })
	}
	out := make([]gather.Reply[[]operationState], len(ids))
	for i, id := range ids {
		var states []operationState
		for _, f := range found {
			if strings.EqualFold(f.Id, id) {
				states = append(states, operationState{id: id, name: f.State, status: f.Status, again: f.Again != nil && *f.Again})
			}
		}
		out[i] = gather.Done(states)
	}
	return out
}

// statesText is the command for the states of several operations.
func statesText(ids []string) string {
	return fmt.Sprintf(".show operations (%s)%s", strings.Join(ids, ", "),
		inOneRow("Id", "tostring(OperationId)", "State", "State", "Status", "Status", "Again", "ShouldRetry"))
}
