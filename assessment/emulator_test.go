package assessment_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
)

// morning is an hour after a snapshot.
func morning() time.Time { return time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC) }

// service is an emulated tenant and a client that can be altered.
type service struct {
	*emulatortest.Emulator
	http *http.Client
}

func newService(t testing.TB, o ...emulatortest.Option) service {
	t.Helper()
	o = append([]emulatortest.Option{emulatortest.Devices(20), emulatortest.CVEs(2000), emulatortest.FixedClock(morning()), emulatortest.NoQuota()}, o...)
	e := emulatortest.New(t, o...)
	return service{e, e.Client()}
}

// signIn makes a token of the emulator for each resource, with the roles of the
// application or with others.
type signIn struct {
	of    *emulatortest.Emulator
	roles []string
	mu    sync.Mutex
	made  map[string]azcore.AccessToken // by scope
}

func (s *signIn) GetToken(_ context.Context, r policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.made[r.Scopes[0]]; ok && s.of.Now().Before(t.RefreshOn) {
		return t, nil
	}
	text, err := s.of.Token(emulatortest.TokenRequest{Resource: r.Scopes[0], Roles: s.roles})
	if err != nil {
		return azcore.AccessToken{}, err
	}
	if s.made == nil {
		s.made = map[string]azcore.AccessToken{}
	}
	s.made[r.Scopes[0]] = azcore.AccessToken{Token: text, RefreshOn: s.of.Now().Add(30 * time.Minute)} // it lives for an hour
	return s.made[r.Scopes[0]], nil
}

// client is a client of the service with generous quotas.
func (s service) client(t testing.TB, change func(o *assessment.Options)) *assessment.Client {
	t.Helper()
	o := assessment.Options{
		Endpoint: s.Endpoints().MDE, Credential: &signIn{of: s.Emulator}, HTTPClient: s.http, Share: 1, PageRows: 100,
		Quotas: assessment.Quotas{Pages: defender.Quota{PerMinute: 10_000, PerHour: 100_000}, Files: defender.Quota{PerMinute: 1000, PerHour: 10_000}},
	}
	if change != nil {
		change(&o)
	}
	c, err := assessment.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func byPages(o *assessment.Options) { o.Via = assessment.Pages }

// adapted are the queries of data sets that differ from the published rows: two columns
// have JSON as text, one table has other names, and the year 1 is no time.
var adapted = map[string]string{
	"TvmInformationGathering": "TvmInformationGathering | project-rename OSPlatform = OsPlatform, OSVersion = OsVersion | extend DeviceGatheredInfo = parse_json(DeviceGatheredInfo)",
	"TvmHardwareFirmware":     "TvmHardwareFirmware | extend AdditionalFields = parse_json(AdditionalFields)",
	"TvmCertificates":         "TvmCertificates | extend NotBefore = iff(NotBefore == datetime(0001-01-01), datetime(null), NotBefore)",
}

// truth is the rows of a data set, in canonical form, sorted.
func (s service) truth(t testing.TB, table string) []string {
	t.Helper()
	query := table
	if q, ok := adapted[table]; ok {
		query = q
	}
	r, err := s.Client().Get(s.Endpoints().Control + "/truth?rows=1&q=" + url.QueryEscape(query))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(r.Body)
		t.Fatalf("%s: %d %s", query, r.StatusCode, text)
	}
	var rows collected
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		rows.add(t, lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows.sorted()
}

// collected gathers rows in canonical form, and as they came.
type collected struct {
	t    testing.TB
	rows []string
	raw  []string
}

func (c *collected) WriteRow(key, row []byte) error {
	if !bytes.Contains(row, slices.Concat([]byte(`"DeviceId":"`), key, []byte(`"`))) {
		c.t.Errorf("the key %q is not the DeviceId of the row", key)
	}
	c.raw = append(c.raw, string(row))
	c.add(c.t, row)
	return nil
}

func (c *collected) add(t testing.TB, row []byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(row))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", row, err)
	}
	text, err := json.Marshal(canonical(v))
	if err != nil {
		t.Fatal(err)
	}
	c.rows = append(c.rows, string(text))
}

func (c *collected) sorted() []string {
	slices.Sort(c.rows)
	slices.Sort(c.raw)
	return c.rows
}

// canonical drops nulls and empty texts in bags, and writes numbers and times in one form.
func canonical(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, w := range v {
			if v[k] = canonical(w); v[k] == nil || v[k] == "" {
				delete(v, k)
			}
		}
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(string(v), ".eE") {
			return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
		}
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.UTC().Format("2006-01-02T15:04:05.0000000Z")
		}
	}
	return v
}

func tableNamed(t testing.TB, name string) tvmexport.Table {
	t.Helper()
	table, ok := catalog.Table(name)
	if !ok {
		t.Fatalf("the catalogue has no %s", name)
	}
	return table
}

// list lists a table.
func list(t testing.TB, c *assessment.Client, table string) tvmexport.Listing {
	t.Helper()
	l, err := c.List(t.Context(), tableNamed(t, table))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// walk reads all units of a listing.
func walk(t testing.TB, c *assessment.Client, table string, l tvmexport.Listing) collected {
	t.Helper()
	got := collected{t: t}
	for open := slices.Clone(l.Units); len(open) > 0; open = open[1:] {
		before := len(got.rows)
		a, err := c.FetchUnit(t.Context(), tableNamed(t, table), open[0], &got)
		if err != nil {
			t.Fatalf("%s: %v", open[0].ID, err)
		}
		if !a.Complete() || int(a.Rows) != len(got.rows)-before || a.Unread != nil || a.Calls > 1 || a.Rows > 0 && a.Bytes == 0 {
			t.Errorf("%s: %+v", open[0].ID, a)
		}
		open = append(open, a.Next...)
	}
	got.sorted()
	return got
}

// Files and pages have the same rows, byte for byte, and these are the tenant's.
func TestRowsAreTheTruth(t *testing.T) {
	s := newService(t)
	s.Tenant().AdvanceHours(12)
	files, pages := s.client(t, nil), s.client(t, byPages)
	for _, table := range assessment.Tables() {
		t.Run(table, func(t *testing.T) {
			want := s.truth(t, table)
			if len(want) == 0 {
				t.Fatal("the truth has no rows")
			}
			first := walk(t, files, table, list(t, files, table))
			if d := cmp.Diff(want, first.rows); d != "" {
				t.Errorf("by files:\n%.2000s", d)
			}
			second := walk(t, pages, table, list(t, pages, table))
			if d := cmp.Diff(first.raw, second.raw); d != "" {
				t.Errorf("by pages:\n%.2000s", d)
			}
		})
	}
}

// A state is listed and read while a newer one appears: its units are all of one state.
func TestStateOfAListingStays(t *testing.T) {
	const table = "TvmSoftwareInventory"
	for name, change := range map[string]func(*assessment.Options){"files": nil, "pages": byPages} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, emulatortest.Configure(func(o *emulator.Options) { o.ChangeRate = 0.8 }))
			c := s.client(t, change)
			want := s.truth(t, table)
			l := list(t, c, table)
			if at := time.Date(2026, 11, 20, 6, 1, 0, 0, time.UTC); !l.At.Equal(at) || l.Version != at.Format(time.RFC3339) {
				t.Errorf("the version is %q of %s", l.Version, l.At)
			}
			s.Tenant().AdvanceHours(6)
			if slices.Equal(want, s.truth(t, table)) {
				t.Fatal("the tenant did not change")
			}
			if name == "pages" { // the first page is asked for without a token
				if _, err := c.FetchUnit(t.Context(), tableNamed(t, table), l.Units[0], &collected{t: t}); !isExpired(err) {
					t.Fatalf("the first page of an older state: %v", err)
				}
				l.Units = l.Units[1:]
			}
			got := walk(t, c, table, l)
			missing := len(want) - len(got.rows)
			if name == "files" && missing != 0 || name == "pages" && missing != 1 {
				t.Errorf("%d rows of %d", len(got.rows), len(want))
			}
			for _, row := range got.rows {
				if _, found := slices.BinarySearch(want, row); !found {
					t.Fatalf("a row of another state: %s", row)
				}
			}
			if again := list(t, c, table); again.Version == l.Version {
				t.Error("the newer state has the version of the older one")
			}
		})
	}
}
