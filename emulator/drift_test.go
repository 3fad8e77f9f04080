package emulator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator"
)

// A drift shows on all three fronts, in getschema and in the truth.
func TestDriftShowsEverywhere(t *testing.T) {
	const table = "DeviceTvmSoftwareInventory"
	_, p := newEmulator(t, emulator.Options{})
	status, body := p.post(p.at.Control+"/drift", "", map[string]any{
		"table": table, "add": map[string]string{"name": "NewColumn", "type": "long"},
	})
	if status != 200 || !strings.HasSuffix(strings.TrimSpace(string(body)), `{"name":"NewColumn","type":"long"}]}`) {
		t.Fatalf("%d %s", status, body)
	}
	if rows := p.hunt(table + " | getschema | where ColumnName == 'NewColumn' | project ColumnType"); len(rows) != 1 || rows[0]["ColumnType"] != "long" {
		t.Errorf("getschema answers %v", rows)
	}
	for _, front := range []struct{ path, scope, schema, column, kind string }{
		{p.at.Graph + "/v1.0/security/runHuntingQuery", "https://graph.microsoft.com/.default", "schema", "name", "type"},
		{p.at.XDR + "/api/advancedhunting/run", "https://api.security.microsoft.com/.default", "Schema", "Name", "Type"},
		{p.at.MDE + "/api/advancedqueries/run", "https://api.securitycenter.microsoft.com/.default", "Schema", "Name", "Type"},
	} {
		status, body := p.post(front.path, p.token(front.scope), map[string]string{"Query": table})
		var answer map[string]json.RawMessage
		var schema []map[string]string
		if err := json.Unmarshal(body, &answer); err != nil || status != 200 {
			t.Fatalf("%s: %d %s: %v", front.path, status, body, err)
		}
		if err := json.Unmarshal(answer[front.schema], &schema); err != nil {
			t.Fatal(err)
		}
		last := schema[len(schema)-1]
		if last[front.column] != "NewColumn" || last[front.kind] != "Int64" {
			t.Errorf("%s: the last column is %v", front.path, last)
		}
		held := strings.Count(string(body), `"NewColumn":9`) // the values lie just above 2^53
		if got := fmt.Sprintf(`{"Count":%d}`, held); p.rows(table+" | where isnotnull(NewColumn) | count") != got {
			t.Errorf("%s: %d values, and the truth has another number", front.path, held)
		}
	}
	status, body = p.post(p.at.Control+"/drift", "", map[string]any{"table": "DeviceInfo", "drop": "OSPlatform"})
	if status != 400 || !strings.Contains(string(body), "only tables of current state drift") {
		t.Errorf("%d %s", status, body)
	}
}

// rows are the canonical rows of a query over the source.
func (p program) rows(query string) string {
	p.t.Helper()
	status, body := p.get(p.at.Control + "/truth?rows=1&q=" + strings.ReplaceAll(query, " ", "+"))
	if status != 200 {
		p.t.Fatalf("%s: %d %s", query, status, body)
	}
	return strings.TrimSpace(string(body))
}
