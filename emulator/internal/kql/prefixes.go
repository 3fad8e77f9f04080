package kql

import (
	"slices"
	"strings"
)

// Prefixes is a set of string prefixes; nil lets every string pass. The empty string
// passes if EmptyText is among them.
type Prefixes []string // sorted, none beginning with another

// EmptyText is how a set of prefixes contains the string that is empty. Strings that
// begin with it pass too: a set bounds what a condition can find.
const EmptyText = "\x00"

// Empty says whether the empty string passes by itself.
func (p Prefixes) Empty() bool { return len(p) > 0 && p[0] == EmptyText }

// NewPrefixes makes the set of list. It is nil, letting all pass, when the empty
// prefix is among them, and empty, letting none pass, when list is.
func NewPrefixes(list []string) Prefixes {
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	set := make(Prefixes, 0, len(sorted))
	for _, p := range sorted {
		if p == "" {
			return nil
		}
		if n := len(set); n > 0 && strings.HasPrefix(p, set[n-1]) {
			continue
		}
		set = append(set, p)
	}
	return set
}

// Match says whether s begins with one of the prefixes.
func (p Prefixes) Match(s string) bool {
	if p == nil || s == "" && p.Empty() {
		return true
	}
	i, found := slices.BinarySearch(p, s)
	// A prefix of s sorts before s, and no other prefix is between them.
	return found || i > 0 && strings.HasPrefix(s, p[i-1])
}

// Overlap says whether a string from low to high can begin with one of the
// prefixes. With open, every string that begins with high counts as well.
func (p Prefixes) Overlap(low, high string, open bool) bool {
	if p == nil || low == "" && p.Empty() {
		return true
	}
	i, found := slices.BinarySearch(p, low)
	if found || i > 0 && strings.HasPrefix(low, p[i-1]) {
		return true
	}
	// The first prefix above low is the nearest to high.
	return i < len(p) && (p[i] <= high || open && strings.HasPrefix(p[i], high))
}
