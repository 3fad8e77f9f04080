package hunting

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
)

// fetchQuery is the text that asks for a slice: its rows, and one more row that
// holds their count behind the word mark.
func fetchQuery(s tvmexport.Slice, mark string, asText []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "let answer = %s%s", name(s.Table.Name), filters(s.Table, s.Window, s.Partitions))
	for i, c := range asText {
		b.WriteString([]string{"\n| extend ", ", "}[min(i, 1)])
		// A list of one tells null from an empty bag, and a string that
		// holds JSON from an object; none of them differs on Graph's wire.
		fmt.Fprintf(&b, "%s = tostring(pack_array(%s))", name(c), name(c))
	}
	at := markColumn(s.Table)
	fmt.Fprintf(&b, ";\nunion (answer), (answer | summarize RowsOfAnswer = count() | project %s = strcat(%s, tostring(RowsOfAnswer)))", name(at), text(mark))
	return b.String()
}

// markColumn is the column that carries the count: a string column, which
// costs nothing in the other rows. A table without one gets one more column.
func markColumn(t tvmexport.Table) string {
	for _, c := range t.Columns {
		if c.Type == "string" {
			return c.Name
		}
	}
	return "CountOfAnswer"
}

// partsQuery counts rows by the first digits of the key. Low and High tell
// whether a part holds one key only.
func partsQuery(q tvmexport.CountQuery) string {
	key, digits := keyExpression(q.Table), q.Within.Depth()+q.Depth
	if row, hashed := q.Within.RowHash(); hashed {
		key, digits = rowHash(q.Table), len(row)+q.Depth
	}
	return fmt.Sprintf("%s%s\n| extend PartitionKey = %s\n| summarize Rows = count(), Low = min(PartitionKey), High = max(PartitionKey) by Part = substring(PartitionKey, 0, %d)\n| extend Now = now()",
		name(q.Table.Name), filters(q.Table, q.Window, []tvmexport.Partition{q.Within}), key, digits)
}

// wholeQuery counts rows, and nothing else: for a service that refuses more.
func wholeQuery(q tvmexport.CountQuery) string {
	return fmt.Sprintf("%s%s\n| summarize Rows = count()\n| extend Now = now()",
		name(q.Table.Name), filters(q.Table, q.Window, []tvmexport.Partition{q.Within}))
}

// binsQuery counts rows by steps of the watermark.
func binsQuery(q tvmexport.CountQuery) string {
	mark := watermark(q.Table)
	step := fmt.Sprintf("%ds", int64(q.Bin/time.Second))
	return fmt.Sprintf("%s%s\n| summarize Rows = count() by Start = bin(%s, %s)\n| extend Now = now()",
		name(q.Table.Name), binFilters(q, mark), mark, step)
}

func binFilters(q tvmexport.CountQuery, mark string) string {
	where := ""
	if c := windowCondition(q.Window, mark); c != "" {
		if q.Nulls {
			c = fmt.Sprintf("(%s) or isnull(%s)", c, mark)
		}
		where = "\n| where " + c
	}
	if c := partitionCondition(q.Table, []tvmexport.Partition{q.Within}); c != "" {
		where += "\n| where " + c
	}
	return where
}

func filters(t tvmexport.Table, w tvmexport.Window, ps []tvmexport.Partition) string {
	var b strings.Builder
	for _, c := range []string{windowCondition(w, watermark(t)), partitionCondition(t, ps)} {
		if c != "" {
			b.WriteString("\n| where " + c)
		}
	}
	return b.String()
}

func watermark(t tvmexport.Table) string {
	if t.Watermark == tvmexport.IngestionTime {
		return t.Watermark
	}
	return name(t.Watermark)
}

func windowCondition(w tvmexport.Window, mark string) string {
	if w.Null {
		return fmt.Sprintf("isnull(%s)", mark)
	}
	var and []string
	if !w.From.IsZero() {
		and = append(and, fmt.Sprintf("%s > %s", mark, moment(w.From)))
	}
	if !w.To.IsZero() {
		and = append(and, fmt.Sprintf("%s <= %s", mark, moment(w.To)))
	}
	return strings.Join(and, " and ")
}

// moment is a datetime literal, to the tick.
func moment(t time.Time) string {
	return "datetime(" + t.UTC().Format("2006-01-02T15:04:05.0000000Z") + ")"
}

// keyExpression is the table's key as an expression.
func keyExpression(t tvmexport.Table) string {
	switch {
	case t.Key.Column != "":
		return name(t.Key.Column)
	case len(t.Key.Hashed) == 1:
		return fmt.Sprintf("hash_sha256(%s)", name(t.Key.Hashed[0]))
	case len(t.Key.Hashed) > 1:
		return fmt.Sprintf("hash_sha256(strcat(%s))", joined(t.Key.Hashed, name))
	}
	return rowHash(t)
}

// keySeparator stands between the columns of a key before it is hashed.
const keySeparator = "|"

func joined(columns []string, form func(string) string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = form(c)
	}
	return strings.Join(parts, ", "+text(keySeparator)+", ")
}

// rowHash is the hash of the whole row, over the columns that are known.
func rowHash(t tvmexport.Table) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.Name
	}
	return fmt.Sprintf("hash_sha256(strcat(%s))", joined(columns, func(c string) string { return "tostring(" + name(c) + ")" }))
}

// partitionCondition holds for the rows of the partitions; "" if that is all rows.
func partitionCondition(t tvmexport.Table, ps []tvmexport.Partition) string {
	if row, hashed := ps[0].RowHash(); hashed {
		return rowCondition(t, ps, len(row))
	}
	ps = collapse(ps)
	if len(ps) == 1 && ps[0] == tvmexport.Whole {
		return ""
	}
	key := keyExpression(t)
	byDepth := map[int][]string{}
	var or []string
	for _, p := range ps {
		if p.Rest() {
			or = append(or, restCondition(key, p.Key()))
			continue
		}
		byDepth[p.Depth()] = append(byDepth[p.Depth()], p.Key())
	}
	for depth := 64; depth > 0; depth-- {
		switch prefixes := byDepth[depth]; len(prefixes) {
		case 0:
		case 1:
			or = append(or, fmt.Sprintf("%s startswith_cs %s", key, text(prefixes[0])))
		default:
			or = append(or, fmt.Sprintf("substring(%s, 0, %d) in (%s)", key, depth, list(prefixes)))
		}
	}
	return strings.Join(or, " or ")
}

// restCondition holds for keys that begin with prefix and do not go on with a
// hex digit.
func restCondition(key, prefix string) string {
	not := fmt.Sprintf("not(%s matches regex %s)", key, text("^"+prefix+"[0-9a-f]"))
	if prefix == "" {
		return not
	}
	return fmt.Sprintf("(%s startswith_cs %s and %s)", key, text(prefix), not)
}

// rowCondition holds for the rows of one partition whose hash begins with one
// of several prefixes of equal length.
func rowCondition(t tvmexport.Table, ps []tvmexport.Partition, digits int) string {
	var and, prefixes []string
	if base := partitionCondition(t, []tvmexport.Partition{ps[0].Base()}); base != "" {
		and = append(and, "("+base+")")
	}
	for _, p := range ps {
		row, _ := p.RowHash()
		prefixes = append(prefixes, row)
	}
	switch {
	case digits == 0:
	case len(prefixes) == 1:
		and = append(and, fmt.Sprintf("%s startswith_cs %s", rowHash(t), text(prefixes[0])))
	default:
		and = append(and, fmt.Sprintf("substring(%s, 0, %d) in (%s)", rowHash(t), digits, list(prefixes)))
	}
	return strings.Join(and, " and ")
}

// collapse puts a partition in the place of its sixteen digits and its rest
// where all of them are asked for.
func collapse(ps []tvmexport.Partition) []tvmexport.Partition {
	children := map[tvmexport.Partition]int{}
	out := slices.Clone(ps)
	for i := 0; i < len(out); i++ {
		parent, ok := out[i].Parent()
		if !ok {
			continue
		}
		if children[parent]++; children[parent] == 17 {
			out = append(out, parent) // is looked at in its turn
		}
	}
	return slices.DeleteFunc(out, func(p tvmexport.Partition) bool {
		for parent, ok := p.Parent(); ok; parent, ok = parent.Parent() {
			if children[parent] == 17 {
				return true
			}
		}
		return false
	})
}

func list(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = text(v)
	}
	return strings.Join(quoted, ", ")
}

var bare = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// name is a name as the language takes it, quoted where it is no identifier.
func name(s string) string {
	if bare.MatchString(s) {
		return s
	}
	return "[" + text(s) + "]"
}

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// text is a string literal.
func text(s string) string { return "'" + escapes.Replace(s) + "'" }
