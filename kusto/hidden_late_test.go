package kusto

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

// Late rows are not published by comparison with rows that a policy hides or
// changes, also if the policy is set in mid-run.
func TestEmulatorLateUnderPolicies(t *testing.T) {
	const typed = "DeviceProcessEventsTyped"
	for _, c := range []struct {
		name, policy, want string
		between            bool // the policy is set after Publish has read the policies
	}{
		{name: "no policy"},
		{name: "all rows as they are", policy: typed + " | where isnotempty(DeviceId)"},
		{name: "others see less", policy: "union (" + typed + " | where current_principal_is_member_of('aadapp=nobody') | extend DeviceId = 'x'), (" + typed + " | where not(current_principal_is_member_of('aadapp=nobody')))"},
		{name: "old rows hidden", policy: typed + " | where DeviceId == 'c'", want: "the policy row_level_security of table " + typed + " hides"},
		{name: "old rows hidden at the last moment", policy: typed + " | where DeviceId == 'c'", between: true, want: "the policy row_level_security of table " + typed + " hides"},
		{name: "values masked", policy: typed + " | extend DeviceId = 'x'", want: "the policy row_level_security of table " + typed + " changes values"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onStage(t, func(s stage) {
				s.setUp(eventsTable)
				run1 := runOfTable(eventsTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.DeltaRun)
				s.export(run1, batch(run1, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"b"}`))
				run2 := runOfTable(eventsTable, "20261123T060000Z-bbbbbbbbbbbb", string(run1.ID), tvmexport.DeltaRun)
				late := batch(run2, 1, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"a"}`, `{"Timestamp":"2026-11-23T04:00:00Z","DeviceId":"b"}`,
					`{"Timestamp":"2026-11-23T04:10:00Z","DeviceId":"c"}`)
				s.land(run2, late)
				w := tvmexport.Window{From: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)}
				s.must(s.client.publisher.Visible.SeesAllNow(s.Context(), "test", "")) // the policies are read before they change
				set := func() {
					s.mustAdmin(".alter table " + typed + ` policy row_level_security enable "` + c.policy + `"`)
				}
				switch {
				case c.between:
					once, was := sync.OnceFunc(set), s.client.conn.Record
					s.client.conn.Record = func(text string) {
						if strings.HasPrefix(text, ".set-or-append async ") {
							once()
						}
						if was != nil {
							was(text)
						}
					}
				case c.policy != "":
					set()
				}
				lacking, err := s.client.CountMissing(s.Context(), run2, []tvmexport.BatchInfo{{ID: late.ID, Slice: tvmexport.Slice{Window: w, Late: true}}})
				s.must(err)
				p := publicationOf(run2, late)
				p.Rows, p.Steps[0].Rows, p.Steps[0].Late = lacking[late.ID], lacking[late.ID], &w
				_, err = s.client.Publish(s.Context(), p)
				var e *tvmexport.Error
				switch {
				case c.want == "":
					s.must(err)
					s.must(s.client.Commit(s.Context(), tvmexport.Commit{Run: run2, Owner: "o", Rows: p.Rows}))
				case !errors.As(err, &e) || e.Cause != tvmexport.Permission || e.Action != tvmexport.Stop || !strings.Contains(err.Error(), c.want) ||
					!strings.Contains(e.Hint, ".delete table "+typed+" policy row_level_security"):
					t.Errorf("%v, want %s", err, c.want)
				}
				if c.policy != "" {
					s.mustAdmin(".delete table " + typed + " policy row_level_security")
				}
				want := map[bool]string{true: "a b c", false: "a b"}[c.want == ""]
				for _, of := range []string{"DeviceProcessEvents", typed, "DeviceProcessEventsRaw | extend DeviceId = tostring(Records.DeviceId)"} {
					if d := cmp.Diff(want, strings.Join(s.ask(of+" | project DeviceId | order by DeviceId asc"), " ")); d != "" {
						s.Errorf("%s (-want +got):\n%s", of, d)
					}
				}
			})
		})
	}
}
