package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// outcome sorts a comparison.
type outcome string

const (
	equal        outcome = "equal"
	typesDiffer  outcome = "types"        // the same values in columns of other types
	wrong        outcome = "wrong"        // another answer
	incomparable outcome = "incomparable" // the query does not determine its answer
	refused      outcome = "refused"
)

// verdict is the outcome of one case.
type verdict struct {
	outcome outcome
	why     string
	answer  answer
}

// undetermined are parts of queries whose answer is another one at each run,
// or an estimate whose algorithm is not published.
var undetermined = []struct {
	what    string
	pattern *regexp.Regexp
}{
	{"the time of the run", regexp.MustCompile(`(?i)\b(now|ago|ingestion_time|startofday\s*\(\s*now)\s*\(`)},
	{"random values", regexp.MustCompile(`(?i)\b(rand|new_guid|sample|sample-distinct|hash_many)\b`)},
	{"an arbitrary choice", regexp.MustCompile(`(?i)\b(take_any|any|take|limit|dcount_hll|hll|tdigest|reduce|autocluster|basket|diffpatterns)\b`)},
	{"the bytes that a compressor makes", regexp.MustCompile(`(?i)\b(gzip|zlib)_compress_to_base64_string\b`)},
	{"an identity or a place", regexp.MustCompile(`(?i)\b(current_\w+|cluster|database)\s*\(`)},
}

// undeterminedBy says what keeps a query from determining its answer, "" for nothing.
func undeterminedBy(text string) string {
	for _, u := range undetermined {
		if u.pattern.MatchString(text) {
			return u.what
		}
	}
	return ""
}

// queryTime bounds one query.
const queryTime = 20 * time.Second

// judge runs a case and compares the answers.
func judge(c recordedCase) verdict {
	got, err := run(c.KQL, time.Now())
	if what := undeterminedBy(c.KQL); errors.Is(err, context.DeadlineExceeded) && what != "" {
		return verdict{outcome: incomparable, why: what + " (not finished in " + queryTime.String() + ")"}
	}
	if err != nil {
		return verdict{outcome: refused, why: reason(err)}
	}
	why := compare(c.Expected, got)
	if why != "" && undetermined[0].pattern.MatchString(c.KQL) {
		if then, ok := atRecordedTime(c); ok {
			got, why = then, ""
		}
	}
	v := verdict{outcome: equal, answer: got}
	if why != "" {
		v.outcome, v.why = wrong, why
		if what := undeterminedBy(c.KQL); what != "" {
			v.outcome, v.why = incomparable, what+" ("+why+")"
		}
		return v
	}
	for i, t := range c.Expected.Types {
		if got.Types[i] != t {
			return verdict{outcome: typesDiffer, why: fmt.Sprintf("column %s is %s, recorded %s", got.Columns[i], got.Types[i], t), answer: got}
		}
	}
	return v
}

// mostTimes bounds the times of the run that are tried.
const mostTimes = 50

// atRecordedTime runs the case as of the times in its recorded answer, where the
// time of the recording often is, and is false if none gives that answer.
func atRecordedTime(c recordedCase) (answer, bool) {
	tried := map[int64]bool{}
	for _, at := range times(nil, c.Expected.Rows) {
		if tried[at.Ticks()] || len(tried) == mostTimes {
			continue
		}
		tried[at.Ticks()] = true
		if got, err := run(c.KQL, at.Time()); err == nil && compare(c.Expected, got) == "" {
			return got, true
		}
	}
	return answer{}, false
}

// times appends the datetimes in values.
func times[T any](list []value.Value, values []T) []value.Value {
	for _, v := range values {
		switch v := any(v).(type) {
		case []any:
			list = times(list, v)
		case string:
			if at, ok := value.ParseDateTime(v); ok && len(v) >= len("2006-01-02T15:04:05Z") {
				list = append(list, at)
			}
		}
	}
	return list
}

// reason is a refusal without its position, short enough to be counted.
func reason(err error) string {
	var e *kql.Error
	text := err.Error()
	if errors.As(err, &e) {
		text = e.Message
		if e.Kind != kql.Unsupported {
			text = "NOT BY NAME: " + text
		}
	}
	line, _, _ := strings.Cut(text, "\n")
	if len(line) > 160 {
		line = line[:160]
	}
	return line
}

// run evaluates a query as of a time and answers its first result.
func run(text string, now time.Time) (_ answer, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), queryTime)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	q, err := kql.Compile(text, kql.Environment{Catalog: nothing{}, Database: "Home", Now: now})
	if err != nil {
		return answer{}, err
	}
	s := q.Statements[0] // the recorded answer is the first result
	var a answer
	for _, c := range s.Columns() {
		a.Columns, a.Types = append(a.Columns, c.Name), append(a.Types, netTypes[c.Kind])
	}
	for row, err := range s.Rows(ctx) {
		if err != nil {
			return a, err
		}
		cells := make([]any, len(row))
		for i, v := range row {
			if cells[i], err = cell(v); err != nil {
				return a, err
			}
		}
		a.Rows = append(a.Rows, cells)
	}
	return a, nil
}

// cell is a value as JSON has it in an answer.
func cell(v value.Value) (any, error) {
	var out any
	d := json.NewDecoder(strings.NewReader(string(v.AppendJSON(nil))))
	d.UseNumber()
	err := d.Decode(&out)
	return out, err
}

// netTypes are the names that answers of version 1 give to types
// (https://learn.microsoft.com/kusto/query/scalar-data-types).
var netTypes = map[value.Kind]string{
	value.Bool: "SByte", value.Int: "Int32", value.Long: "Int64", value.Real: "Double", value.Decimal: "SqlDecimal",
	value.DateTime: "DateTime", value.TimeSpan: "TimeSpan", value.String: "String", value.GUID: "Guid", value.Dynamic: "Object",
}

// nothing is a catalog without tables and functions.
type nothing struct{}

func (nothing) Table(string, string) (kql.Relation, bool)    { return nil, false }
func (nothing) Function(string, string) (kql.Function, bool) { return kql.Function{}, false }
func (nothing) Tables(string) []string                       { return nil }
