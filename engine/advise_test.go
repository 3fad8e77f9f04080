package engine_test

import (
	"fmt"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// TestAdviseReachesEveryListener completes the error of a table once, before the
// hooks, the audit and the report receive it.
func TestAdviseReachesEveryListener(t *testing.T) {
	for name, failing := range map[string]func(w *world){
		"before its run": func(w *world) {
			w.destination.List[0].Err = &tvmexport.Error{Op: "run", Table: software, Hint: "do it"}
		},
		"in its run": func(w *world) {
			w.destination.OnPublish = func(tvmexport.Publication, int) error {
				return &tvmexport.Error{Op: "publish", Table: software, Hint: "do it"}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Snapshot, "")
				w.source.Set(software, fleet(20, 2))
				failing(&w)
				advised := 0
				w.Advise = func(err error) error {
					advised++
					return fmt.Errorf("%w: tool do", err)
				}
				var announced, audited error
				w.Hooks.Failed = func(_ string, _ tvmexport.RunID, err error) { announced = err }
				w.destination.OnFinish = func(c tvmexport.InvocationEnd) error {
					audited = c.Outcomes[0].Err
					return nil
				}
				report, err := w.Run(t.Context(), engine.Request{})
				if err != nil {
					t.Fatal(err)
				}
				if got := report.Outcomes[0].Err; got == nil || got != announced || got != audited || advised != 1 {
					t.Errorf("advised %d times: the report has %v, the hook %v, the audit %v", advised, got, announced, audited)
				}
			})
		})
	}
}
