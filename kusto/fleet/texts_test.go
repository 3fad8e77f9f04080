package fleet

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
)

const home = "https://fleet.westeurope.kusto.windows.net"

func two() Options {
	return Options{
		Cluster: home, Database: "fleet", Tables: []tvmexport.Table{kqltest.InventoryTable, kqltest.EventsTable},
		Tenants: []Tenant{
			{Name: "contoso", Cluster: home + "/", Database: "tvm-contoso"},
			{Name: "fabrikam", Cluster: "https://other.northeurope.kusto.windows.net", Database: "it's"},
		},
	}
}

// ambiguous is a fleet in which the name of a database alone does not tell whose it is.
func ambiguous() Options {
	o := two()
	o.Tenants = append(o.Tenants, Tenant{Name: "woodgrove", Cluster: "https://third.northeurope.kusto.windows.net:443", Database: "TVM-Contoso"})
	return o
}

func TestTexts(t *testing.T) {
	for name, o := range map[string]Options{"two": two(), "ambiguous": ambiguous()} {
		commands, err := Script(o)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, c := range commands {
			if name == "two" || c.Name == Group || c.Name == Databases || c.Name == Coverage {
				texts = append(texts, c.Text)
			}
		}
		t.Run(name, func(t *testing.T) { kqltest.Golden(t, name, strings.Join(texts, "\n\n")) })
	}
}

// A script has no empty line, because editors run a text up to one.
func TestScriptIsOneCommand(t *testing.T) {
	commands, err := Script(ambiguous())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := WriteScript(&b, "the fleet", commands); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.Contains(text, "\n\n") || strings.Count(text, ".execute database script") != 1 || !strings.Contains(text, `["the fleet"]`) {
		t.Errorf("the script:\n%s", text)
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"has no tenants":                        func(o *Options) { o.Tenants = nil },
		"fleet.database is empty":               func(o *Options) { o.Database = "" },
		"has no name, database or cluster":      func(o *Options) { o.Tenants[0].Database = "" },
		"two tenants have the name contoso":     func(o *Options) { o.Tenants[1].Name = "contoso" },
		"the database of the tenant contoso":    func(o *Options) { o.Database = "TVM-contoso" },
		"contoso and fabrikam have one databas": func(o *Options) { o.Tenants[1].Cluster, o.Tenants[1].Database = home, "TVM-CONTOSO" },
		"woodgrove have one database": func(o *Options) {
			o.Tenants = append(o.Tenants, Tenant{Name: "woodgrove", Cluster: home, Database: "x", Also: []string{"tvm-contoso"}})
		},
		"functions.prefix": func(o *Options) { o.Prefix = "a-b" },
	} {
		o := two()
		change(&o)
		if _, err := Script(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// What the database has decides what is sent: nothing twice, and nothing is taken out unless it is
// asked for.
func TestPlan(t *testing.T) {
	o := two()
	local, far := "database('tvm-contoso')", "cluster('https://other.northeurope.kusto.windows.net').database('it\\'s')"
	asMade := conn.Schema{Functions: map[string]conn.FunctionInfo{}}
	for _, f := range o.functions() {
		asMade.Functions[f.name] = conn.FunctionInfo{Folder: kql.Folder, Doc: f.doc, Text: f.text()}
	}
	all := len(asMade.Functions) + 1
	renamed := o
	renamed.Tenants = []Tenant{{Name: "contoso AG", Cluster: home, Database: "tvm-contoso"}, o.Tenants[1]}
	foreign := conn.Schema{Functions: map[string]conn.FunctionInfo{Coverage: {Folder: "theirs", Text: "() { print 1 }"}}}
	taken := conn.Schema{Tables: map[string]conn.TableInfo{kql.AuditTable: {}}}
	remove := o
	remove.Remove = true
	for _, tt := range []struct {
		name    string
		o       Options
		inv     conn.Schema
		members []string
		want    string // kinds and names of the commands, and the group's text
		there   int
		removed int
		notes   string
	}{
		{"empty database", o, conn.Schema{}, nil, fmt.Sprintf("%d .create entity_group FleetTenants ifnotexists (%s, %s)", all, local, far), 0, 0, ""},
		{"all is there", o, asMade, []string{far, local}, "0 ", all, 0, ""},
		{"written otherwise", o, asMade, []string{`cluster("fleet.westeurope.kusto.windows.net").database("TVM-contoso")`, `cluster('HTTPS://OTHER.northeurope.kusto.windows.net:443').database("it\'s")`}, "0 ", all, 0, ""},
		{"a tenant more", o, asMade, []string{local}, "1 .alter-merge entity_group FleetTenants (" + far + ")", all - 1, 0, ""},
		{"an empty group", o, asMade, []string{}, "1 .alter-merge entity_group FleetTenants (" + local + ", " + far + ")", all - 1, 0, ""},
		{"a tenant less", o, asMade, []string{local, far, "database('old')"}, "0 ", all, 0, "database('old'); init --fleet --remove takes them out"},
		{"a tenant less, on purpose", remove, asMade, []string{local, far, "database('old')"}, "1 .alter entity_group FleetTenants (" + local + ", " + far + ")", all - 1, 1, ""},
		{"a tenant has another name", renamed, asMade, []string{local, far}, "1 ", all - 1, 0, ""},
		{"a function of others", o, foreign, []string{local, far}, fmt.Sprintf("%d ", all-2), 1, 0, "the function FleetCoverage was not created by tvmexport"},
		{"a name that is taken", o, taken, []string{local, far}, fmt.Sprintf("%d ", all-2), 1, 0, "the name MigrationAuditLog is taken by a table"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, second := groupPlan(tt.o, tt.members), functionPlan(tt.o, tt.inv)
			out := first.found
			out.add(second.found)
			commands := append(first.commands, second.commands...)
			group := ""
			for _, c := range commands {
				if c.Kind == MakeGroup {
					group = c.Text
				}
			}
			if got := fmt.Sprintf("%d %s", len(commands), group); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if notes := strings.Join(out.Notes, "; "); out.There != tt.there || len(out.Removed) != tt.removed || (tt.notes == "") != (notes == "") || !strings.Contains(notes, tt.notes) {
				t.Errorf("%d are there, %q removed, notes %q", out.There, out.Removed, notes)
			}
		})
	}
}

// A table that has a column of the name shows both.
func TestTableWithATenantColumn(t *testing.T) {
	o := two()
	o.Tables = []tvmexport.Table{{Name: "T", Destination: "TRaw", LoadType: tvmexport.Snapshot, Columns: kqltest.Columns("DeviceId", "string", "Tenant", "string")}}
	for _, f := range o.functions() {
		if strings.HasPrefix(f.name, "T") && !strings.Contains(f.body, "| project-rename Tenant_ = Tenant") {
			t.Errorf("%s hides the table's column:\n%s", f.name, f.body)
		}
	}
}

// The texts stay small: a tenant is a row of one function and a member of one group.
func TestSizesOfAThousandTenants(t *testing.T) {
	o := two()
	o.Tenants = nil
	for n := range 1000 {
		o.Tenants = append(o.Tenants, Tenant{Name: fmt.Sprintf("customer-%04d", n), Cluster: "https://tvm.westeurope.kusto.windows.net", Database: fmt.Sprintf("tvm-customer-%04d", n)})
	}
	commands, err := Script(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands {
		limit := 4 << 10
		if c.Name == Group || c.Name == Databases {
			limit = 200 << 10
		}
		if len(c.Text) > limit {
			t.Errorf("%s %s has %d bytes, more than %d", c.Kind, c.Name, len(c.Text), limit)
		}
	}
}

// Names that several databases share say nothing.
func TestOtherNames(t *testing.T) {
	o := two()
	o.Tenants = append(o.Tenants, Tenant{Name: "woodgrove", Cluster: home, Database: "Shared"}, Tenant{Name: "adatum", Cluster: home, Database: "adatum"})
	var got []string
	for _, t := range withNames(o, []naming{{"guid-1", "TVM-Contoso"}, {"guid-2", "shared"}, {"guid-3", "shared"}, {"adatum", "Adatum Ltd"}, {"it's", "far"}, {"plain", ""}}) {
		got = append(got, t.Name+": "+strings.Join(t.Also, ","))
	}
	if want := "contoso: guid-1; fabrikam: ; woodgrove: ; adatum: Adatum Ltd"; strings.Join(got, "; ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), want)
	}
}
