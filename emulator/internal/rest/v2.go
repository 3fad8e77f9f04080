package rest

import (
	"net/http"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Where errors of rows are reported, by the request property
// results_error_reporting_placement, and as the header frame names it.
const (
	inData       = "in_data"
	endOfTable   = "end_of_table"
	endOfDataset = "end_of_dataset"
)

var placements = map[string]string{inData: "InData", endOfTable: "EndOfTable", endOfDataset: "EndOfDataSet"}

// fragmentSize is about how many bytes of rows a fragment holds.
const fragmentSize = 64 << 10

// framesV2 writes the answer to one query as frames to an exchange. See
// https://learn.microsoft.com/kusto/api/rest/response-v2.
type framesV2 struct {
	front     *front
	x         *exchange
	fragments bool // primary results come in fragments
	newlines  bool // a frame begins on a line of its own
	placement string
	frames    int
	table     int // id of the next table
}

// sendV2 answers in the form v2. Keys are in the order in which the service
// sends them; clients rely on it.
func (f *front) sendV2(x *exchange, q request, result *engine.Result) {
	w := &framesV2{
		front: f, x: x,
		fragments: q.option("results_v2_fragment_primary_tables") == "true",
		newlines:  q.option("results_v2_newlines_between_frames") == "true",
		placement: q.option("results_error_reporting_placement"),
	}
	if _, known := placements[w.placement]; !known {
		w.placement = inData
	}
	w.header()
	w.properties(len(result.Tables))
	var failed *engine.Error
	for i, t := range result.Tables {
		err := w.primary(t)
		if x.gone(err) {
			return
		}
		if err == nil {
			continue
		}
		if !x.out.sent() && i == 0 && x.rows == 0 {
			f.fail(x, q.csl, err)
			return
		}
		failed = asEngineError(err)
		break
	}
	w.completion(warningsOf(result), failed)
	x.out.text("]")
	if w.newlines {
		x.out.text("\n")
	}
	x.out.end(http.StatusOK)
}

// next begins a frame.
func (w *framesV2) next(frameType string) {
	if w.frames == 0 {
		w.x.out.text("[")
	} else {
		if w.newlines {
			w.x.out.text("\n")
		}
		w.x.out.text(",")
	}
	w.frames++
	w.x.out.text(`{"FrameType":"` + frameType + `"`)
}

func (w *framesV2) field(name string, v any) {
	w.x.out.text(`,"` + name + `":`)
	w.x.out.json(v)
}

func (w *framesV2) header() {
	w.next("DataSetHeader")
	w.field("IsProgressive", false)
	w.field("Version", "v2.0")
	w.field("IsFragmented", w.fragments)
	w.field("ErrorReportingPlacement", placements[w.placement])
	w.x.out.text("}")
}

// head begins a frame that describes a table and gives the table its id.
func (w *framesV2) head(frameType, kind, name string, columns []value.Column) int {
	id := w.table
	w.table++
	w.next(frameType)
	w.field("TableId", id)
	w.field("TableKind", kind)
	w.field("TableName", name)
	w.field("Columns", columnsV2(columns))
	w.x.rows = 0
	return id
}

// secondary sends a small table about the results.
func (w *framesV2) secondary(kind, name string, columns []value.Column, rows ...[]value.Value) {
	w.head("DataTable", kind, name, columns)
	w.x.out.text(`,"Rows":[`)
	for _, row := range rows {
		w.x.addRow(row)
	}
	w.x.out.text("]}")
}

func (w *framesV2) properties(results int) {
	var rows [][]value.Value
	for i := range results {
		rows = append(rows, []value.Value{number(int32(i + 1)), text("Visualization"), text(noVisualization)})
	}
	w.secondary("QueryProperties", "@ExtendedProperties", []value.Column{
		{Name: "TableId", Kind: value.Int}, {Name: "Key", Kind: value.String}, {Name: "Value", Kind: value.Dynamic},
	}, rows...)
}

// primary sends a result. The error is that of its rows; the frames of the table
// are complete in any case.
func (w *framesV2) primary(t engine.ResultTable) error {
	name := t.Name
	if name == "" {
		name = "PrimaryResult"
	}
	if !w.fragments {
		w.head("DataTable", "PrimaryResult", name, t.Columns)
		w.x.out.text(`,"Rows":[`)
		err := w.whole(t)
		if err != nil && w.placement == inData {
			w.errorRow(err)
		}
		w.x.out.text("]")
		if err != nil && w.placement == endOfTable {
			w.field("OneApiErrors", w.errors(err))
		}
		w.x.out.text("}")
		return err
	}
	id := w.head("TableHeader", "PrimaryResult", name, t.Columns)
	w.x.out.text("}")
	total, err := w.fragmented(id, t)
	w.next("TableCompletion")
	w.field("TableId", id)
	w.field("RowCount", total)
	if err != nil && w.placement == endOfTable {
		w.field("OneApiErrors", w.errors(err))
	}
	w.x.out.text("}")
	return err
}

// whole sends all rows of a table into one array.
func (w *framesV2) whole(t engine.ResultTable) error {
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		w.x.addRow(row)
		if w.x.out.full() {
			w.x.out.send(http.StatusOK)
		}
		if w.x.out.broken() {
			return w.x.out.err
		}
	}
	return nil
}

// fragmented sends the rows of table id in fragments and counts them.
func (w *framesV2) fragmented(id int, t engine.ResultTable) (total int, err error) {
	begin := -1 // where the open fragment begins in the buffer
	open := func() {
		begin = len(w.x.out.buffer)
		w.next("TableFragment")
		w.field("TableFragmentType", "DataAppend")
		w.field("TableId", id)
		w.x.out.text(`,"Rows":[`)
		w.x.rows = 0
	}
	seal := func() {
		if begin >= 0 {
			w.x.out.text("]}")
			begin = -1
		}
	}
	for row, rowErr := range t.Rows {
		if rowErr != nil {
			err = rowErr
			break
		}
		if begin < 0 {
			open()
		}
		w.x.addRow(row)
		total++
		if len(w.x.out.buffer)-begin >= fragmentSize {
			seal()
			w.x.out.send(http.StatusOK)
			if w.x.out.broken() {
				return total, w.x.out.err
			}
		}
	}
	if err != nil && w.placement == inData {
		if begin < 0 {
			open()
		}
		w.errorRow(err)
	}
	seal()
	w.x.rows = total
	return total, err
}

// errorRow ends the rows with an error.
func (w *framesV2) errorRow(err error) {
	if w.x.rows > 0 {
		w.x.out.text(",")
	}
	w.x.out.json(map[string]any{"OneApiErrors": w.errors(err)})
}

// errors is an error as frames hold it.
func (w *framesV2) errors(err error) []map[string]oneAPIError {
	return []map[string]oneAPIError{{"error": w.front.describe(w.x, asEngineError(err))}}
}

// completion sends the last two frames: what the query left out, how it ended, and that it did.
func (w *framesV2) completion(warnings []string, failed *engine.Error) {
	at, activity := moment(timestamp(w.front.Now())), guid(w.x.activityID)
	var rows [][]value.Value
	add := func(level int32, levelName string, code int32, codeName, message string) {
		payload := string(jsonText(map[string]any{"Count": 1, "Text": message}))
		rows = append(rows, []value.Value{
			at, text(w.x.clientRequestID), activity, activity, activity, number(level), text(levelName),
			number(code), text(codeName), number(4), text("QueryInfo"), text(payload),
		})
	}
	for _, warning := range warnings {
		add(3, "Warning", 0, "S_OK (0)", warning)
	}
	if failed != nil {
		add(2, "Error", -2147467259, "E_FAIL (0x80004005)", failed.Message)
	} else {
		add(4, "Info", 0, "S_OK (0)", completedText)
	}
	w.secondary("QueryCompletionInformation", "QueryCompletionInformation", []value.Column{
		{Name: "Timestamp", Kind: value.DateTime},
		{Name: "ClientRequestId", Kind: value.String},
		{Name: "ActivityId", Kind: value.GUID},
		{Name: "SubActivityId", Kind: value.GUID},
		{Name: "ParentActivityId", Kind: value.GUID},
		{Name: "Level", Kind: value.Int},
		{Name: "LevelName", Kind: value.String},
		{Name: "StatusCode", Kind: value.Int},
		{Name: "StatusCodeName", Kind: value.String},
		{Name: "EventType", Kind: value.Int},
		{Name: "EventTypeName", Kind: value.String},
		{Name: "Payload", Kind: value.String},
	}, rows...)
	w.next("DataSetCompletion")
	w.field("HasErrors", failed != nil)
	w.field("Cancelled", false)
	if failed != nil {
		w.field("OneApiErrors", w.errors(failed))
	}
	w.x.out.text("}")
	if w.newlines {
		w.x.out.text("\n")
	}
}
