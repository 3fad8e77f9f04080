package rest

import (
	"errors"
	"iter"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

const (
	testActivity = "123e27de-1e4e-49d9-b579-fe0b331d3642"
	testRequest  = "KGC.execute;blab6"
)

var testNow = time.Date(2023, 11, 26, 13, 34, 17, 73147800, time.UTC)

// rowsOf are rows, and err behind them if it is not nil.
func rowsOf(err error, rows ...[]value.Value) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func longs(err error, numbers ...int64) *engine.Result {
	var rows [][]value.Value
	for _, n := range numbers {
		rows = append(rows, []value.Value{value.NewLong(n)})
	}
	return &engine.Result{Tables: []engine.ResultTable{{
		Name: "PrimaryResult", Columns: []value.Column{{Name: "A", Kind: value.Long}}, Rows: rowsOf(err, rows...),
	}}}
}

// testFront has a clock that stands still.
func testFront() *front {
	return &front{Options{Now: func() time.Time { return testNow }, Metadata: Metadata{}.filled()}}
}

// answer is what send answers to a request without compression.
func answer(t *testing.T, send func(f *front, x *exchange)) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(""))
	send(testFront(), &exchange{Request: r, clientRequestID: testRequest, activityID: testActivity, out: newBody(w, r)})
	return w.Code, w.Body.String()
}

func fragmented() request {
	return request{options: map[string]any{
		"results_v2_fragment_primary_tables": true, "results_v2_newlines_between_frames": true,
		"results_error_reporting_placement": "end_of_table",
	}}
}

var errLimit = &engine.Error{
	Code: "LimitsExceeded", Status: 400, Type: "Kusto.X", Summary: "Request is invalid and cannot be executed.", Message: "too many",
}

const (
	visualization = `{\"Visualization\":null,\"Title\":null,\"XColumn\":null,\"Series\":null,\"YColumns\":null,\"AnomalyColumns\":null,` +
		`\"XTitle\":null,\"YTitle\":null,\"XAxis\":null,\"YAxis\":null,\"Legend\":null,\"YSplit\":null,\"Accumulate\":false,` +
		`\"IsQuerySorted\":false,\"Kind\":null,\"Ymin\":\"NaN\",\"Ymax\":\"NaN\",\"Xmin\":null,\"Xmax\":null}`
	completionHead = `{"FrameType":"DataTable","TableId":2,"TableKind":"QueryCompletionInformation","TableName":"QueryCompletionInformation","Columns":[` +
		`{"ColumnName":"Timestamp","ColumnType":"datetime"},{"ColumnName":"ClientRequestId","ColumnType":"string"},{"ColumnName":"ActivityId","ColumnType":"guid"},` +
		`{"ColumnName":"SubActivityId","ColumnType":"guid"},{"ColumnName":"ParentActivityId","ColumnType":"guid"},{"ColumnName":"Level","ColumnType":"int"},` +
		`{"ColumnName":"LevelName","ColumnType":"string"},{"ColumnName":"StatusCode","ColumnType":"int"},{"ColumnName":"StatusCodeName","ColumnType":"string"},` +
		`{"ColumnName":"EventType","ColumnType":"int"},{"ColumnName":"EventTypeName","ColumnType":"string"},{"ColumnName":"Payload","ColumnType":"string"}],` +
		`"Rows":[["2023-11-26T13:34:17.0731478Z","KGC.execute;blab6","123e27de-1e4e-49d9-b579-fe0b331d3642","123e27de-1e4e-49d9-b579-fe0b331d3642","123e27de-1e4e-49d9-b579-fe0b331d3642",`
	goodCompletion = completionHead + `4,"Info",0,"S_OK (0)",4,"QueryInfo","{\"Count\":1,\"Text\":\"Query completed successfully\"}"]]}`
	badCompletion  = completionHead + `2,"Error",-2147467259,"E_FAIL (0x80004005)",4,"QueryInfo","{\"Count\":1,\"Text\":\"too many\"}"]]}`
	properties     = `{"FrameType":"DataTable","TableId":0,"TableKind":"QueryProperties","TableName":"@ExtendedProperties","Columns":[` +
		`{"ColumnName":"TableId","ColumnType":"int"},{"ColumnName":"Key","ColumnType":"string"},{"ColumnName":"Value","ColumnType":"dynamic"}],"Rows":[[1,"Visualization","` + visualization + `"]]}`
	limitErrors = `[{"error":{"code":"LimitsExceeded","message":"Request is invalid and cannot be executed.","@type":"Kusto.X","@message":"too many",` +
		`"@context":{"timestamp":"2023-11-26T13:34:17.0731478Z","serviceAlias":"EMULATOR","machineName":"KEngine000000","processName":"Kusto.WinSvc.Svc","processId":1,"threadId":1,` +
		`"clientRequestId":"KGC.execute;blab6","activityId":"123e27de-1e4e-49d9-b579-fe0b331d3642","subActivityId":"123e27de-1e4e-49d9-b579-fe0b331d3642",` +
		`"activityType":"GW.Http.CallContext","parentActivityId":"123e27de-1e4e-49d9-b579-fe0b331d3642",` +
		`"activityStack":"(Activity stack: CRID=KGC.execute;blab6 ARID=123e27de-1e4e-49d9-b579-fe0b331d3642 > GW.Http.CallContext/123e27de-1e4e-49d9-b579-fe0b331d3642)"},"@permanent":false}}]`
)

// The frames are those of the documentation's and the SDK's samples.
func TestV2(t *testing.T) {
	columns := `"Columns":[{"ColumnName":"A","ColumnType":"long"}]`
	tests := map[string]struct {
		request request
		result  *engine.Result
		want    []string // joined by what separates frames
		joined  string
	}{
		"fragments": {
			request: fragmented(), result: longs(nil, 7, 8), joined: "\n,",
			want: []string{
				`{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,"ErrorReportingPlacement":"EndOfTable"}`,
				properties,
				`{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult",` + columns + `}`,
				`{"FrameType":"TableFragment","TableFragmentType":"DataAppend","TableId":1,"Rows":[[7],[8]]}`,
				`{"FrameType":"TableCompletion","TableId":1,"RowCount":2}`,
				goodCompletion,
				`{"FrameType":"DataSetCompletion","HasErrors":false,"Cancelled":false}`,
			},
		},
		"fragments, no rows": {
			request: fragmented(), result: longs(nil), joined: "\n,",
			want: []string{
				`{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,"ErrorReportingPlacement":"EndOfTable"}`,
				properties,
				`{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult",` + columns + `}`,
				`{"FrameType":"TableCompletion","TableId":1,"RowCount":0}`,
				goodCompletion,
				`{"FrameType":"DataSetCompletion","HasErrors":false,"Cancelled":false}`,
			},
		},
		"fragments, error behind a row": {
			request: fragmented(), result: longs(errLimit, 7), joined: "\n,",
			want: []string{
				`{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,"ErrorReportingPlacement":"EndOfTable"}`,
				properties,
				`{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult",` + columns + `}`,
				`{"FrameType":"TableFragment","TableFragmentType":"DataAppend","TableId":1,"Rows":[[7]]}`,
				`{"FrameType":"TableCompletion","TableId":1,"RowCount":1,"OneApiErrors":` + limitErrors + `}`,
				badCompletion,
				`{"FrameType":"DataSetCompletion","HasErrors":true,"Cancelled":false,"OneApiErrors":` + limitErrors + `}`,
			},
		},
		"whole tables": {
			result: longs(nil, 7), joined: ",",
			want: []string{
				`{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":false,"ErrorReportingPlacement":"InData"}`,
				properties,
				`{"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult",` + columns + `,"Rows":[[7]]}`,
				goodCompletion,
				`{"FrameType":"DataSetCompletion","HasErrors":false,"Cancelled":false}`,
			},
		},
		"whole tables, error behind a row": {
			result: longs(errLimit, 7), joined: ",",
			want: []string{
				`{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":false,"ErrorReportingPlacement":"InData"}`,
				properties,
				`{"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult",` + columns + `,"Rows":[[7],{"OneApiErrors":` + limitErrors + `}]}`,
				badCompletion,
				`{"FrameType":"DataSetCompletion","HasErrors":true,"Cancelled":false,"OneApiErrors":` + limitErrors + `}`,
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, got := answer(t, func(f *front, x *exchange) { f.sendV2(x, tt.request, tt.result) })
			if status != http.StatusOK {
				t.Errorf("status = %d, want 200", status)
			}
			end := "]"
			if tt.joined == "\n," {
				end = "\n]\n"
			}
			if d := cmp.Diff("["+strings.Join(tt.want, tt.joined)+end, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestV1(t *testing.T) {
	const head = `{"Tables":[{"TableName":"Table_0","Columns":[{"ColumnName":"A","DataType":"Int64","ColumnType":"long"}],"Rows":[`
	tests := map[string]struct {
		result *engine.Result
		want   string
	}{
		"rows":    {longs(nil, 1, 2), head + `[1],[2]]}]}`},
		"no rows": {longs(nil), head + `]}]}`},
		"error behind a row": {longs(errLimit, 1), head + `[1],{"Exceptions":["too many\r\nKusto.X: too many"]}]}],` +
			`"Exceptions":["too many\r\nKusto.X: too many"]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, got := answer(t, func(f *front, x *exchange) { f.sendV1(x, "", tt.result) })
			if status != http.StatusOK {
				t.Errorf("status = %d, want 200", status)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// An error before the first row is an answer of its own.
func TestErrorBeforeRows(t *testing.T) {
	failed := &engine.Error{
		Code: "General_BadRequest", Status: 400, Permanent: true, Type: "Kusto.Data.Exceptions.SemanticException",
		Summary: "Request is invalid and cannot be executed.", Message: "Semantic error: no",
		Inner: &engine.Inner{Code: "SEM0100", Type: "Kusto.Data.Exceptions.SemanticException", Message: "no", Line: 2, Column: 3, Token: "T"},
	}
	sends := map[string]func(f *front, x *exchange){
		"v1":               func(f *front, x *exchange) { f.sendV1(x, "T", longs(failed)) },
		"v1 query":         func(f *front, x *exchange) { r := longs(failed); r.Queried = true; f.sendV1(x, "T", r) },
		"v2":               func(f *front, x *exchange) { f.sendV2(x, request{csl: "T"}, longs(failed)) },
		"v2 fragments":     func(f *front, x *exchange) { q := fragmented(); q.csl = "T"; f.sendV2(x, q, longs(failed)) },
		"not started":      func(f *front, x *exchange) { f.fail(x, "T", failed) },
		"error is wrapped": func(f *front, x *exchange) { f.fail(x, "T", errors.Join(failed)) },
	}
	context := `"@context":` + limitErrors[strings.Index(limitErrors, `{"timestamp"`):strings.Index(limitErrors, `,"@permanent"`)]
	want := `{"error":{"code":"General_BadRequest","message":"Request is invalid and cannot be executed.","@type":"Kusto.Data.Exceptions.SemanticException",` +
		`"@message":"Semantic error: no",` + context + `,"@permanent":true,"@text":"T","@ClientRequestLogger":"",` +
		`"innererror":{"code":"SEM0100","message":"Request is invalid and cannot be executed.","@type":"Kusto.Data.Exceptions.SemanticException","@message":"no",` +
		`"@errorCode":"SEM0100","@errorMessage":"no","@line":2,"@pos":3,"@token":"T","@permanent":true}}}`
	for name, send := range sends {
		t.Run(name, func(t *testing.T) {
			status, got := answer(t, send)
			if status != http.StatusBadRequest {
				t.Errorf("status = %d, want 400", status)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// Cells as https://learn.microsoft.com/kusto/api/rest/response-http has them.
func TestAppendRow(t *testing.T) {
	decimal, err := value.NewDecimal("2.00000000000001")
	if err != nil {
		t.Fatal(err)
	}
	day, _ := value.ParseDateTime("2020-03-04T14:05:01.3109965Z")
	span, _ := value.ParseTimeSpan("01:23:45.6789000")
	for want, v := range map[string]value.Value{
		`1`:                                      value.NewInt(1),
		`9223372036854775807`:                    value.NewLong(9223372036854775807),
		`"2.00000000000001"`:                     decimal,
		`"2020-03-04T14:05:01.3109965Z"`:         day,
		`"01:23:45.6789000"`:                     span,
		`{"moshe":"value"}`:                      value.DynamicJSON(`{"moshe": "value"}`),
		`[1,null]`:                               value.DynamicJSON(`[1,null]`),
		`true`:                                   value.NewBool(true),
		`0.01`:                                   value.NewReal(0.01),
		`"NaN"`:                                  value.NewReal(math.NaN()),
		`"Infinity"`:                             value.NewReal(math.Inf(1)),
		`"-Infinity"`:                            value.NewReal(math.Inf(-1)),
		`"as\"df\n"`:                             value.NewString("as\"df\n"),
		`""`:                                     value.NewString(""),
		`"123e27de-1e4e-49d9-b579-fe0b331d3642"`: guid(testActivity),
		`null`:                                   value.Null(value.Dynamic),
	} {
		if got := string(appendRow(nil, []value.Value{v})); got != "["+want+"]" {
			t.Errorf("cell of %v = %s, want [%s]", v.Kind(), got, want)
		}
	}
	if got := string(appendRow(nil, []value.Value{value.Null(value.Int), value.NewInt(2)})); got != "[null,2]" {
		t.Errorf("row = %s, want [null,2]", got)
	}
}
