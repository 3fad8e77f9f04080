package landing

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tvmexport/tvmexport/kusto/conn"
)

// written is a table of strings in the form of the service's answers to commands
// (https://learn.microsoft.com/kusto/api/rest/response).
func written(columns []string, rows [][]string) ([]byte, error) {
	type column struct{ ColumnName, DataType, ColumnType string }
	type table struct {
		TableName string
		Columns   []column
		Rows      [][]string
	}
	t := table{TableName: "Table_0", Rows: rows}
	for _, name := range columns {
		t.Columns = append(t.Columns, column{name, "String", "string"})
	}
	return json.Marshal(struct{ Tables []table }{[]table{t}})
}

// handed is the transport of one SDK client. It answers commands from what was
// received for this client and passes requests to storage through.
type handed struct {
	answers map[string][]byte // by command
	storage http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (h handed) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/v1/rest/mgmt" || r.Body == nil {
		return h.storage.RoundTrip(r)
	}
	defer func() { _ = r.Body.Close() }()
	var sent struct{ CSL string }
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		return nil, fmt.Errorf("read a command of the ingestion SDK: %w", err)
	}
	answer, ok := h.answers[sent.CSL]
	if !ok {
		return nil, fmt.Errorf("the ingestion SDK sent a command for which there is no prepared answer: %.40q", sent.CSL)
	}
	return conn.Received{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: answer}.RoundTrip(r)
}
