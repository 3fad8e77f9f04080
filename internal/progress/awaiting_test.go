package progress_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/progress"
)

// A wait for batches is a line, on a pipe and in the log.
func TestAWaitForBatchesIsSaid(t *testing.T) {
	run := tvmexport.Run{ID: "R1", Table: tvmexport.Table{Name: "DeviceTvmHardwareFirmware"}}
	wait := tvmexport.Awaited{Landed: 2, Of: 7, For: 3*time.Minute + 200*time.Millisecond, Most: 15 * time.Minute, Slow: "the batching policy of table T gathers blobs for up to 5m0s"}
	var out strings.Builder
	progress.New(&out, false, 0).Hooks().Awaiting(run, wait)
	if want := "landing: 2 of 7 batches after 3m0s (gives up after 15m0s): the batching policy of table T"; !strings.Contains(out.String(), want) {
		t.Errorf("missing %q in %s", want, out.String())
	}
	out.Reset()
	progress.NewLog(slog.New(slog.NewJSONHandler(&out, nil))).Hooks().Awaiting(run, wait)
	for _, want := range []string{`"batches":2,"of":7`, "batching policy of table T", `"table":"DeviceTvmHardwareFirmware"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in %s", want, out.String())
		}
	}
}
