package engine

import (
	"context"
	"encoding/json"

	"github.com/tvmexport/tvmexport/emulator/engine/command"
)

// checkMapping refuses a text that is not a mapping of the kind.
func checkMapping(_, name, text string) error {
	if err := json.Unmarshal([]byte(text), &[]map[string]any{}); err != nil {
		return badRequest("The mapping '%s' is not valid: %v", name, err)
	}
	return nil
}

// ingestInline is .ingest inline into table T.
func (s *session) ingestInline(_ context.Context, c *command.IngestInline) (*rows, error) {
	return nil, badRequest("'.ingest inline' into table '%s' is not supported by this emulator", c.Table)
}
