package engine

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// tableList is the tables of a database, hidden ones left out.
func tableList(d *database) (*rows, error) {
	r := &rows{columns: stringColumns("TableName", "DatabaseName", "Folder", "DocString")}
	for _, t := range d.present.Load().sortedTables() {
		if !t.hidden {
			r.addText(t.name, d.name, t.folder, t.docString)
		}
	}
	return r, nil
}

// showTables is .show tables [details], .show table T and .show table T details.
func showTables(s *session, c *command.ShowTables) (*rows, error) {
	sc, err := s.scope()
	if err != nil {
		return nil, err
	}
	var tables []*table
	for _, name := range c.Names {
		_, t, err := s.table(name, Monitor)
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	if len(c.Names) == 0 {
		if err := sc.require(s.call.Principal, Monitor); err != nil {
			return nil, err
		}
		tables = slices.DeleteFunc(sc.state.sortedTables(), func(t *table) bool { return t.hidden })
	}
	switch {
	case c.One:
		r := &rows{columns: stringColumns("AttributeName", "AttributeType")}
		for _, col := range tables[0].columns {
			r.addText(col.Name, col.Kind.CSharp())
		}
		return r, nil
	case c.Details:
		return tableDetails(sc, tables), nil
	}
	r := &rows{columns: stringColumns("TableName", "DatabaseName", "Folder", "DocString")}
	for _, t := range tables {
		r.addText(t.name, sc.db.name, t.folder, t.docString)
	}
	return r, nil
}

// tableDetails has the columns of the page on .show table details. All data
// is hot.
func tableDetails(sc scope, tables []*table) *rows {
	r := &rows{columns: []value.Column{
		stringColumn("TableName"), stringColumn("DatabaseName"), stringColumn("Folder"), stringColumn("DocString"),
		longColumn("TotalExtents"), realColumn("TotalExtentSize"), realColumn("TotalOriginalSize"), longColumn("TotalRowCount"),
		longColumn("HotExtents"), realColumn("HotExtentSize"), realColumn("HotOriginalSize"), longColumn("HotRowCount"),
		stringColumn("AuthorizedPrincipals"), stringColumn("RetentionPolicy"), stringColumn("CachingPolicy"),
		stringColumn("ShardingPolicy"), stringColumn("MergePolicy"), stringColumn("StreamingIngestionPolicy"),
		timeColumn("MinExtentsCreationTime"), timeColumn("MaxExtentsCreationTime"), stringColumn("RowOrderPolicy"),
		guidColumn("TableId"),
	}}
	for _, t := range tables {
		var size, original int64
		first, last := value.Null(value.DateTime), value.Null(value.DateTime)
		for _, x := range t.extents {
			size += x.CompressedSize()
			original += x.OriginalSize()
			if from := timeValue(x.MinCreatedOn); first.IsNull() || from.Ticks() < first.Ticks() {
				first = from
			}
			if to := timeValue(x.MaxCreatedOn); last.IsNull() || to.Ticks() > last.Ticks() {
				last = to
			}
		}
		n, count := value.NewLong(int64(len(t.extents))), value.NewLong(t.rowCount())
		bytes, raw := value.NewReal(float64(size)), value.NewReal(float64(original))
		row := stringValues(t.name, sc.db.name, t.folder, t.docString)
		row = append(row, n, bytes, raw, count, n, bytes, raw, count)
		row = append(row, stringValues(authorizedPrincipals(&t.attributes))...)
		for _, p := range []string{policyRetention, policyCaching, "sharding", policyMerge, policyStreaming} {
			row = append(row, value.NewString(orNull(sc.state.policy(t, p))))
		}
		row = append(row, first, last, value.NewString(orNull(sc.state.policy(t, "roworder"))), guidValue(t.id))
		r.add(row...)
	}
	return r
}

// orNull is a policy's JSON, null where there is none.
func orNull(policy string) string {
	if policy == "" {
		return "null"
	}
	return policy
}

func authorizedPrincipals(a *attributes) string {
	type principal struct{ Type, DisplayName, ObjectId, FQN, Notes string }
	list := []principal{}
	for _, p := range a.principals {
		list = append(list, principal{principalType(p.fqn), p.displayName(), p.of, p.fqn, p.note})
	}
	text, err := json.Marshal(list)
	if err != nil {
		return "[]" // strings always have a JSON form
	}
	return string(text)
}

// schemaList is one row per table with the schema in the given form.
func schemaList(db string, tables []*table, form func(*table) string) (*rows, error) {
	r := &rows{columns: stringColumns("TableName", "Schema", "DatabaseName", "Folder", "DocString")}
	for _, t := range tables {
		if t != nil { // dropped meanwhile
			r.addText(t.name, form(t), db, t.folder, t.docString)
		}
	}
	return r, nil
}

// cslSchema is name:type,name:type as .create table takes it.
func cslSchema(t *table) string {
	var b strings.Builder
	for i, c := range t.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoteName(c.Name) + ":" + c.Kind.String())
	}
	return b.String()
}

// quoteName is a name as it is written in a command.
func quoteName(name string) string {
	plain := name != "" && (name[0] < '0' || name[0] > '9')
	for _, r := range []byte(name) {
		plain = plain && (r == '_' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z')
	}
	if plain {
		return name
	}
	return "['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "']"
}

// orderedColumn is a column as JSON schemas have it.
type orderedColumn struct{ Name, Type, CslType string }

func orderedColumns(columns []value.Column) []orderedColumn {
	ordered := make([]orderedColumn, len(columns))
	for i, c := range columns {
		ordered[i] = orderedColumn{c.Name, c.Kind.CSharp(), c.Kind.String()}
	}
	return ordered
}

func jsonSchema(t *table) string {
	text, err := json.Marshal(struct {
		Name           string
		OrderedColumns []orderedColumn
	}{t.name, orderedColumns(t.schema())})
	if err != nil {
		return "{}" // strings always have a JSON form
	}
	return string(text)
}
