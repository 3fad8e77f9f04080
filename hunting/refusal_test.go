package hunting

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
)

// Messages as Microsoft's pages and published captures have them.
func TestRefusalsSayWhatToDoNext(t *testing.T) {
	const (
		tooLarge  = "Query execution has exceeded the allowed result size. Optimize your query by limiting the amount of results and try again."
		tooLarge2 = "Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again"
		preempted = "Query execution has exceeded the allowed limits. The query execution was preempted. This could possibly be due to high CPU and/or memory resource consumption. Optimize your query by following best practices and try again."
		noTable   = "'where' operator: Failed to resolve table or column expression named 'EmailEvents'. Fix semantic errors in your query."
		syntax    = "Query operator expected.. Fix syntax errors in your query."
	)
	for _, tt := range []struct {
		status  int
		message string
		action  tvmexport.Action
		says    string
	}{
		{400, tooLarge, tvmexport.Split, "allowed result size"},
		{400, tooLarge2, tvmexport.Split, "allowed result size"},
		{200, tooLarge, tvmexport.Split, "allowed result size"},
		{400, preempted, tvmexport.Retry, "the query was pre-empted: "},
		{400, noTable, tvmexport.Stop, "not licensed"},
		{400, syntax, tvmexport.Stop, "Query operator expected"},
		{404, "", tvmexport.Stop, "2027-01-31"},
		{410, "", tvmexport.Stop, "2027-01-31"},
	} {
		e := meaning(defender.Refusal{Status: tt.status, Message: tt.message, Reason: errors.New(tt.message)})
		if e == nil || e.Action != tt.action || e.Cause != tvmexport.Rejected || !strings.Contains(e.Error(), tt.says) {
			t.Errorf("%d %.60s: %+v, want action %d and %q", tt.status, tt.message, e, tt.action, tt.says)
		}
	}
	for _, status := range []int{200, 401, 403, 413, 500, 502} {
		if e := meaning(defender.Refusal{Status: status, Message: syntax, Reason: errors.New(syntax)}); e != nil {
			t.Errorf("%d: %v, but it means the same to every API", status, e)
		}
	}
}

// The error of a refused query names the operation, the table, the permission where it
// lacks, and the request.
func TestRefusalsHaveNames(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusBadRequest: `fetch DeviceTvmSoftwareInventory: the query was refused: HTTP 400 Oops: No. [request 00000000-0000-0000-0000-000000000001] (the query is in the log at level debug)`,
		http.StatusForbidden:  `fetch DeviceTvmSoftwareInventory: HTTP 403 Oops: No. [request 00000000-0000-0000-0000-000000000001] (grant the application permission ThreatHunting.Read.All on Microsoft Graph with admin consent; if it is granted, the tenant's licence or a policy denies the call)`,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{reply: func(int, string) answer {
				return answer{status: status, body: `{"error":{"code":"Oops","message":"No.","innerError":{"request-id":"00000000-0000-0000-0000-000000000001"}}}`}
			}}
			table := slice
			table.Table.Columns = nil
			if _, err := s.client(t, nil).Fetch(t.Context(), table, discard{}); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}
