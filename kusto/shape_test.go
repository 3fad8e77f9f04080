package kusto

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// raise writes the number of a stored shape as another version of the program does;
// zero removes what other versions wrote.
func (s stage) raise(to tvmexport.StoredShape) {
	s.Helper()
	if to.Number == 0 {
		s.asAdmin(fmt.Sprintf(`.delete table %s records <| %s | where State == "shape" and tolong(Detail.shape) > %d`, kql.RunsTable, kql.RunsTable, ledger.Shape))
		return
	}
	s.asAdmin(fmt.Sprintf(`.set-or-append %s <| print Table = "", RunId = "", State = "shape", At = now(), Previous = "", Kind = "", LoadType = "",
    WatermarkFrom = datetime(null), Watermark = datetime(null), Rows = long(null), Bytes = long(null), Calls = long(null),
    Owner = %s, Expires = datetime(null), Detail = dynamic({"shape": %d})`, kql.RunsTable, kql.Literal(to.Version), to.Number))
}

// numbers are the rows of the stored shape, oldest first.
func (s stage) numbers() string {
	s.Helper()
	return strings.Join(s.ask(kql.RunsTable+` | where State == "shape" | order by At asc | project strcat(tostring(Detail.shape), " ", Owner)`), ", ")
}

// contents are the rows of the control tables, and the published and landed rows.
func (s stage) contents(of tvmexport.Table) []string {
	s.Helper()
	var out []string
	for _, name := range []string{kql.RunsTable, kql.PartitionsTable, kql.ConfigurationTable, kql.AuditTable, of.Destination, of.Landing()} {
		out = append(out, name+" "+s.ask(name + " | count")[0])
	}
	return out
}

// The first lease writes the number, later ones only when the row has become old.
func TestStoredShapeIsWritten(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		lease := func() {
			s.Helper()
			_, err := s.client.Acquire(s.Context(), tvmexport.Lease{Owner: newOwner(), Tables: []tvmexport.Table{softwareTable}, Term: time.Minute})
			s.must(err)
			time.Sleep(2 * time.Minute)
		}
		expect := func(when, want string) {
			s.Helper()
			if got := s.numbers(); got != want {
				s.Errorf("%s the ledger has the numbers %q, want %q", when, got, want)
			}
		}
		s.asAdmin(".clear table " + kql.RunsTable + " data")
		lease()
		expect("after the first lease", "1 v1.2.3")
		lease()
		expect("after another lease", "1 v1.2.3")
		time.Sleep(8 * 24 * time.Hour)
		lease()
		expect("after a week", "1 v1.2.3, 1 v1.2.3")

		s.asAdmin(".clear table " + kql.RunsTable + " data")
		s.raise(tvmexport.StoredShape{Number: 0, Version: "v0.1.0"})
		lease()
		expect("after the ledger was cleared", "1 v1.2.3")
	})
}

// A program that finds a higher number changes nothing, in any of its calls.
func TestNewerShapeChangesNothing(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		tables := []tvmexport.Table{softwareTable}
		run1 := runOfTable(softwareTable, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		s.export(run1, batch(run1, 1, `{"DeviceId":"3f01"}`))
		run2 := runOfTable(softwareTable, "20261124T050000Z-bbbbbbbbbbbb", string(run1.ID), tvmexport.FullRun)
		s.land(run2, batch(run2, 1, `{"DeviceId":"3f02"}`))
		s.raise(tvmexport.StoredShape{Number: 2, Version: "v3.0.0"})
		s.raise(tvmexport.StoredShape{Number: 3, Version: "v4.0.0"})
		time.Sleep(time.Minute)
		s.raise(tvmexport.StoredShape{Number: 3, Version: "v4.1.0"})
		before := s.contents(softwareTable)

		p := publicationOf(run2, batch(run2, 1, `{"DeviceId":"3f02"}`))
		outcome := []tvmexport.Outcome{{Table: softwareTable.Name, Run: run2.ID, Rows: 1, Watermark: time.Now(), At: time.Now()}}
		for name, call := range map[string]func() error{
			"QuotaUsage": func() error { _, err := s.client.QuotaUsage(s.Context(), "me"); return err },
			"Acquire": func() error {
				_, err := s.client.Acquire(s.Context(), tvmexport.Lease{Owner: "me", Tables: tables, Term: time.Minute})
				return err
			},
			"History": func() error { _, err := s.client.History(s.Context(), tables); return err },
			"Publish": func() error { _, err := s.client.Publish(s.Context(), p); return err },
			"Commit": func() error {
				return s.client.Commit(s.Context(), tvmexport.Commit{Run: run2, Owner: "me", Rows: 1, Partitions: p.Partitions})
			},
			"Init": func() error { _, err := s.client.Setup().Init(s.Context(), tables, setup.Options{}); return err },
		} {
			err := call()
			if tvmexport.CodeOf(err) != tvmexport.NewerShape || tvmexport.CauseOf(err) != tvmexport.Usage ||
				!strings.HasSuffix(err.Error(), "the database has the stored shape 3, and this program understands shapes up to 1 (use version v4.0.0 of the program, or a later one)") {
				s.Errorf("%s: %v", name, err)
			}
		}
		s.must(s.client.EndInvocation(s.Context(), tvmexport.InvocationEnd{Owner: "me", Tables: tables, Outcomes: outcome}))
		if diff := cmp.Diff(before, s.contents(softwareTable)); diff != "" {
			s.Errorf("something was written (-before +after):\n%s", diff)
		}

		status, err := s.client.Reports().Status(s.Context())
		s.must(err)
		if tvmexport.CodeOf(status.Newer) != tvmexport.NewerShape || len(status.Tables) != 1 || status.Tables[0].Last == nil {
			s.Errorf("status %+v, want that it is read and says that a newer program has written", status)
		}
		s.raise(tvmexport.StoredShape{})
		if status, err = s.client.Reports().Status(s.Context()); err != nil || status.Newer != nil {
			s.Errorf("without the higher number: %v, %v", status.Newer, err)
		}
	})
}

// A long text in the place of the version does not become part of a message.
func TestVersionOfShapeIsBounded(t *testing.T) {
	onStage(t, func(s stage) {
		s.setUp(softwareTable)
		s.raise(tvmexport.StoredShape{Number: 2, Version: strings.Repeat("v", 500)})
		_, err := s.client.QuotaUsage(s.Context(), "me")
		if tvmexport.CodeOf(err) != tvmexport.NewerShape || len(err.Error()) > 200 || !strings.Contains(err.Error(), "use the version of the program that wrote it") {
			s.Errorf("%v", err)
		}
	})
}
