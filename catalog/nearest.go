package catalog

import (
	"strings"

	"github.com/tvmexport/tvmexport/internal/nearest"
)

// Nearest is the known table whose name is closest to name, regardless of
// case, or "" if none is close enough to have been meant.
func Nearest(name string) string {
	byLower := map[string]string{}
	var lower []string
	for _, known := range Names() {
		l := strings.ToLower(known)
		byLower[l] = known
		lower = append(lower, l)
	}
	return byLower[nearest.Of(strings.ToLower(name), lower, len(name)/3)]
}
