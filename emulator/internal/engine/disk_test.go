package engine

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/disk/disktest"
)

// A load that the disk cannot take fails with the cause and a line in the log, and loads
// nothing. The next one is good once there is room.
func TestFullDisk(t *testing.T) {
	var full disktest.Disk
	var log bytes.Buffer
	b := newBench(t, func(o *Options) {
		o.MemoryLimit = 1
		o.Disk = disk.Folder{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, nil)), Make: full.Make}
	})
	b.run(`.create table T (a:long)`)
	const cause = "no space left on device; free space there"
	b.fails(root, `.set-or-append T <| range a from 1 to 5 step 1`, CodeInternal, cause)
	if _, err := b.Ingest(context.Background(), Ingestion{Principal: root, Database: "db", Table: "T", Rows: longs(1, 3)}); err == nil || !strings.Contains(err.Error(), cause) {
		t.Errorf("ingestion: %v, want the cause", err)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 2 || !strings.Contains(log.String(), cause) {
		t.Errorf("log = %q, want a line for each failure", &log)
	}
	b.want(`T | count`, "0")
	if got := b.cells(`.show operations | where State == "Failed" and Status has "no space left"`, "State"); len(got) != 2 {
		t.Errorf("%d failed operations name the cause, want 2", len(got))
	}
	full.Room.Store(1 << 20)
	b.run(`.set-or-append T <| range a from 1 to 5 step 1`)
	b.wantValues("T", 1, 2, 3, 4, 5)
}
