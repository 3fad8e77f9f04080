package rest_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-kusto-go/azkustodata"
	kustoerrors "github.com/Azure/azure-kusto-go/azkustodata/errors"
	"github.com/Azure/azure-kusto-go/azkustodata/kql"
	"github.com/Azure/azure-kusto-go/azkustodata/query"
	"github.com/google/go-cmp/cmp"
)

// A query's values arrive in the SDK, each type and each null.
func TestQueryTypes(t *testing.T) {
	s := newStack(t)
	client := s.data(t, "admin")
	data, err := client.Query(t.Context(), database, statement(`
		print b = true, i = int(-1), l = 9223372036854775807, r = 0.5, m = decimal(2.00000000000001), t = datetime(2020-03-04T14:05:01.3109965Z),
			s = 1d + 2h + 3m + 4500ms, x = "grü\"ße\n", g = guid(123e27de-1e4e-49d9-b579-fe0b331d3642), d = dynamic({"a": [1, null, "z"]}),
			inf = real(+inf), n = real(nan), nb = bool(null), ni = int(null), nl = long(null), nr = real(null), nm = decimal(null), nt = datetime(null),
			ns = timespan(null), nx = "", ng = guid(null), nd = dynamic(null)`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	rows := data.Tables()[0].Rows()
	if len(rows) != 1 {
		t.Fatalf("rows = %v, want one", rows)
	}
	for i, c := range data.Tables()[0].Columns() {
		got[c.Name()+":"+string(c.Type())] = rows[0].Values()[i].String()
	}
	want := map[string]string{
		"b:bool": "true", "i:int": "-1", "l:long": "9223372036854775807", "r:real": "0.5", "m:decimal": "2.00000000000001",
		"t:datetime": "2020-03-04T14:05:01.3109965Z", "s:timespan": "26h3m4.5s", "x:string": "grü\"ße\n",
		"g:guid": "123e27de-1e4e-49d9-b579-fe0b331d3642", "d:dynamic": `{"a":[1,null,"z"]}`, "inf:real": "+Inf", "n:real": "NaN",
		"nb:bool": "", "ni:int": "", "nl:long": "", "nr:real": "", "nm:decimal": "", "nt:datetime": "", "ns:timespan": "", "nx:string": "",
		"ng:guid": "", "nd:dynamic": "",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// The results of a query behind a command come with a table of contents, as those
// of a query: without it, clients take the second of two for something else.
func TestQueriesBehindACommand(t *testing.T) {
	s := newStack(t)
	client := s.data(t, "admin")
	for text, want := range map[string]int{
		".show databases":                                         1,
		".show databases | count":                                 1,
		".show databases | count; print 2":                        2,
		".show databases | count; print 2; print 3 | where false": 3,
		".show databases | project DatabaseName | where false":    1,
	} {
		data, err := client.Mgmt(t.Context(), database, statement(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := len(data.Tables()); got != want {
			t.Errorf("%s has %d results, want %d", text, got, want)
		}
	}
}

// Large results stream, several results come one after the other.
func TestQueryLarge(t *testing.T) {
	s := newStack(t)
	client := s.data(t, "admin")
	data, err := client.IterativeQuery(t.Context(), database, statement(`range x from 1 to 100000 step 1 | extend y = strcat("row ", x); print z = 1`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := data.Close(); err != nil {
			t.Error(err)
		}
	}()
	var rows []int
	for table := range data.Tables() {
		if table.Err() != nil {
			t.Fatal(table.Err())
		}
		n := 0
		var last query.Row
		for row := range table.Table().Rows() {
			if row.Err() != nil {
				t.Fatal(row.Err())
			}
			n++
			last = row.Row()
		}
		if table.Table().IsPrimaryResult() {
			rows = append(rows, n)
			if n > 1 && last.String() != "100000,row 100000\n" {
				t.Errorf("last row = %q, want 100000", last.String())
			}
		}
	}
	if d := cmp.Diff([]int{100000, 1}, rows); d != "" {
		t.Errorf("rows (-want +got)\n%s", d)
	}
}

// Errors of queries: before the first row a status, behind it inside of 200.
func TestQueryErrors(t *testing.T) {
	s := newStack(t)
	client := s.data(t, "admin")
	for text, want := range map[string]string{
		"print x = ":                     "Syntax error",
		"Nope | take 1":                  "Nope",
		"print x = 1 | where y == 2":     "y",
		"print assert(1 == 2, 'is not')": "is not",
	} {
		_, err := client.Query(t.Context(), database, statement(text))
		var failed *kustoerrors.HttpError
		if !errors.As(err, &failed) || failed.StatusCode != http.StatusBadRequest || kustoerrors.Retry(&failed.KustoError) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v, want a permanent one with status 400 and %q", text, err, want)
		}
	}
	_, err := client.Query(t.Context(), database, statement("range x from 1 to 10 step 1"), azkustodata.TruncationMaxRecords(5))
	var failed *kustoerrors.HttpError
	if err == nil || errors.As(err, &failed) || !strings.Contains(err.Error(), "E_QUERY_RESULT_SET_TOO_LARGE") {
		t.Errorf("too many rows: error = %v, want one inside the answer", err)
	}
}

// Parameters reach the query.
func TestQueryParameters(t *testing.T) {
	s := newStack(t)
	client := s.data(t, "admin")
	data, err := client.Query(t.Context(), database, statement("print x = strcat(name, '!'), n = n + 1"),
		azkustodata.QueryParameters(kql.NewParameters().AddString("name", `a"b'`).AddLong("n", 41)))
	if err != nil {
		t.Fatal(err)
	}
	if got := data.Tables()[0].Rows()[0].String(); got != "\"a\"\"b'!\",42\n" {
		t.Errorf("row = %q", got)
	}
}

// The form v1 lists its tables in the last one.
func TestQueryV1(t *testing.T) {
	s := newStack(t)
	answer, text := s.exchange(t, http.MethodPost, s.kusto+"/v1/rest/query", `{"db":"db","csl":"print a = 1; print b = 'x'"}`)
	var got struct {
		Tables []struct {
			TableName string
			Columns   []struct{ ColumnName, DataType, ColumnType string }
			Rows      [][]any
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("answer = %d %s: %v", answer.StatusCode, text, err)
	}
	var names []string
	for _, table := range got.Tables {
		names = append(names, table.TableName+" "+table.Columns[0].ColumnName+" "+table.Columns[0].DataType+" "+table.Columns[0].ColumnType)
	}
	want := []string{
		"Table_0 a Int64 long", "Table_1 b String string", "Table_2 Value String string", "Table_3 Timestamp DateTime datetime", "Table_4 Ordinal Int64 long",
	}
	if d := cmp.Diff(want, names); d != "" {
		t.Fatalf("tables (-want +got)\n%s", d)
	}
	var index []string
	for _, row := range got.Tables[4].Rows {
		index = append(index, row[1].(string)+" "+row[2].(string))
	}
	if d := cmp.Diff([]string{"QueryResult PrimaryResult", "QueryResult PrimaryResult", "QueryProperties @ExtendedProperties", "QueryStatus QueryStatus"}, index); d != "" {
		t.Errorf("contents (-want +got)\n%s", d)
	}
	if d := cmp.Diff([][]any{{1.0}}, got.Tables[0].Rows); d != "" {
		t.Errorf("rows (-want +got)\n%s", d)
	}
}

// What a query left out is in its status, in both forms, in front of the row that says how it ended.
func TestWarnings(t *testing.T) {
	s := newStack(t)
	const body = `{"db":"db","csl":"union isfuzzy=true (print a = 1), Nope"}`
	for path, want := range map[string][]string{
		"/v1/rest/query": {`3,"Warning",0,"Failed to resolve entity 'Nope'",1,`, `4,"Info",0,"Query completed successfully",1,`},
		"/v2/rest/query": {`3,"Warning",0,"S_OK (0)",4,"QueryInfo","{\"Count\":1,\"Text\":\"Failed to resolve entity 'Nope'\"}"`, `4,"Info",0,"S_OK (0)",4,"QueryInfo",`},
	} {
		answer, text := s.exchange(t, http.MethodPost, s.kusto+path, body)
		_, rest, warned := strings.Cut(text, want[0])
		if answer.StatusCode != http.StatusOK || !warned || !strings.Contains(rest, want[1]) {
			t.Errorf("%s = %d %s, want %s and behind it %s", path, answer.StatusCode, text, want[0], want[1])
		}
	}
}

// A GET carries the query in its address.
func TestQueryGet(t *testing.T) {
	s := newStack(t)
	answer, text := s.exchange(t, http.MethodGet, s.kusto+"/v2/rest/query?db=db&csl=print%20x%3D42", "")
	if answer.StatusCode != http.StatusOK || !strings.Contains(text, `"Rows":[[42]]`) {
		t.Errorf("answer = %d %s, want 42", answer.StatusCode, text)
	}
}
