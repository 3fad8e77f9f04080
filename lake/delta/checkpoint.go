package delta

import (
	"context"
	"errors"
)

// lastCheckpoint is the version in _last_checkpoint; -1 if it cannot be read.
func (t *Table) lastCheckpoint(context.Context) int64 { return -1 }

// readCheckpoint reads a checkpoint.
func (t *Table) readCheckpoint(_ context.Context, c checkpoint) (*Snapshot, error) {
	return nil, t.fail("read", c.parts[0].Name, errors.New("checkpoints cannot be read yet"))
}
