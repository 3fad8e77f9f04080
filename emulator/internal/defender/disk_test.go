package defender_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/defender"
	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/disk/disktest"
)

// A full disk is an answer with its cause and a line in the log; the next answer is good
// once there is room.
func TestFullDisk(t *testing.T) {
	for _, path := range []string{graphPath, xdrPath, mdePath} {
		var full disktest.Disk
		var log bytes.Buffer
		s := service(t, func(o *defender.Options) {
			o.Quota = defender.Off()
			o.Disk = disk.Folder{Dir: t.TempDir(), Log: slog.New(slog.NewTextHandler(&log, nil)), Make: full.Make}
		})
		const query = "DeviceNumbers | extend x = strrep('0123456789abcdef', 512)"
		const cause = "no space left on device"
		w := ask(s, path, query)
		if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), cause) {
			t.Errorf("%s: status %d %s, want a 500 that says that the disk is full", path, w.Code, w.Body)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), cause) {
			t.Errorf("%s: log = %q, want one line that says that the disk is full", path, &log)
		}
		full.Room.Store(1 << 30)
		if w := ask(s, path, query); w.Code != http.StatusOK || w.Body.Len() < 8_000_000 {
			t.Errorf("%s: status %d with %d bytes when there is room", path, w.Code, w.Body.Len())
		}
	}
}
