package rest

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// sendV1 answers in the form v1: tables of rows. A query's tables are followed by
// its properties, its status and a table of contents, also those of a query behind
// a command; a command's own table is not. See
// https://learn.microsoft.com/kusto/api/rest/response-http.
func (f *front) sendV1(x *exchange, csl string, result *engine.Result) {
	x.out.text(`{"Tables":[`)
	var failed *engine.Error
	for i, t := range result.Tables {
		if i > 0 {
			x.out.text(",")
		}
		err := x.tableV1(i, t)
		if x.gone(err) {
			return
		}
		if err != nil {
			if !x.out.sent() && i == 0 && x.rows == 0 {
				f.fail(x, csl, err)
				return
			}
			failed = asEngineError(err)
			x.exceptionRow(failed)
		}
		x.out.text("]}")
		if failed != nil {
			break
		}
	}
	if result.Queried && failed == nil {
		f.trailerV1(x, result)
	}
	x.out.text("]")
	if failed != nil {
		x.out.text(`,"Exceptions":`)
		x.out.json([]string{exceptionText(failed)})
	}
	x.out.text("}")
	x.out.end(http.StatusOK)
}

// tableV1 sends a table up to the end of its rows, or to their error, with which
// it leaves the array of rows open.
func (x *exchange) tableV1(i int, t engine.ResultTable) error {
	x.headV1(i, t.Columns)
	x.rows = 0
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		x.addRow(row)
		if x.out.full() {
			x.out.send(http.StatusOK)
		}
		if x.out.broken() {
			return x.out.err
		}
	}
	return nil
}

func (x *exchange) headV1(i int, columns []value.Column) {
	x.out.text(`{"TableName":`)
	x.out.json(fmt.Sprintf("Table_%d", i))
	x.out.text(`,"Columns":`)
	x.out.json(columnsV1(columns))
	x.out.text(`,"Rows":[`)
}

// addRow appends a row to the table that is being sent.
func (x *exchange) addRow(row []value.Value) {
	if x.rows > 0 {
		x.out.text(",")
	}
	x.rows++
	x.out.buffer = appendRow(x.out.buffer, row)
}

// exceptionRow ends the rows with an error.
func (x *exchange) exceptionRow(e *engine.Error) {
	if x.rows > 0 {
		x.out.text(",")
	}
	x.out.json(map[string][]string{"Exceptions": {exceptionText(e)}})
}

func exceptionText(e *engine.Error) string { return e.Message + "\r\n" + e.Type + ": " + e.Message }

// trailerV1 sends what follows the results of a query.
func (f *front) trailerV1(x *exchange, result *engine.Result) {
	results := len(result.Tables)
	type content struct{ kind, name, id string }
	var contents []content
	for range results {
		contents = append(contents, content{"QueryResult", "PrimaryResult", uuid.NewString()})
	}
	table := func(columns []value.Column, rows ...[]value.Value) {
		x.out.text(",")
		x.headV1(len(contents), columns)
		x.rows = 0
		for _, row := range rows {
			x.addRow(row)
		}
		x.out.text("]}")
	}
	var properties [][]value.Value
	for range results {
		properties = append(properties, []value.Value{text(noVisualization)})
	}
	table([]value.Column{{Name: "Value", Kind: value.String}}, properties...)
	contents = append(contents, content{"QueryProperties", "@ExtendedProperties", uuid.NewString()})

	status := func(severity int32, name, description string) []value.Value {
		return []value.Value{
			moment(timestamp(f.Now())), number(severity), text(name), number(0), text(description), number(1),
			guid(x.activityID), guid(x.activityID), guid(x.activityID), text(x.clientRequestID),
		}
	}
	var statuses [][]value.Value
	for _, warning := range warningsOf(result) {
		statuses = append(statuses, status(3, "Warning", warning))
	}
	statuses = append(statuses, status(4, "Info", completedText))
	table([]value.Column{
		{Name: "Timestamp", Kind: value.DateTime},
		{Name: "Severity", Kind: value.Int},
		{Name: "SeverityName", Kind: value.String},
		{Name: "StatusCode", Kind: value.Int},
		{Name: "StatusDescription", Kind: value.String},
		{Name: "Count", Kind: value.Int},
		{Name: "RequestId", Kind: value.GUID},
		{Name: "ActivityId", Kind: value.GUID},
		{Name: "SubActivityId", Kind: value.GUID},
		{Name: "ClientActivityId", Kind: value.String},
	}, statuses...)
	contents = append(contents, content{"QueryStatus", "QueryStatus", uuid.Nil.String()})

	var index [][]value.Value
	for i, c := range contents {
		index = append(index, []value.Value{value.NewLong(int64(i)), text(c.kind), text(c.name), text(c.id), text("")})
	}
	table([]value.Column{
		{Name: "Ordinal", Kind: value.Long},
		{Name: "Kind", Kind: value.String},
		{Name: "Name", Kind: value.String},
		{Name: "Id", Kind: value.String},
		{Name: "PrettyName", Kind: value.String},
	}, index...)
}

// completedText is how the status of a query says that it was answered.
const completedText = "Query completed successfully"

// warningsOf are those of all results.
func warningsOf(result *engine.Result) []string {
	var all []string
	for _, t := range result.Tables {
		all = append(all, t.Warnings...)
	}
	return all
}

// noVisualization is the property of a result without a visualization.
const noVisualization = `{"Visualization":null,"Title":null,"XColumn":null,"Series":null,"YColumns":null,"AnomalyColumns":null,` +
	`"XTitle":null,"YTitle":null,"XAxis":null,"YAxis":null,"Legend":null,"YSplit":null,"Accumulate":false,"IsQuerySorted":false,` +
	`"Kind":null,"Ymin":"NaN","Ymax":"NaN","Xmin":null,"Xmax":null}`

// gone says whether the client has left, in which case the answer is broken off.
func (x *exchange) gone(err error) bool {
	if x.out.broken() || err != nil && x.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the documented way to break an answer off
	}
	return false
}
