package hunting

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
)

// countColumn carries the count where a table has no string column. It is not
// published.
const countColumn = "CountOfAnswer"

// fetch is the text that asks for a slice: its rows, and one more row that
// holds their count behind the word mark, and behind a dot each, if the slice
// asks for it, the sums that are their fingerprint. The columns asText come as text.
func (p phrasing) fetch(s tvmexport.Slice, mark string, asText []string) string {
	var b strings.Builder
	b.WriteString("let answer = " + p.kept(name(s.Table.Name)+filters(s.Table, s.Window, s.Partitions, s.Ending...)+chosen(s.Table)) + ";\nunion (answer")
	for i, c := range asText {
		b.WriteString([]string{"\n| extend ", ", "}[min(i, 1)])
		// A list of one tells null from an empty bag, and a string that
		// holds JSON from an object; none of them differs on Graph's wire.
		fmt.Fprintf(&b, "%s = tostring(pack_array(%s))", name(c), name(c))
	}
	hash, sums, said := "", "", ""
	if s.Fingerprint {
		hash, sums = printed(s.Table)
		for _, c := range fingerprint.Columns {
			said += fmt.Sprintf(", '.', tostring(coalesce(%s, 0))", c)
		}
	}
	fmt.Fprintf(&b, "), (answer%s | summarize RowsOfAnswer = count()%s | project %s = strcat(%s, tostring(RowsOfAnswer)%s))",
		hash, sums, name(markColumn(s.Table)), text(mark), said)
	return b.String()
}

// printed are the operators that fingerprint rows: a column of hashes, and the
// sums of them in a summarize.
func printed(t tvmexport.Table) (extend, sums string) {
	column := unused(t, "PrintOfRow")
	return "\n| extend " + column + " = " + fingerprint.Row(t.FingerprintColumns(), name), ", " + fingerprint.Sums(column)
}

// markColumn is the column that carries the count: a string column, which
// costs nothing in the other rows. A table without one gets one more column.
func markColumn(t tvmexport.Table) string {
	if t.Key.Column != "" {
		return t.Key.Column
	}
	if len(t.Key.Hashed) > 0 {
		return t.Key.Hashed[0]
	}
	for _, c := range t.Columns {
		if c.Type == "string" {
			return c.Name
		}
	}
	return unused(t, countColumn)
}

// parts counts rows by the first digits of the key, and proves the answer
// behind the word mark. Low and High tell whether a part holds one key only.
func (p phrasing) parts(q tvmexport.CountQuery, mark string) union {
	key, digits := keyExpression(q.Table), q.Within.Depth()+q.Depth
	if row, hashed := q.Within.RowHash(); hashed {
		key, digits = rowHash(q.Table), len(row)+q.Depth
	}
	hash, sums := "", ""
	if q.Fingerprints {
		hash, sums = printed(q.Table)
	}
	column := unused(q.Table, "PartitionKey")
	counted := fmt.Sprintf("%s%s\n| extend %s = %s%s", name(q.Table.Name), filters(q.Table, q.Window, partsOf(q)), column, key, hash)
	return p.proven(counted, fmt.Sprintf(", Low = min(%[1]s), High = max(%[1]s)%[2]s", column, sums),
		fmt.Sprintf("Part = substring(%s, 0, %d)", column, digits), mark)
}

// all counts rows, and nothing else: for a service that refuses more.
func (p phrasing) all(q tvmexport.CountQuery, mark string) union {
	return union{legs: []string{fmt.Sprintf("%s%s\n| summarize Rows = count()\n| extend %s = strcat(%s, '1.', tostring(Rows)), Now = now()",
		name(q.Table.Name), filters(q.Table, q.Window, partsOf(q)), proofColumn, text(mark))}}
}

// bins counts rows by steps of the watermark, and proves the answer behind the
// word mark.
func (p phrasing) bins(q tvmexport.CountQuery, mark string) union {
	at := watermark(q.Table)
	counted := name(q.Table.Name) + binFilters(q)
	if q.Table.Watermark == tvmexport.IngestionTime {
		// The function is used where Microsoft's documentation uses it: in where and extend.
		column := unused(q.Table, "IngestedAt")
		counted += "\n| extend " + column + " = " + at
		at = column
	}
	hash, sums := "", ""
	if q.Fingerprints {
		hash, sums = printed(q.Table)
	}
	return p.proven(counted+hash, sums, fmt.Sprintf("Start = bin(%s, %s)", at, timespan(q.Bin)), mark)
}

// partsOf are the partitions that a count looks at.
func partsOf(q tvmexport.CountQuery) []tvmexport.Partition {
	if len(q.Only) > 0 {
		return q.Only
	}
	return []tvmexport.Partition{q.Within}
}

func binFilters(q tvmexport.CountQuery) string {
	mark := watermark(q.Table)
	window := windowCondition(q.Window, mark)
	if window == "" || !q.Nulls {
		return filters(q.Table, q.Window, partsOf(q))
	}
	return fmt.Sprintf("\n| where (%s) or isnull(%s)", window, mark) +
		filters(q.Table, tvmexport.Window{}, partsOf(q))
}

// filters are the conditions for the rows of a window and of partitions. Of the rests
// that end only keys are meant that end with their digits.
func filters(t tvmexport.Table, w tvmexport.Window, ps []tvmexport.Partition, ending ...tvmexport.Partition) string {
	var b strings.Builder
	for _, c := range []string{windowCondition(w, watermark(t)), partitionCondition(t, ps, ending...)} {
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

// timespan is a literal in seconds, or in ticks where it is no whole number of them.
func timespan(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dtick", d/tvmexport.Tick)
}

// bare names need no quotes: what begins with a capital letter is never a
// keyword of the language.
var bare = regexp.MustCompile(`^[A-Z][A-Za-z0-9_]*$`)

// name is a name as the language takes it, quoted unless it is plain.
func name(s string) string {
	if bare.MatchString(s) {
		return s
	}
	return "[" + text(s) + "]"
}

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\u0000`)

// text is a string literal.
func text(s string) string { return "'" + escapes.Replace(s) + "'" }
