package engine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Properties that change the answer are evaluated or refused by name, in the request and
// as set statements; others are passed over.
func TestRequestOptions(t *testing.T) {
	b := newBench(t)
	b.run(".create table T (a: long)")
	ask := func(options map[string]any, text string) ([]string, error) {
		c := Call{Principal: root, Database: "db", Text: text, Options: options, ActivityID: "22222222-2222-2222-2222-222222222222"}
		do := b.Query
		if strings.HasPrefix(text, ".") {
			do = b.Command
		}
		r, err := do(b.Context(), c)
		if err != nil {
			return nil, err
		}
		var rows []string
		for row, err := range r.Tables[0].Rows {
			if err != nil {
				return rows, err
			}
			rows = append(rows, row[0].String())
		}
		return rows, nil
	}
	const three = "range x from 1 to 3 step 1"
	for _, tt := range []struct {
		options map[string]any
		text    string
		want    []string
	}{
		{map[string]any{"query_take_max_records": 2.0}, three, []string{"1", "2"}},
		{map[string]any{"query_take_max_records": nil}, three, []string{"1", "2", "3"}},
		{nil, "set query_take_max_records = 1; " + three, []string{"1"}},
		{map[string]any{"query_now": "2020-01-02"}, "print now()", []string{"2020-01-02T00:00:00.0000000Z"}},
		{map[string]any{"query_now": "datetime(2020-01-02)"}, "print now()", []string{"2020-01-02T00:00:00.0000000Z"}},
		{map[string]any{"query_language": "csl", "query_datetimescope_to": nil, "request_block_row_level_security": false}, "print 1", []string{"1"}},
		{map[string]any{"request_app_name": "x", "query_results_cache_max_age": "00:05:00", "nothing": []any{1}}, "print 1", []string{"1"}},
		{nil, "set best_effort; set query_weakconsistency; print 1", []string{"1"}},
		{map[string]any{"request_readonly": true}, ".show tables | project TableName", []string{"T"}},
		{map[string]any{"request_readonly": false}, ".alter table T docstring ''", []string{"T"}},
	} {
		if got, err := ask(tt.options, tt.text); err != nil || !cmp.Equal(got, tt.want) {
			t.Errorf("%v, %s: %v, %v, want %v", tt.options, tt.text, got, err, tt.want)
		}
	}
	for _, tt := range []struct {
		options map[string]any
		text    string
		why     string
	}{
		{map[string]any{"query_datetimescope_from": "2020-01-01"}, "print 1", "'query_datetimescope_from' is not supported"},
		{map[string]any{"QUERY_DATETIMESCOPE_TO": "2020-01-01"}, "print 1", "'query_datetimescope_to' is not supported"},
		{nil, "set query_datetimescope_column = 'a'; print 1", "'query_datetimescope_column' is not supported"},
		{nil, "set query_cursor_after_default = '1'; T", "'query_cursor_after_default' is not supported"},
		{nil, "set request_block_row_level_security; T", "'request_block_row_level_security' is not supported"},
		{map[string]any{"query_language": "sql"}, "select 1", "query language 'sql' is not supported"},
		{map[string]any{"query_now": "soon"}, "print now()", "'query_now' is no date and time"},
		{map[string]any{"query_now": 7.0}, "print now()", "'query_now' is no date and time"},
		{map[string]any{"request_readonly": true}, ".drop table T", "read-only"},
		{map[string]any{"query_datetimescope_to": "2020-01-01"}, ".show tables", "'query_datetimescope_to' is not supported"},
	} {
		if got, err := ask(tt.options, tt.text); err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%v, %s: %v, %v, want %q", tt.options, tt.text, got, err, tt.why)
		}
	}
}
