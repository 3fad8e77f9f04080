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
func partitionCondition(t tvmexport.Table, ps []tvmexport.Partition) string {
	if len(ps) == 0 {
		return "false"
	}
	if _, hashed := ps[0].RowHash(); hashed {
		return rowCondition(t, ps)
	}
	ps = collapse(ps)
	if slices.Contains(ps, tvmexport.AllPartitions) {
		return ""
	}
	key := keyExpression(t)
	var or, prefixes []string
	for _, p := range ps {
		if p.Rest() {
			or = append(or, restCondition(key, p.Key()))
			continue
		}
		prefixes = append(prefixes, p.Key())
	}
	return strings.Join(append(or, prefixConditions(key, prefixes)...), " or ")
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
		return fmt.Sprintf("%s startswith_cs %s", key, text(prefixes[0]))
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
