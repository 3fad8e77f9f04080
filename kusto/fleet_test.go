package kusto

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/fleet"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// provider is an emulator with the databases of many tenants and that of the fleet.
type provider struct {
	*testing.T
	emulator *emulator.Emulator
}

func withTenants(t *testing.T, databases []string, f func(p provider), more ...emulatortest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		more := append([]emulatortest.Option{
			emulatortest.Devices(1), emulatortest.CVEs(1), emulatortest.History(1),
			emulatortest.Configure(func(o *emulator.Options) { o.Databases = append(slices.Clone(databases), "fleet") }),
		}, more...)
		f(provider{t, emulatortest.New(t, more...).Services()})
	})
}

// connect is a client of a database, as the database's administrator or as the exporter, which the
// emulator makes user and ingestor of every database.
func (p provider) connect(database string, admin bool) *Client {
	p.Helper()
	hc, at := &http.Client{Transport: p.emulator.Transport()}, p.emulator.Endpoints()
	app, key := at.ClientID, at.ClientSecret
	if admin {
		app, key = at.AdminClientID, at.AdminClientSecret
	}
	record := recorder(p.T)
	if database == "fleet" {
		record = recorderIn(p.T, p.Name()+"_fleet")
	}
	c, err := New(p.Context(), Options{
		Cluster: at.Kusto, Ingest: at.Ingest, Database: database, HTTPClient: hc, Version: "v1.2.3",
		Credential: &secretCredential{hc: hc, authority: at.Authority, tenant: at.TenantID, app: app, key: key}, Record: record,
	})
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = c.Close() })
	return c
}

// tenant is a stage in the database of a tenant.
func (p provider) tenant(database string) stage {
	p.Helper()
	return stage{T: p.T, emulator: p.emulator, client: p.connect(database, false)}
}

func (p provider) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// tell does a command in a database as its administrator.
func (p provider) tell(database, text string) {
	p.Helper()
	_, err := p.connect(database, true).conn.Command(p.Context(), conn.Statement{Op: "test", Text: text})
	p.must(err)
}

// lock takes the roles in a database from the exporter, as who reads the fleet is here.
func (p provider) lock(database string) {
	p.Helper()
	at := p.emulator.Endpoints()
	for _, role := range []string{"users", "ingestors"} {
		p.tell(database, fmt.Sprintf(".drop database ['%s'] %s ('aadapp=%s;%s')", database, role, at.ClientID, at.TenantID))
	}
}

// rows are the rows of a query as text, sorted.
func rows(c *Client, t *testing.T, text string) []string {
	t.Helper()
	found, err := c.conn.Query(t.Context(), conn.Statement{Op: "test", Text: text})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out := make([]string, len(found))
	for i, r := range found {
		out[i] = strings.TrimSpace(r.String())
	}
	slices.Sort(out)
	return out
}

// options are those of a fleet with a tenant for each database.
func (p provider) options(databases []string, tables ...tvmexport.Table) fleet.Options {
	o := fleet.Options{Cluster: p.emulator.Endpoints().Kusto, Database: "fleet", Tables: tables}
	for _, d := range databases {
		o.Tenants = append(o.Tenants, fleet.Tenant{Name: "name of " + d, Cluster: o.Cluster, Database: d})
	}
	return o
}

// Functions over forty tenants say what each of their databases says. One without rights and one that
// does not exist do not hide the others, and FleetCoverage names both.
func TestFleetOfForty(t *testing.T) {
	tenants := 40
	if testing.Short() {
		tenants = 8
	}
	var databases []string
	for n := range tenants {
		databases = append(databases, fmt.Sprintf("tvm-%02d", n))
	}
	withTenants(t, databases, func(p provider) {
		began := time.Now()
		for n, d := range databases {
			s := p.tenant(d)
			s.setUp(softwareTable)
			first := runOfTable(softwareTable, "first", "", tvmexport.FullRun)
			var list []string
			for i := range 1 + n%3 {
				list = append(list, fmt.Sprintf(`{"DeviceId":"3f%02d","IsOld":true,"Count":%d,"Score":0.5,"CveTags":["a"]}`, i, n))
			}
			s.export(first, batch(first, 1, list...))
			p.tell(d, fmt.Sprintf(".set-or-append MigrationAuditLog <| print TableName = 'DeviceTvmSoftwareInventoryRaw', Timestamp = now(), Status = 'Success', FailureReason = '', RecordCount = int(%d)", n))
		}
		time.Sleep(time.Hour)
		middle := time.Now()
		late := databases[7]
		{
			s := p.tenant(late)
			second := runOfTable(softwareTable, "second", "first", tvmexport.DeltaRun)
			s.export(second, batch(second, 1, `{"DeviceId":"3f00","IsOld":false,"Count":700}`, `{"DeviceId":"3f77","Count":7}`))
		}
		time.Sleep(time.Hour)

		const locked = "tvm-locked"
		admin := p.connect("fleet", true)
		o := p.options(append(slices.Clone(databases), locked, "tvm-nowhere"), softwareTable)
		made, err := admin.Fleet().Init(p.Context(), o)
		p.must(err)
		if len(made.Made) == 0 || len(made.Notes) != 0 {
			p.Errorf("init made %d, notes %q", len(made.Made), made.Notes)
		}
		again, err := admin.Fleet().Init(p.Context(), o)
		p.must(err)
		if len(again.Made) != 0 || again.There != len(made.Made) {
			p.Errorf("a second init made %v", again.Made)
		}

		reader := p.connect("fleet", false)
		for _, question := range []struct{ call, columns string }{
			{"DeviceTvmSoftwareInventory", "DeviceId, Count, Score, IsOld"},
			{"DeviceTvmSoftwareInventoryAsOf(" + kql.Datetime(middle) + ")", "DeviceId, Count, Score, IsOld"},
			{"DeviceTvmSoftwareInventoryChanges(" + kql.Datetime(middle) + ", now())", "DeviceId, Count, Change, RunId"},
			{"ExportRuns", "Table, RunId, State, Rows"},
			{"MigrationAuditLog", "TableName, Status, RecordCount"},
		} {
			var want []string
			for _, d := range databases {
				want = append(want, rows(p.connect(d, false), p.T, question.call+" | project Tenant = 'name of "+d+"', "+question.columns)...)
			}
			slices.Sort(want)
			got := rows(reader, p.T, question.call+" | project Tenant, "+question.columns)
			if d := cmp.Diff(want, got); d != "" || len(got) == 0 {
				p.Errorf("%s: %d rows over the fleet (-each database +fleet):\n%s", question.call, len(got), d)
			}
		}

		// A tenant without rights has rows that must not show.
		p.lock(databases[3])
		reader = p.connect("fleet", false)
		covered, err := reader.Fleet().Coverage(p.Context())
		p.must(err)
		var missing []string
		for _, c := range covered {
			switch {
			case !c.Answered:
				missing = append(missing, c.Name)
			case c.Tables != 1 || c.LastCommit.Before(began) || c.LastCommit.After(middle.Add(time.Hour)):
				p.Errorf("%+v", c)
			}
		}
		slices.Sort(missing)
		if d := cmp.Diff([]string{"name of " + databases[3], "name of " + locked, "name of tvm-nowhere"}, missing); d != "" || len(covered) != len(o.Tenants) {
			p.Errorf("FleetCoverage lists %d of %d tenants, missing (-want +got):\n%s", len(covered), len(o.Tenants), d)
		}
		left := rows(reader, p.T, "DeviceTvmSoftwareInventory | distinct Tenant")
		if len(left) != tenants-1 || slices.Contains(left, "name of "+databases[3]) {
			p.Errorf("%d tenants answer: %q", len(left), left)
		}
	})
}

// A tenant without a run has no rows as of a time and no changes, and does not fail the others; one
// whose cluster does not answer is left out with best_effort; with all of them missing functions fail.
func TestFleetOfUnequalTenants(t *testing.T) {
	withTenants(t, []string{"old", "new"}, func(p provider) {
		s := p.tenant("old")
		s.setUp(softwareTable, eventsTable)
		first := runOfTable(softwareTable, "first", "", tvmexport.FullRun)
		s.export(first, batch(first, 1, `{"DeviceId":"3f01","Count":1}`))
		p.tenant("new").setUp(softwareTable)
		time.Sleep(time.Hour)
		admin, reader := p.connect("fleet", true), p.connect("fleet", false)
		o := p.options([]string{"old", "new"}, softwareTable, eventsTable)
		_, err := admin.Fleet().Init(p.Context(), o)
		p.must(err)
		shows := func(text string, want ...string) {
			t.Helper()
			if d := cmp.Diff(want, rows(reader, p.T, text)); d != "" {
				p.Errorf("%s (-want +got):\n%s", text, d)
			}
		}
		shows("DeviceTvmSoftwareInventoryAsOf(now()) | project Tenant, DeviceId", "name of old,3f01")
		shows("DeviceTvmSoftwareInventoryChanges(ago(1m), now()) | count", "0")
		shows("DeviceTvmSoftwareInventoryAsOf(ago(1d)) | count", "0")
		shows("DeviceProcessEvents | count", "0")
		shows("FleetCoverage | project Tenant, State, n = array_length(Tables)", "name of new,answered,0", "name of old,answered,1")

		// Without tables, the functions are those of the tables that tenants have configured.
		found := o
		found.Tables = nil
		found.Known = func(name string) (tvmexport.Table, bool) {
			i := slices.IndexFunc(o.Tables, func(t tvmexport.Table) bool { return t.Name == name })
			if i < 0 {
				return tvmexport.Table{}, false
			}
			return o.Tables[i], true
		}
		p.tell("old", ".set-or-append MigrationConfiguration <| MigrationConfiguration | where SourceTable == 'DeviceProcessEvents' | take 1 | extend IsActive = false")
		same, err := admin.Fleet().Init(p.Context(), found)
		p.must(err)
		if len(same.Made) != 0 || same.There != 11 || len(same.Notes) != 0 {
			p.Errorf("of configured tables: made %v, %d there, notes %q", same.Made, same.There, same.Notes)
		}
		p.tell("new", ".set-or-append MigrationConfiguration <| MigrationConfiguration | take 1 | extend SourceTable = 'Unheard'")
		noted, err := admin.Fleet().Init(p.Context(), found)
		p.must(err)
		if len(noted.Made) != 0 || len(noted.Notes) != 1 || !strings.Contains(noted.Notes[0], "not in the catalogue have no functions: Unheard") {
			p.Errorf("with a table outside the catalogue: made %v, notes %q", noted.Made, noted.Notes)
		}

		// The group keeps a database of which the configuration knows nothing any more.
		fewer := o
		fewer.Tenants = o.Tenants[:1]
		kept, err := admin.Fleet().Init(p.Context(), fewer)
		p.must(err)
		if len(kept.Notes) != 1 || !strings.Contains(kept.Notes[0], "database('new')") || len(kept.Removed) != 0 {
			p.Errorf("notes %q, removed %q", kept.Notes, kept.Removed)
		}
		shows("ExportRuns | where RunId == 'first' | distinct Tenant", "name of old")
		shows("FleetCoverage | project Tenant", "name of old")
		fewer.Remove = true
		removed, err := admin.Fleet().Init(p.Context(), fewer)
		p.must(err)
		if d := cmp.Diff([]string{"database('new')"}, removed.Removed); d != "" || len(removed.Notes) != 0 {
			p.Errorf("removed %q, notes %q", removed.Removed, removed.Notes)
		}

		// A cluster that does not answer.
		far := o
		far.Tenants = append(slices.Clone(o.Tenants), fleet.Tenant{Name: "far", Cluster: "https://far.westeurope.kusto.windows.net", Database: "old"})
		_, err = admin.Fleet().Init(p.Context(), far)
		p.must(err)
		if _, err := reader.conn.Query(p.Context(), conn.Statement{Op: "test", Text: "DeviceTvmSoftwareInventory"}); err == nil || !strings.Contains(err.Error(), "far.westeurope") {
			p.Errorf("a cluster that does not answer: %v", err)
		}
		shows("set best_effort=true; DeviceTvmSoftwareInventory | project Tenant, DeviceId", "name of old,3f01")
		shows("set best_effort=true; FleetCoverage | project Tenant, State", "far,missing", "name of new,answered", "name of old,answered")

		// All are missing.
		p.lock("old")
		p.lock("new")
		reader = p.connect("fleet", false)
		for _, text := range []string{"DeviceTvmSoftwareInventory", "ExportRuns"} {
			if _, err := reader.conn.Query(p.Context(), conn.Statement{Op: "test", Text: "set best_effort=true; " + text}); err == nil || !strings.Contains(err.Error(), "none of the entities could be resolved") {
				p.Errorf("%s, with all of them missing: %v", text, err)
			}
		}
		shows("set best_effort=true; FleetCoverage | project Tenant, State, isnull(LastCommit)", "far,missing,true", "name of new,missing,true", "name of old,missing,true")
		covered, err := reader.Fleet().Coverage(p.Context())
		p.must(err)
		if len(covered) != 3 || covered[0].Answered || covered[1].Answered || covered[2].Answered {
			p.Errorf("with all of them missing: %+v", covered)
		}
	})
}

// Before the first tenant is initialised, nobody says which tables there are.
func TestFleetWithoutConfiguredTables(t *testing.T) {
	withTenants(t, []string{"bare"}, func(p provider) {
		o := p.options([]string{"bare"})
		o.Otherwise = []tvmexport.Table{softwareTable}
		made, err := p.connect("fleet", true).Fleet().Init(p.Context(), o)
		p.must(err)
		if len(made.Made) != 8 || len(made.Notes) != 1 || !strings.Contains(made.Notes[0], "so there are functions for DeviceTvmSoftwareInventory;") {
			p.Errorf("made %v, notes %q", made.Made, made.Notes)
		}
	})
}

// Who is no administrator learns what is needed; the database of a tenant is not that of the fleet.
func TestFleetInitIsRefused(t *testing.T) {
	withTenants(t, []string{"old"}, func(p provider) {
		o := p.options([]string{"old"}, softwareTable)
		_, err := p.connect("fleet", false).Fleet().Init(p.Context(), o)
		var e *tvmexport.Error
		if !errors.As(err, &e) || e.Cause != tvmexport.Permission || !strings.Contains(e.Hint, "init --fleet --print") {
			p.Errorf("without the role: %v", err)
		}
		other := p.connect("old", true)
		_, err = other.Setup().Init(p.Context(), []tvmexport.Table{softwareTable}, setup.Options{})
		p.must(err)
		o.Tenants[0].Database = "elsewhere"
		if _, err := other.Fleet().Init(p.Context(), o); err == nil || !strings.Contains(err.Error(), "so it is that of a tenant") {
			p.Errorf("in the database of a tenant: %v", err)
		}
	})
}

// In an Eventhouse a database has a GUID as well; rows have the tenant's name regardless of which of both
// the configuration has.
func TestFleetInAnEventhouse(t *testing.T) {
	withTenants(t, []string{"old"}, func(p provider) {
		s := p.tenant("old")
		s.setUp(softwareTable)
		first := runOfTable(softwareTable, "first", "", tvmexport.FullRun)
		s.export(first, batch(first, 1, `{"DeviceId":"3f01","Count":1}`))
		guid := rows(s.client, p.T, "print current_database()")[0]
		o := p.options([]string{"old"}, softwareTable)
		admin, reader := p.connect("fleet", true), p.connect("fleet", false)
		_, err := admin.Fleet().Init(p.Context(), o)
		p.must(err)
		if got := rows(reader, p.T, "DeviceTvmSoftwareInventory | project Tenant"); !slices.Equal(got, []string{"name of old"}) {
			p.Errorf("the tenant is %q; its database is %s", got, guid)
		}
		o.Tenants[0].Database = guid
		again, err := admin.Fleet().Init(p.Context(), o)
		p.must(err)
		if got := rows(reader, p.T, "FleetCoverage | project Tenant, State"); !slices.Equal(got, []string{"name of old,answered"}) || len(again.Notes) != 0 {
			p.Errorf("coverage %q, notes %q", got, again.Notes)
		}
	}, emulatortest.Eventhouse())
}
