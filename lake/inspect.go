package lake

import (
	"context"
	"path/filepath"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/store"
)

// Probe checks with a scratch file that the store keeps the conditions of writes.
func (c *Client) Probe(ctx context.Context) error { return store.Probe(ctx, c.folder.store) }

// Stored is what the folder says of itself.
type Stored struct {
	tvmexport.StoredShape
	Tenant string // whose data it is; "" if nothing was exported
}

// Understood reads what the folder says of itself. A higher shape than this program understands is an error.
func (c *Client) Understood(ctx context.Context) (Stored, error) {
	a, err := c.folder.understood(ctx, "read ledger", "")
	return Stored{StoredShape: tvmexport.StoredShape{Number: a.Shape, Version: a.Version}, Tenant: a.Tenant}, err
}

// OpenCommand is the command that opens the folder in DuckDB.
func (c *Client) OpenCommand() string {
	return "duckdb -init " + shellPath(filepath.ToSlash(c.folder.store.Location(ScriptName)))
}
