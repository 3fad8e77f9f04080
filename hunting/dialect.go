package hunting

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport"
)

// dialect is what was learned of how the service takes queries about one
// table. It is a value: what is learned later makes another one.
type dialect struct {
	plain    bool               // computes no fingerprints
	whole    bool               // counts parts of a table only
	wire     bool               // does not give dynamic columns as text
	textless []string           // dynamic columns that the table does not have
	hashless []string           // columns that the hash of a row leaves out, since the table does not have them
	hideless []string           // columns to hide that the table does not have
	columns  []tvmexport.Column // as an answer declared them behind its rows
}

// dialects holds the dialect of each table.
type dialects struct {
	mu sync.Mutex
	of map[string]dialect
}

func (d *dialects) get(table string) dialect {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.of[table]
}

func (d *dialects) change(table string, f func(*dialect)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of == nil {
		d.of = map[string]dialect{}
	}
	changed := d.of[table]
	f(&changed)
	d.of[table] = changed
}

// asText lists the columns that are asked for as text.
func (d dialect) asText(t tvmexport.Table) []string {
	if d.wire {
		return nil
	}
	var out []string
	for _, c := range d.typed(t).Columns {
		if c.Type == "dynamic" && !slices.Contains(d.textless, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

// typed is t with the types that the service declared.
func (d dialect) typed(t tvmexport.Table) tvmexport.Table {
	if d.columns != nil {
		t.Columns = d.columns
	}
	return t
}

// hashable is t with the columns that make the hash of a row. It changes by
// counts alone: what was counted by one hash must be asked for by the same.
func (d dialect) hashable(t tvmexport.Table) tvmexport.Table {
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c tvmexport.Column) bool {
		return slices.Contains(d.hashless, c.Name)
	})
	return t
}

var named = regexp.MustCompile(`named '([^']+)'`)

// absent is the column, among known ones, that a refusal says does not exist; "" if none.
func absent(err error, known []tvmexport.Column) string {
	m := named.FindStringSubmatch(err.Error())
	if m != nil && slices.ContainsFunc(known, func(c tvmexport.Column) bool { return c.Name == m[1] }) {
		return m[1]
	}
	return ""
}

// notAsText says whether a refusal is about how dynamic columns are asked for as text.
func notAsText(err error) bool {
	return strings.Contains(err.Error(), "pack_array") || strings.Contains(err.Error(), "tostring")
}
