package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/progress"
)

// valuesOfRows are queries for values that only rows contain.
var valuesOfRows = []string{
	"DeviceInfo | distinct DeviceName",
	"DeviceProcessEvents | distinct ProcessCommandLine | where strlen(ProcessCommandLine) > 20",
}

// guard adds the values of rows to what the world's watch must not find. The watch
// learns tokens and signatures from the requests.
func (w *world) guard(ctx context.Context) error {
	w.secrets.Learn("the client's secret", w.emulator.Endpoints().ClientSecret)
	for _, q := range valuesOfRows {
		learnt := 0
		for row, err := range w.emulator.State().Rows(ctx, q) {
			if err != nil {
				return err
			}
			var values map[string]string
			if err := json.Unmarshal(row, &values); err != nil {
				return err
			}
			for _, v := range values {
				w.secrets.Learn("a value of a row", v)
				learnt++
			}
		}
		if learnt == 0 {
			return fmt.Errorf("no values of %s", q)
		}
	}
	return nil
}

// logs are the logs of a process at their most talkative: the program's text and
// its JSON.
func logs(to io.Writer) (text, lines *slog.Logger) {
	all := &slog.HandlerOptions{Level: slog.LevelDebug}
	return slog.New(slog.NewTextHandler(to, all)), slog.New(slog.NewJSONHandler(to, all))
}

// printed is what a process prints of its steps: the log's form and people's.
func printed(to io.Writer) tvmexport.Hooks {
	_, lines := logs(to)
	return tvmexport.JoinHooks(progress.NewLog(lines).Hooks(), progress.New(to, false, 0).Hooks())
}

// written shows the watch the errors that a run ends with.
func (w *world) written(r result) {
	for _, err := range append(r.failed(), r.err) {
		if err != nil {
			_, _ = w.secrets.Write([]byte(err.Error()))
		}
	}
}

// told looks at last through the ledger and the audit, and fails the world for
// each secret that was written.
func (w *world) told(ctx context.Context) {
	for row, err := range w.emulator.LandedRows(ctx, "", "union withsource = T ExportRuns, ExportPartitions, MigrationAuditLog") {
		if err != nil {
			w.fail("%v", err)
			return
		}
		_, _ = w.secrets.Write(row)
	}
	found, looked := w.secrets.Found()
	for _, f := range found {
		w.fail("%s", f)
	}
	w.tally.read(looked)
}
