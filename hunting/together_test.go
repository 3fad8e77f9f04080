package hunting

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tvmexport/tvmexport"
)

// counter answers counts of tables with three rows each, also of several at once.
// corrupt changes the rows of an answer to several counts.
type counter struct {
	mu      sync.Mutex
	queries []string
	refuse  func(query string) *answer
	corrupt func(rows []string) []string
}

var countedTable = regexp.MustCompile(`(?:let counted\d* = |^)(?:materialize\()?(T\d)\b`)

func (c *counter) reply(_ int, query string) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queries = append(c.queries, query)
	if c.refuse != nil {
		if a := c.refuse(query); a != nil {
			return *a
		}
	}
	var rows []string
	tables := countedTable.FindAllStringSubmatch(query, -1)
	for i, nonce := range inNonce.FindAllStringSubmatch(query, -1) {
		member := ""
		if len(tables) > 1 {
			member = fmt.Sprintf(`"Member":%d,`, i)
		}
		rows = append(rows, fmt.Sprintf(`{%s"Part":"3","Low":"3a","High":"3b","Rows":3}`, member),
			fmt.Sprintf(`{%s"Rows":null,"Proof":"%s1.3","Now":"2026-11-23T12:00:00Z"}`, member, nonce[1]))
	}
	if len(tables) > 1 && c.corrupt != nil {
		rows = c.corrupt(rows)
	}
	return answer{body: `{"schema":[],"results":[` + strings.Join(rows, ",") + `]}`}
}

// tablesOf are counts of tables T0, T1 and so on.
func tablesOf(n int) []tvmexport.CountQuery {
	out := make([]tvmexport.CountQuery, n)
	for i := range out {
		out[i] = tvmexport.CountQuery{Table: tvmexport.Table{Name: fmt.Sprintf("T%d", i), Key: tvmexport.Key{Column: "DeviceId"}, Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}}}, Depth: 1}
	}
	return out
}

func refusal(message string) *answer {
	return &answer{status: 400, body: `{"error":{"code":"BadRequest","message":"` + message + `"}}`}
}

// several says whether a query is about more than one table.
func several(query string) bool { return len(countedTable.FindAllString(query, -1)) > 1 }

func TestCountTables(t *testing.T) {
	for _, tt := range []struct {
		name    string
		refuse  func(query string) *answer
		corrupt func(rows []string) []string
		calls   int
		fails   []int // tables without a count
	}{
		{"one call for all", nil, nil, 1, nil},
		{"a part is cut", nil, func(rows []string) []string { return slices.Delete(rows, 2, 3) }, 2, nil},
		{"a proof is cut", nil, func(rows []string) []string { return slices.Delete(rows, 3, 4) }, 2, nil},
		{"a table is missing in the answer", nil, func(rows []string) []string { return slices.Delete(rows, 2, 4) }, 2, nil},
		{"a row comes twice", nil, func(rows []string) []string { return append(rows, rows[4]) }, 2, nil},
		{"a row of another query", nil, func(rows []string) []string {
			rows[2] = strings.Replace(rows[2], `"Part":"3"`, `"Part":"3","Proof":"word:1.3"`, 1)
			return rows
		}, 2, nil},
		{"parts are changed over", nil, func(rows []string) []string {
			rows[0] = strings.Replace(rows[0], `"Rows":3`, `"Rows":2`, 1)
			rows[2] = strings.Replace(rows[2], `"Rows":3`, `"Rows":4`, 1)
			return rows
		}, 3, nil},
		{"a row belongs to no query", nil, func(rows []string) []string {
			return append(rows, strings.Replace(rows[0], `"Member":0`, `"Member":9`, 1))
		}, 7, nil}, // the answer is asked for again twice before
		{"a table is missing", func(q string) *answer {
			if strings.Contains(q, "T2") {
				return refusal("Failed to resolve table or column expression named 'T2'. Fix semantic errors in your query.")
			}
			return nil
		}, nil, 3, []int{2}},
		{"too large together", func(q string) *answer {
			if several(q) && strings.Contains(q, "T3") {
				return refusal("Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again")
			}
			return nil
		}, nil, 5, nil},
		{"it takes too long", func(q string) *answer {
			if several(q) {
				return &answer{status: 504, body: `{"error":{"code":"UnknownError","message":""}}`}
			}
			return nil
		}, nil, 7, nil},
		{"pre-empted twice", func(q string) *answer {
			if len(countedTable.FindAllString(q, -1)) > 2 {
				return refusal("Query execution has exceeded the allowed limits. The query execution was preempted.")
			}
			return nil
		}, nil, 4, nil},
		{"joining is refused", func(q string) *answer {
			if several(q) {
				return refusal("union is not supported. Fix semantic errors in your query.")
			}
			return nil
		}, nil, 5, nil},
		{"keeping rows is refused", func(q string) *answer {
			if strings.Contains(q, "materialize") {
				return refusal("Unknown function: 'materialize'. Fix semantic errors in your query.")
			}
			return nil
		}, nil, 2, nil},
		{"no permission", func(string) *answer {
			return &answer{status: 403, body: `{"error":{"code":"Forbidden","message":"Missing application roles."}}`}
		}, nil, 1, []int{0, 1, 2, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &counter{refuse: tt.refuse, corrupt: tt.corrupt}
				s := &service{reply: c.reply}
				calls := 0
				for i, r := range s.client(t, nil).CountTables(t.Context(), tablesOf(4)) {
					calls += r.Calls
					if failed := slices.Contains(tt.fails, i); failed != (r.Err != nil) {
						t.Errorf("T%d: %v", i, r.Err)
					} else if !failed && (len(r.Parts) != 1 || r.Parts[0].Partition != "3" || r.Parts[0].Rows != 3 || r.Now.IsZero()) {
						t.Errorf("T%d: %+v", i, r.Counts)
					} else if failed && !strings.Contains(r.Err.Error(), fmt.Sprintf("T%d", i)) {
						t.Errorf("T%d: the error does not name the table: %v", i, r.Err)
					}
				}
				if calls != tt.calls || len(s.at) != tt.calls {
					t.Errorf("%d calls, of which the results say %d; want %d\n%s", len(s.at), calls, tt.calls, strings.Join(c.queries, "\n\n"))
				}
			})
		})
	}
}

// Tables that are large together are counted apart, and a name that is none of the
// service's fails its table alone, without a call.
func TestCountTablesThatAreLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{}
		s := &service{reply: c.reply}
		list := tablesOf(4)
		for i := range list {
			list[i].Rows = jointRows * 2 / 5
		}
		list[3].Table.Name = "T3 | take 1"
		got := s.client(t, nil).CountTables(t.Context(), list)
		if len(s.at) != 2 || tvmexport.CauseOf(got[3].Err) != tvmexport.Usage {
			t.Errorf("%d calls, %v", len(s.at), got[3].Err)
		}
		for i, r := range got[:3] {
			if r.Err != nil || len(r.Parts) != 1 {
				t.Errorf("T%d: %+v", i, r)
			}
		}
	})
}

func TestJoinedQuery(t *testing.T) {
	p := phrasing{repeat: true}
	list := tablesOf(2)
	got := joinedUnions([]union{p.parts(list[0], "one:"), p.all(list[1], "two:")})
	want := `let counted0 = T0
| extend PartitionKey = DeviceId
| summarize Rows = count(), Low = min(PartitionKey), High = max(PartitionKey) by Part = substring(PartitionKey, 0, 1);
union (counted0
| extend Member = 0),
(counted0
| summarize Rows = sum(Rows), Parts = count()
| project Proof = strcat('one:', tostring(Parts), '.', tostring(coalesce(Rows, 0))), Now = now()
| extend Member = 0),
(T1
| summarize Rows = count()
| extend Proof = strcat('two:', '1.', tostring(Rows)), Now = now()
| extend Member = 1)`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
