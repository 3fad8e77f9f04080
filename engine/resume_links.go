package engine

// links says which of n things, named 0 to n-1, are connected: a forest in
// which each thing points towards the root of its set.
type links []int

func newLinks(n int) links {
	l := make(links, n)
	for i := range l {
		l[i] = i
	}
	return l
}

// find is the root of the set that i is in.
func (l links) find(i int) int {
	for l[i] != i {
		l[i] = l[l[i]]
		i = l[i]
	}
	return i
}

func (l links) join(a, b int) { l[l.find(a)] = l.find(b) }

// cut makes i a set of its own. What pointed at i has to be cut as well before
// it is asked for again.
func (l links) cut(i int) { l[i] = i }
