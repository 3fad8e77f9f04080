package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/tvmexport/tvmexport"
)

// keyOf finds the key that partitions are prefixes of in records. It is empty where
// published rows do not show it.
func keyOf(t tvmexport.Table) func(record []byte) (string, error) {
	columns := t.Key.Hashed
	if t.Key.Column != "" {
		columns = []string{t.Key.Column}
	}
	return func(record []byte) (string, error) {
		if hidden(t) {
			return "", nil
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(record, &members); err != nil {
			return "", errRecord
		}
		parts := make([]string, len(columns))
		for i, c := range columns {
			if v := members[c]; len(v) > 0 && v[0] == '"' {
				if err := json.Unmarshal(v, &parts[i]); err != nil {
					return "", errRecord
				}
			}
		}
		if t.Key.Column != "" {
			return parts[0], nil
		}
		text := joined(parts)
		if len(columns) == 1 && text == "" {
			return "", nil
		}
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:]), nil
	}
}
