package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// unparsed is a batch with records that hold for unread.
type unparsed struct {
	batch tvmexport.BatchID
	rows  int64
	line  int64 // the first of them
}

// explain is the error for records that the service does not read. It names
// the place of the first one, and its most deeply nested column.
func (c *Arrivals) explain(ctx context.Context, run tvmexport.Run, u unparsed) error {
	where, what := "", ""
	s := conn.Statement{Op: "confirm", Table: run.Table.Name, Text: unparsedText(run.Table, u)}
	if rows, err := c.conn.Query(ctx, s); err == nil {
		type record struct{ text, part string }
		list, err := conn.ReadRows(s, rows, func(r *conn.Reader) record { return record{r.Text("Records"), r.Text("Partition")} })
		if err == nil && len(list) > 0 {
			what = deepestColumn(list[0].text, run.Table.Columns)
			if run.Table.KeyVisibility() == "" {
				where = fmt.Sprintf(", partition %q", list[0].part)
			}
		}
	}
	return &tvmexport.Error{
		Op: "confirm", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
		Err: fmt.Errorf("parse_json of the destination cannot parse %d records of batch %s in %s, the first at line %d%s%s",
			u.rows, u.batch, run.Table.Landing(), u.line, where, what),
		Hint: "nothing was published; exclude the column (tables: exclude) until its value changes, or set the table's IsActive to false",
	}
}

func unparsedText(t tvmexport.Table, u unparsed) string {
	return fmt.Sprintf(`%s
| where BatchId == %s and Line == %d
| take 1
| project Records, Partition`, kql.Ident(t.Landing()), kql.Literal(string(u.batch)), u.line)
}

// deepestColumn says which column of a record is nested most deeply. It quotes
// no value, and no name but those of known columns.
func deepestColumn(record string, columns []tvmexport.Column) string {
	d := json.NewDecoder(strings.NewReader(record))
	d.UseNumber()
	name, deepest, most, depth, key := "", "", 0, 0, false
	for {
		token, err := d.Token()
		if err != nil {
			if most == 0 || !errors.Is(err, io.EOF) {
				return "; its text is not valid JSON"
			}
			break
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				depth++
				key = depth == 1
			} else if depth--; depth == 1 {
				key = true
			}
			if depth > most {
				deepest, most = name, depth
			}
		case string:
			if depth == 1 && key {
				name, key = t, false
				continue
			}
			key = depth == 1
		default:
			key = depth == 1
		}
	}
	for _, c := range columns {
		if c.Name == deepest {
			return fmt.Sprintf("; its column %s is nested %d levels deep", deepest, most)
		}
	}
	return fmt.Sprintf("; a column of it is nested %d levels deep", most)
}
