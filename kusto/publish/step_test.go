package publish

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
)

// A publishing command runs on the service by itself; its end is sorted alike.
func TestNamedCauseOfOperation(t *testing.T) {
	err := operationError(conn.Statement{Op: "publish", Table: "X"}, "Failed", "Failed to invoke update policy. Target Table = 'Other': gone", false)
	if tvmexport.ActionOf(err) != tvmexport.Stop || !strings.Contains(err.Error(), "policy update") {
		t.Error(err)
	}
}
