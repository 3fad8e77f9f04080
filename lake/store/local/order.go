package local

import (
	"cmp"
	"io/fs"
	"slices"
)

// inOrder sorts the entries of a folder as the full names of the files below
// them are sorted: a folder counts as its name with a slash.
func inOrder(list []fs.DirEntry) []fs.DirEntry {
	key := func(d fs.DirEntry) string {
		if d.IsDir() {
			return d.Name() + "/"
		}
		return d.Name()
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(key(a), key(b)) })
	return list
}
