// Package nearest finds the word that a misspelt one was meant to be.
package nearest

// Of is the known word that is closest to word by the letters to insert,
// delete or change (Levenshtein), if there is one with at most the given
// number of edits; else "".
func Of(word string, known []string, edits int) string {
	best, least := "", edits+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

func distance(a, b string) int {
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
