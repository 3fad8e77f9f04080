package kusto

import (
	"errors"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
)

// The service may execute a command long after the process that sent it has ended.
// A run that was given up meanwhile does not count then, and one that counts is not
// given up.
func TestEmulatorRunEndsOnce(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		publish := func(id, previous string) (tvmexport.Publication, tvmexport.Commit) {
			run := runOfTable(softwareTable, id, previous, tvmexport.FullRun)
			b := batch(run, 1, `{"DeviceId":"a"}`, `{"DeviceId":"b"}`)
			s.land(run, b)
			s.confirm(run, b)
			p := publicationOf(run, b)
			_, err := s.client.Publish(s.Context(), p)
			s.must(err)
			return p, tvmexport.Commit{Run: run, Owner: newOwner(), Rows: p.Rows, Partitions: p.Partitions}
		}
		last := func() tvmexport.RunID {
			h, err := s.client.History(s.Context(), []tvmexport.Table{softwareTable})
			s.must(err)
			if l := h[softwareTable.Name].Last; l != nil {
				return l.ID
			}
			return ""
		}

		given, late := publish("20261123T050000Z-000000000001", "")
		s.asAdmin(ledger.RecordOf(given.Run, kql.AbandonedState).Text("tvmexport-abandon:test"))
		if err := s.client.Commit(s.Context(), late); err == nil || last() != "" {
			t.Errorf("the commit of a run that was given up: %v; the last run is %q", err, last())
		}

		p, c := publish("20261123T060000Z-000000000002", "")
		s.must(s.client.Commit(s.Context(), c))
		p.Rows++ // what was read before the commit does not fit what is published
		if _, err := s.client.Publish(s.Context(), p); !errors.Is(err, tvmexport.ErrSuperseded) {
			t.Errorf("a run that counts is given up: %v, want ErrSuperseded", err)
		}
		if last() != p.Run.ID {
			t.Errorf("the last run is %q, want %s", last(), p.Run.ID)
		}
		if n := s.ask(kql.Ident(softwareTable.Destination) + ` | where RunId == "` + string(p.Run.ID) + `" | count`); n[0] != "2" {
			t.Errorf("%s rows of the run are left, want 2", n[0])
		}
	})
}
