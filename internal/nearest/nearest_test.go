package nearest_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/internal/nearest"
)

func TestOf(t *testing.T) {
	known := []string{"share", "cloud", "api"}
	for _, tt := range []struct {
		word  string
		edits int
		want  string
	}{
		{"shares", 2, "share"}, {"shrae", 2, "share"}, {"clod", 1, "cloud"}, {"zzzz", 3, ""}, {"", 3, "api"}, {"api", 0, "api"}, {"apis", 0, ""},
	} {
		if got := nearest.Of(tt.word, known, tt.edits); got != tt.want {
			t.Errorf("Of(%q, %d) = %q, want %q", tt.word, tt.edits, got, tt.want)
		}
	}
}
