package assessment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
)

// column is a column of a row, or another name of one.
type column struct {
	name     string
	quoted   []byte  // ,"name":
	nothing  []byte  // ,"name":null, or an empty list
	kind     string  // Kusto type; of an unknown column the one of the values so far, "" at first
	known    bool    // it is in the catalogue
	text     bool    // dynamic, sent as JSON text
	hidden   bool    // not published
	masked   bool    // published as a pseudonym
	stands   *column // for which it is another name; nil for a column
	spelling []byte  // "name": as the last member of it was written
	next     *column // that followed in the last row

	row   int64  // the last row that has it
	value []byte // there
	// escaped: the value, or the name before it, has an escape.
	escaped bool

	misfits  int64 // values that do not fit its type
	misfitAt int64 // the first row that has one, from 1

	lastValue, lastMask []byte // of a masked column: its last value and the pseudonym
}

// begin is what a member of the column is thought to begin with; nil for no column.
func (c *column) begin() []byte {
	if c == nil {
		return nil
	}
	return c.spelling
}

// title names the column in messages. The name of an unknown one may be a value that
// damage has moved there.
func (c *column) title() string {
	if !c.known {
		return "a column that is not in the catalogue"
	}
	return "column " + c.name
}

// columns are those of a table's rows.
type columns struct {
	catalogue []*column // in order
	unknown   []*column // by name
	names     []*column // other names of columns
	key       *column
	by        map[string]*column // by member names as they were written, and in lower case
	policy    tvmexport.ColumnPolicy
}

// mostColumns bounds the memory that an answer of nonsense can take. Kusto allows a
// table 10,000 columns.
const mostColumns = 30_000

var errColumns = fmt.Errorf("the rows have more than %d different members", mostColumns)

// columnsOf are the columns of a table of the catalogue, as its policy publishes them.
func columnsOf(t tvmexport.Table) (*columns, error) {
	info, ok := catalog.Lookup(t.Name)
	of, known := sets[t.Name]
	if !ok || !known {
		return nil, unknownTable("fetch", t.Name)
	}
	c := &columns{by: map[string]*column{}, policy: t.Policy}
	for _, k := range info.Columns {
		at := c.make(k.Name)
		at.kind, at.known = k.Type, true
		at.text = slices.Contains(texts, k.Name)
		if slices.Contains(lists, k.Name) {
			at.nothing = append(slices.Clone(at.quoted), "[]"...)
		}
		c.catalogue = append(c.catalogue, at)
		if k.Name == t.Key.Column {
			c.key = at
		}
	}
	for name, title := range of.names {
		c.names = append(c.names, &column{name: name, known: true, stands: c.by[strings.ToLower(title)]})
		c.by[name] = c.names[len(c.names)-1]
	}
	if c.key == nil {
		return nil, &tvmexport.Error{
			Op: "fetch", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage,
			Err: errors.New("the key of the table's partitions is not one of its columns"), Hint: "use the key of the catalogue, DeviceId",
		}
	}
	return c, nil
}

// make is a new column, as the policy publishes it.
func (c *columns) make(name string) *column {
	quoted, _ := jsontext.AppendQuote([]byte{','}, name) // invalid UTF-8 is replaced
	quoted = append(quoted, ':')
	at := &column{
		name: name, quoted: quoted, nothing: append(slices.Clone(quoted), "null"...),
		hidden: c.policy.Excludes(name), masked: c.policy.Pseudonymises(name),
	}
	c.by[strings.ToLower(name)] = at
	return at
}

// find is the column of a member, by its name as it is written in the row.
func (c *columns) find(key []byte) (*column, error) {
	if at := c.by[string(key)]; at != nil {
		return at, nil
	}
	name := string(key)
	if strings.Contains(name, `\`) {
		plain, _ := jsontext.AppendUnquote(nil, `"`+name+`"`) // valid except for lone surrogates
		name = string(plain)
	}
	name = string([]rune(name)) // invalid UTF-8 is replaced, as in the row
	if len(c.by) > mostColumns {
		return nil, errColumns
	}
	at := c.by[strings.ToLower(name)]
	if at == nil {
		at = c.make(pascal(name))
		i, _ := slices.BinarySearchFunc(c.unknown, at.name, func(u *column, name string) int { return strings.Compare(u.name, name) })
		c.unknown = slices.Insert(c.unknown, i, at)
	}
	c.by[string(key)] = at
	return at, nil
}

// pascal is a name whose first letter is a capital, as in files.
func pascal(name string) string {
	if name == "" || name[0] < 'a' || name[0] > 'z' {
		return name
	}
	return string(name[0]-'a'+'A') + name[1:]
}

// published are the columns of the catalogue without the hidden ones.
func (c *columns) published() []tvmexport.Column { return shown(c.catalogue) }

// found are the unknown columns that had a value, with the type of their values.
func (c *columns) found() []tvmexport.Column { return shown(c.unknown) }

func shown(list []*column) []tvmexport.Column {
	var out []tvmexport.Column
	for _, at := range list {
		if !at.hidden && at.kind != "" {
			out = append(out, tvmexport.Column{Name: at.name, Type: at.kind})
		}
	}
	return out
}
