package schedules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/internal/config"
)

func member(t *testing.T, name, when string) config.Member {
	t.Helper()
	c := config.Default()
	c.Schedule, c.Kusto.Cluster, c.Kusto.Database = when, "https://adx.westeurope.kusto.windows.net", name
	return config.Member{Name: name, Config: c}
}

func wanted(t *testing.T, name, when string) Schedule {
	t.Helper()
	s, err := Of(member(t, name, when))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCompare(t *testing.T) {
	a := wanted(t, "a", "0 3 * * *")
	with := func(s Schedule, f func(*Schedule)) Schedule {
		f(&s)
		return s
	}
	paused := func(note string) func(*Schedule) { return func(s *Schedule) { s.Paused, s.Note = true, note } }
	off := wanted(t, "a", "off")
	for _, tt := range []struct {
		name          string
		wanted, found []Schedule
		want          string // kind, pause and reasons of the one change
	}{
		{"new", []Schedule{a}, nil, "create false 0 3 * * *"},
		{"the same", []Schedule{a}, []Schedule{a}, "keep false "},
		{"another note", []Schedule{a}, []Schedule{with(a, func(s *Schedule) { s.Note = "unpaused by somebody" })}, "keep false "},
		{"another time", []Schedule{wanted(t, "a", "@every 90m")}, []Schedule{a}, "change false times: 0 3 * * * → @every 1h30m0s; jitter: 1h0m0s → 45m0s"},
		{"another policy", []Schedule{a}, []Schedule{with(a, func(s *Schedule) { s.Overlap, s.CatchUp = "BufferOne", time.Minute })}, "change false catch-up window: 1m0s → 744h0m0s; overlap: BufferOne → Skip"},
		{"another input", []Schedule{a}, []Schedule{with(a, func(s *Schedule) { s.Starts.Order.Full = true })}, "change false the input of the workflow was changed on the cluster"},
		{"something else", []Schedule{a}, []Schedule{with(a, func(s *Schedule) { s.Extra = "a start or an end" })}, "change false changed on the cluster: a start or an end"},
		{"paused by us", []Schedule{a}, []Schedule{with(a, paused(noteGone))}, "resume false the tenant is in the configuration again"},
		{"paused by us, another time", []Schedule{wanted(t, "a", "0 4 * * *")}, []Schedule{with(a, paused(noteGone))}, "change false times: 0 3 * * * → 0 4 * * *; paused → runs again"},
		{"paused by an operator", []Schedule{a}, []Schedule{with(a, paused("maintenance"))}, "keep true stays paused by somebody else: maintenance"},
		{"paused by an operator without a note", []Schedule{a}, []Schedule{with(a, paused(""))}, "keep true stays paused by somebody else: "},
		{"paused by an operator, another time", []Schedule{wanted(t, "a", "0 4 * * *")}, []Schedule{with(a, paused("maintenance"))}, "change true times: 0 3 * * * → 0 4 * * *; stays paused by somebody else: maintenance"},
		{"gone", nil, []Schedule{a}, "pause true the tenant is not in the configuration"},
		{"gone for long", nil, []Schedule{with(a, paused(noteGone))}, "keep true the tenant is not in the configuration"},
		{"gone, paused by an operator", nil, []Schedule{with(a, paused("maintenance"))}, "keep true the tenant is not in the configuration"},
		{"off and new", []Schedule{off}, nil, "keep true the schedule of the tenant is off"},
		{"off", []Schedule{off}, []Schedule{a}, "pause true the schedule of the tenant is off"},
		{"off for long", []Schedule{off}, []Schedule{with(a, paused(noteOff))}, "keep true "},
		{"off, paused by an operator", []Schedule{off}, []Schedule{with(a, paused("maintenance"))}, "keep true "},
		{"on again", []Schedule{a}, []Schedule{with(a, paused(noteOff))}, "resume false the tenant is in the configuration again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := Compare(tt.wanted, tt.found, func(string) bool { return true })
			if len(list) != 1 {
				t.Fatalf("%d changes: %+v", len(list), list)
			}
			c := list[0]
			if got := fmt.Sprintf("%s %t %s", c.Kind, c.To.Paused, strings.Join(c.What, "; ")); got != tt.want || c.Tenant != "a" {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if c.Kind == Keep {
				return
			}
			again := Compare(tt.wanted, []Schedule{c.To}, func(string) bool { return true })
			if len(again) != 1 || again[0].Kind != Keep {
				t.Errorf("after the change: %+v", again)
			}
			if len(tt.found) > 0 && tt.found[0].foreign() && (!c.To.Paused || c.To.Note != tt.found[0].Note) {
				t.Errorf("what an operator paused is changed to %+v", c.To)
			}
		})
	}
}

func TestTenantsThatAreNotAskedForAreLeftAlone(t *testing.T) {
	list := Compare([]Schedule{wanted(t, "c", "@daily")}, []Schedule{wanted(t, "b", "@daily"), wanted(t, "a", "@daily")}, func(tenant string) bool { return tenant == "b" })
	var got []string
	for _, c := range list {
		got = append(got, c.Tenant+" "+string(c.Kind))
	}
	if want := []string{"b pause", "c create"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestSchedulesOfAConfiguration(t *testing.T) {
	for _, tt := range []struct{ text, when, jitter string }{
		{"0 */6 * * *", "0 0,6,12,18 * * *", "1h0m0s"},
		{"*/10 * * * *", "0,10,20,30,40,50 * * * *", "5m0s"},
		{"0 9,10 * * *", "0 9-10 * * *", "30m0s"},
		{"@every 1s", "@every 1s", "0s"},
		{"0 0 13 * fri", "0 0 13 * * or 0 0 * * 5", "1h0m0s"},
		{"CRON_TZ=Europe/Berlin 0 3 * * 1-5", "CRON_TZ=Europe/Berlin 0 3 * * 1-5", "1h0m0s"},
		{"0 0 29 2 *", "0 0 29 2 *", "1h0m0s"},
		{"off", "off", "0s"},
	} {
		s := wanted(t, "a", tt.text)
		if s.When() != tt.when || s.Jitter.String() != tt.jitter {
			t.Errorf("%s: %s with a jitter of %s, want %s with %s", tt.text, s.When(), s.Jitter, tt.when, tt.jitter)
		}
	}
	m := member(t, "a", "@daily")
	m.Config.Serve.Schedules = map[string]string{"DeviceInfo": "@hourly"}
	if _, err := Of(m); err == nil || !strings.Contains(err.Error(), "remove serve.schedules") {
		t.Errorf("schedules of tables: %v", err)
	}
	m = config.Member{Name: "a", Err: errors.New("wrong key")}
	if _, err := Of(m); err == nil {
		t.Error("a tenant whose settings cannot be used has a schedule")
	}
}
