package assessment

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// place is where a page begins, as its $skiptoken says: a state of the data, one of its
// files, and how many lines of it are in earlier pages. The service documents tokens as
// opaque; what is known of them is from a published sample.
type place struct {
	at   time.Time // when the state was generated
	file int
	line int
}

// timePath is the form of the state's name, which begins the path of its files too.
const timePath = "2006-01-02/1504"

// placeOf reads a $skiptoken. ok is false for a token of another form.
func placeOf(token string) (p place, ok bool) {
	var t struct {
		ExportDefinition struct{ TimePath string }
		ExportFileIndex  *int
		LineStoppedAt    *int
	}
	plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(token), "=")
	text, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil || json.Unmarshal(text, &t) != nil || t.ExportFileIndex == nil || t.LineStoppedAt == nil {
		return place{}, false
	}
	at, err := time.Parse(timePath, strings.Trim(t.ExportDefinition.TimePath, "/"))
	if err != nil || *t.ExportFileIndex < 0 || *t.LineStoppedAt < 0 {
		return place{}, false
	}
	return place{at.UTC(), *t.ExportFileIndex, *t.LineStoppedAt}, true
}

// versionAt names the state that was generated at a time.
func versionAt(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
