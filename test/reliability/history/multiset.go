package main

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// multiset counts rows; negative where there are less than none.
type multiset map[string]int

// gather counts rows.
func gather(rows iter.Seq2[[]byte, error]) (multiset, error) {
	m := multiset{}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		m[string(row)]++
	}
	return m, nil
}

// minus is m without the rows of o, each as often as it is there.
func (m multiset) minus(o multiset) multiset {
	out := multiset{}
	for row, n := range m {
		if n -= o[row]; n != 0 {
			out[row] = n
		}
	}
	for row, n := range o {
		if _, ok := m[row]; !ok {
			out[row] = -n
		}
	}
	return out
}

// only are the rows of which there are more than none, or less with sign -1,
// sorted and as often as they are there.
func (m multiset) only(sign int) []string {
	var out []string
	for row, n := range m {
		for range n * sign {
			out = append(out, row)
		}
	}
	slices.Sort(out)
	return out
}

// String says what lacks and what is too much, with a row of each.
func (m multiset) String() string {
	var out strings.Builder
	for _, side := range []struct {
		what string
		rows []string
	}{{"lost", m.only(1)}, {"beyond", m.only(-1)}} {
		if len(side.rows) > 0 {
			fmt.Fprintf(&out, "\n\t%d %s, such as %.700s", len(side.rows), side.what, side.rows[0])
		}
	}
	return out.String()
}
