package catalog

import "strings"

// Nearest is the known table whose name is closest to name, or "" if none is
// close enough to have been meant.
func Nearest(name string) string {
	best, least := "", len(name)/3+1
	for _, known := range Names() {
		if strings.EqualFold(known, name) {
			return known
		}
		if d := edits(strings.ToLower(name), strings.ToLower(known)); d < least {
			best, least = known, d
		}
	}
	return best
}

// edits counts the letters to insert, delete or change (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
