package hunting

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
)

// keyExpression is the table's key as an expression.
func keyExpression(t tvmexport.Table) string {
	switch {
	case t.Key.Column != "":
		return name(t.Key.Column)
	case len(t.Key.Hashed) > 0:
		return fingerprint.Joined(t.Key.Hashed, name)
	}
	return rowHash(t)
}

// rowHash is the hash of the whole row, over the columns that are known.
func rowHash(t tvmexport.Table) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.Name
	}
	return fingerprint.JoinedRow(columns, func(c string) string { return "tostring(" + name(c) + ")" })
}

// partitionCondition holds for the rows of the partitions; "" if that is all rows.
func partitionCondition(t tvmexport.Table, ps []tvmexport.Partition, ending ...tvmexport.Partition) string {
	if len(ps) == 0 {
		return "false"
	}
	if _, hashed := ps[0].RowHash(); hashed {
		return rowCondition(t, ps)
	}
	ps = tvmexport.FoldPartitions(ps)
	if slices.Contains(ps, tvmexport.AllPartitions) {
		return ""
	}
	key := keyExpression(t)
	var rests, prefixes, around []string
	for _, p := range ps {
		around = append(around, p.Key())
		if slices.Contains(ending, p) {
			rests = append(rests, fmt.Sprintf("%s == %s", key, text(p.Key())))
			continue
		}
		if p.Rest() {
			rests = append(rests, restCondition(key, p.Key()))
			continue
		}
		prefixes = append(prefixes, p.Key())
	}
	if t.Key.Column == "" { // the service has no index of the hash of columns
		return strings.Join(append(rests, prefixConditions(key, prefixes)...), " or ")
	}
	if len(prefixes) <= fewPrefixes {
		for _, p := range prefixes {
			rests = append(rests, startsWith(key, p))
		}
		return strings.Join(rests, " or ")
	}
	exact := strings.Join(append(rests, prefixConditions(key, prefixes)...), " or ")
	wider := wide(around)
	if len(wider) == 0 {
		return exact
	}
	for i, p := range wider {
		wider[i] = startsWith(key, p)
	}
	return "(" + strings.Join(wider, " or ") + ") and (" + exact + ")"
}

// The service finds the rows whose key begins with a text by an index. It reads the
// whole table for any other condition, unless one by the index precedes it.
const (
	fewPrefixes  = 40 // that are named one by one
	widePrefixes = 24 // around a list of more
)

func startsWith(key, prefix string) string {
	return fmt.Sprintf("%s startswith_cs %s", key, text(prefix))
}

// wide are at most widePrefixes prefixes that hold all those of a list; none if one
// of them is empty or they have no digit in common.
func wide(prefixes []string) []string {
	digits := 0
	for _, p := range prefixes {
		digits = max(digits, len(p))
	}
	for ; digits > 0; digits-- {
		shorter := make([]string, len(prefixes))
		for i, p := range prefixes {
			shorter[i] = p[:min(digits, len(p))]
		}
		slices.Sort(shorter) // a prefix is before those that it begins
		if shorter[0] == "" {
			return nil
		}
		out := shorter[:1]
		for _, p := range shorter[1:] {
			if !strings.HasPrefix(p, out[len(out)-1]) {
				out = append(out, p)
			}
		}
		if len(out) <= widePrefixes {
			return out
		}
	}
	return nil
}

// rowCondition holds for the rows of one partition whose hash begins with one
// of several prefixes.
func rowCondition(t tvmexport.Table, ps []tvmexport.Partition) string {
	base := partitionCondition(t, []tvmexport.Partition{ps[0].Base()})
	var prefixes []string
	for _, p := range ps {
		row, _ := p.RowHash()
		if row == "" {
			return base
		}
		prefixes = append(prefixes, row)
	}
	or := strings.Join(prefixConditions(rowHash(t), prefixes), " or ")
	if base == "" {
		return or
	}
	return base + " and (" + or + ")"
}

// prefixConditions hold, taken together by or, for keys that begin with one of prefixes.
func prefixConditions(key string, prefixes []string) []string {
	byDepth := map[int][]string{}
	for _, p := range prefixes {
		byDepth[len(p)] = append(byDepth[len(p)], p)
	}
	var or []string
	for _, depth := range slices.Sorted(maps.Keys(byDepth)) {
		or = append(or, prefixCondition(key, depth, byDepth[depth]))
	}
	return or
}

// prefixCondition holds for keys that begin with one of prefixes, which are
// digits long each.
func prefixCondition(key string, digits int, prefixes []string) string {
	if len(prefixes) == 1 {
		return startsWith(key, prefixes[0])
	}
	return fmt.Sprintf("substring(%s, 0, %d) in (%s)", key, digits, list(prefixes))
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

func list(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = text(v)
	}
	return strings.Join(quoted, ", ")
}
