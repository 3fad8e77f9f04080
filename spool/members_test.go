package spool_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/spool"
)

// adding adds a member to each row of a page.
type adding struct {
	http.RoundTripper
	member string // with its value and a comma; "" adds none
}

func (a *adding) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := a.RoundTripper.RoundTrip(r)
	if err != nil || a.member == "" || !strings.HasPrefix(r.URL.Path, "/api/machines/") {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, []byte(`"deviceId":`), []byte(a.member+`"deviceId":`))
	answer.ContentLength = int64(len(body))
	answer.Header.Del("Content-Length")
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// members is a tenant whose rows get members that the catalogue does not have.
type members struct {
	*emulatortest.Emulator
	table string
	way   *adding
	to    *contract.Destination
	again bool // all runs are of one process
	x     *engine.Exporter
}

func newMembers(t *testing.T, table string, again bool) *members {
	t.Helper()
	e := emulatortest.New(t, emulatortest.Devices(5), emulatortest.CVEs(1000), emulatortest.NoQuota(),
		emulatortest.Configure(func(o *emulator.Options) { o.ChangeRate = 0.9 }))
	described, _ := catalog.Table(table)
	m := &members{Emulator: e, table: table, way: &adding{RoundTripper: e.Client().Transport}, to: &contract.Destination{}, again: again}
	m.to.Configure(contract.ConfigRow{Table: table, Load: string(described.LoadType), Watermark: described.Watermark, Active: true})
	return m
}

// exporter is that of a new process, if not all runs are of one.
func (m *members) exporter(t *testing.T) *engine.Exporter {
	t.Helper()
	if m.x != nil && m.again {
		return m.x
	}
	client, err := assessment.New(assessment.Options{
		Endpoint: m.Endpoints().MDE, Credential: signInTo(m.Emulator), HTTPClient: &http.Client{Transport: m.way}, Share: 1, Via: assessment.Pages, PageRows: 50,
		Quotas: assessment.Quotas{Pages: defender.Quota{PerMinute: 10_000, PerHour: 100_000}, Files: defender.Quota{PerMinute: 1000, PerHour: 10_000}},
	})
	if err != nil {
		t.Fatal(err)
	}
	source, err := spool.New(client, spool.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	})
	m.x = &engine.Exporter{
		Source: source, Destination: m.to, Describe: catalog.Table, Owner: "test",
		Compress: func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	}
	return m.x
}

// export makes a run and checks what it says of columns: nothing, or the note.
func (m *members) export(t *testing.T, member, note string) engine.Result {
	t.Helper()
	m.way.member = member
	x := m.exporter(t)
	said := map[string][]string{}
	if !m.again { // a plan is the work of a process of its own
		plans, err := x.Plan(t.Context(), engine.Request{})
		if err != nil || plans[0].Err != nil {
			t.Fatal(err, plans[0].Err)
		}
		if said["plan"] = plans[0].Notes; plans[0].Calls < 1 {
			t.Errorf("%d calls are planned", plans[0].Calls)
		}
	}
	report, err := x.Run(t.Context(), engine.Request{})
	if err != nil || report.Outcomes[0].Err != nil {
		t.Fatal(err, report.Outcomes[0].Err)
	}
	r := report.Outcomes[0]
	said["run"] = r.Notes
	for who, notes := range said {
		notes = slices.DeleteFunc(slices.Clone(notes), func(n string) bool {
			return !strings.Contains(n, "column") && !strings.Contains(n, "started over") || strings.HasPrefix(n, "column ") // of the typed table
		})
		if note == "" && len(notes) > 0 || note != "" && (len(notes) != 1 || !strings.HasPrefix(notes[0], note)) {
			t.Errorf("with the member %q the %s notes %q, want %q", member, who, notes, note)
		}
	}
	if r.Calls < 1 {
		t.Errorf("%d calls were made", r.Calls)
	}
	return r
}

const (
	newMember = `"surprise":"new",`
	appeared  = "the source has new columns (Surprise:string)"
	vanished  = "the source no longer has the columns Surprise"
)

// A member that the catalogue does not have is a column like others: a new process knows
// it from the last commit, and what appears or vanishes is noted once.
func TestMembersThatAreNotInTheCatalogue(t *testing.T) {
	for name, again := range map[string]bool{"a process for each run": false, "one process": true} {
		t.Run(name, func(t *testing.T) {
			m := newMembers(t, "TvmHardwareFirmware", again)
			all := m.export(t, newMember, "").Rows
			if all == 0 {
				t.Fatal("no row was published")
			}
			for i, run := range []struct {
				member, note string
				rows         int64
			}{
				{newMember, "", 0},
				{newMember, "", 0},
				{"", vanished, all},
				{"", "", 0},
				{newMember, appeared, all},
				{newMember, "", 0},
			} {
				lands := m.to.Lands
				if r := m.export(t, run.member, run.note); r.Rows != run.rows || run.rows == 0 && m.to.Lands != lands {
					t.Errorf("run %d with the member %q publishes %d rows, want %d, and lands %d batches", i+2, run.member, r.Rows, run.rows, m.to.Lands-lands)
				}
			}
		})
	}
}

// A run of an event table reads the rows of some days. A member that none of them has is
// not gone.
func TestMembersOfEvents(t *testing.T) {
	m := newMembers(t, "TvmSoftwareVulnerabilityChanges", false)
	m.Tenant().AdvanceHours(24)
	if r := m.export(t, newMember, ""); r.Rows == 0 {
		t.Fatal("no change was published")
	}
	for i, member := range []string{"", "", newMember} {
		m.Tenant().AdvanceHours(12)
		if r := m.export(t, member, ""); r.Rows == 0 {
			t.Errorf("run %d publishes nothing", i+2)
		}
	}
	m.Tenant().AdvanceHours(12)
	m.export(t, `"surprise":"new","more":true,`, "the source has new columns (More:bool)")
	commits := m.to.Commits(m.table)
	if columns := commits[len(commits)-1].Run.Table.Columns; !slices.Contains(columns, tvmexport.Column{Name: "Surprise", Type: "string"}) || !slices.Contains(columns, tvmexport.Column{Name: "More", Type: "bool"}) {
		t.Errorf("the columns are %v", columns)
	}
}
