package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/kusto"
)

func gzipFast(w io.Writer) io.WriteCloser {
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid
	return z
}

// kinds has a column of each type.
var kinds = tvmexport.Table{
	Name: "Kinds", Destination: "KindsRaw", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"},
	Columns: []tvmexport.Column{
		{Name: "DeviceId", Type: "string"},
		{Name: "Text", Type: "string"},
		{Name: "Seen", Type: "datetime"},
		{Name: "Score", Type: "real"},
		{Name: "Count", Type: "long"},
		{Name: "Small", Type: "int"},
		{Name: "Active", Type: "bool"},
		{Name: "Paths", Type: "dynamic"},
		{Name: "Id", Type: "guid"},
	},
}

// rowOf is a row of kinds; what is not given is left out.
func rowOf(n int, members string) contract.Row {
	key := fmt.Sprintf("%02x%038x", n*37%256, n)
	if members != "" {
		members = "," + members
	}
	return contract.Row{Key: key, JSON: fmt.Sprintf(`{"DeviceId":%q%s}`, key, members)}
}

// oddRows have values whose text is not obvious.
func oddRows() []contract.Row {
	members := []string{
		``, `"Text":null`, `"Text":""`, `"Text":"a\"b\\c\u00e9 \ud83d\ude00 \n\t\u0001/"`, `"Text":"2026-11-20T06:01:00Z"`, `"Text":"2026-11-20"`,
		`"Seen":"2026-11-20T06:01:00Z"`, `"Seen":"2026-11-20T06:01:00.1234567Z"`, `"Seen":"2026-11-20T06:01:00.5Z"`, `"Seen":null`,
		`"Score":7`, `"Score":7.0`, `"Score":7.5`, `"Score":0.1`, `"Score":1e20`, `"Score":0.00001`, `"Score":-0.0`, `"Score":123456789.125`,
		`"Count":0`, `"Count":-1`, `"Count":9007199254740993`, `"Small":12`, `"Active":true`, `"Active":false`, `"Active":null`,
		`"Paths":[]`, `"Paths":null`, `"Paths":["c:\\program files\\a.exe","\/usr\/bin\/\u00fc"]`, `"Paths":[{"Id":"x","IsRequired":true,"Risk":7.0},1,1.50,null,"1"]`,
		`"Paths":{"At":"2026-11-20T06:01:00Z","B":{"c":[]}}`, `"Paths":"text"`, `"Paths":1`, `"Paths":""`,
		`"Id":"0F8FAD5B-D9CB-469F-A165-70867728950E"`,
	}
	var rows []contract.Row
	for i, m := range members {
		rows = append(rows, rowOf(i, m))
	}
	return rows
}

// signIn is the credential of an application of the emulated tenant.
type signIn struct{ *emulatortest.Emulator }

func (s signIn) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := s.Token(emulatortest.TokenRequest{Resource: o.Scopes[0]})
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}

// ofKinds describes the one table.
func ofKinds(string) (tvmexport.Table, bool) { return kinds, true }

// Source and destination compute the same fingerprints of the same rows, of each type.
// A second run lands nothing; one after a change lands the changed partition.
func TestFingerprintsAreThoseOfTheDestination(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	ctx := t.Context()
	e, err := emulatortest.Start(emulatortest.Devices(1), emulatortest.NoQuota())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	at := e.Endpoints()
	destination, err := kusto.New(ctx, kusto.Options{Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: e.Client(), Credential: signIn{e}})
	if err != nil {
		t.Fatal(err)
	}
	defer destination.Close()
	if _, err := destination.Setup().Init(ctx, []tvmexport.Table{kinds}, kusto.ScriptOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := destination.Configuration().Configure(ctx, []tvmexport.Table{kinds}); err != nil {
		t.Fatal(err)
	}
	behind := &contract.ListingSource{Schema: kinds.Columns}
	rows := oddRows()
	behind.Generate(kinds.Name, "1", rows[:10], rows[10:])
	s, err := New(behind, Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	x := &engine.Exporter{Source: s, Destination: destination, Describe: ofKinds, Compress: gzipFast, Owner: "test", Limits: tvmexport.Limits{Rows: 600, Bytes: 1 << 20}}
	run := func(want int64) {
		t.Helper()
		report, err := x.Run(ctx, engine.Request{})
		if err != nil || report.Outcomes[0].Err != nil {
			t.Fatal(err, report.Outcomes)
		}
		if got := report.Outcomes[0]; got.Rows != want || !strings.Contains(strings.Join(got.Notes, "\n"), "the source's state is of ") {
			t.Errorf("%d rows were published, want %d; notes %q", got.Rows, want, got.Notes)
		}
	}
	same := func() {
		t.Helper()
		compared, err := x.Verify(ctx, nil, "")
		if err != nil || compared[0].Err != nil {
			t.Fatal(err, compared)
		}
		for _, d := range compared[0].Differences {
			i := slices.IndexFunc(rows, func(r contract.Row) bool { return d.Partition.Contains(r.Key) })
			t.Errorf("%s differs: %s; first row %s", d.Partition, d.Why, rows[max(i, 0)].JSON)
		}
	}
	run(int64(len(rows)))
	same()
	run(0)
	rows[3] = rowOf(3, `"Text":"changed"`)
	behind.Generate(kinds.Name, "2", rows[:10], rows[10:])
	run(1)
	same()
	isEmpty(t, s.store.parent)
}

// rig is an exporter from a fake listing source to a fake destination.
type rig struct {
	*engine.Exporter
	behind *contract.ListingSource
	to     *contract.Destination
	table  tvmexport.Table
}

func newRig(t *testing.T, table tvmexport.Table, o Options) *rig {
	r := &rig{behind: &contract.ListingSource{}, to: &contract.Destination{}, table: table}
	r.to.Configure(contract.ConfigRow{Table: table.Name, Load: string(table.LoadType), Watermark: table.Watermark, Active: true})
	r.Exporter = &engine.Exporter{
		Source: newSource(t, r.behind, o), Destination: r.to, Compress: gzipFast, Owner: "test", Resume: time.Hour,
		Describe: func(string) (tvmexport.Table, bool) { return r.table, true },
		Limits:   tvmexport.Limits{Rows: 200, Bytes: 1 << 20},
	}
	return r
}

func (r *rig) export(t *testing.T) engine.Result {
	t.Helper()
	report, err := r.Run(t.Context(), engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return report.Outcomes[0]
}

// rowsOf makes rows of the version that is given; of every hundredth row the content
// changes with the version.
func rowsOf(n, version int) (rows []contract.Row) {
	for i := range n {
		key, v := fmt.Sprintf("%04x%036x", i*40503%65536, i), 0
		if i%100 == 0 {
			v = version
		}
		rows = append(rows, contract.Row{Key: key, JSON: fmt.Sprintf(`{"DeviceId":%q,"V":%d}`, key, v)})
	}
	return rows
}

func halves(rows []contract.Row) [][]contract.Row {
	return [][]contract.Row{rows[:len(rows)/2], rows[len(rows)/2:]}
}

// readersSee checks that readers see the rows, each once.
func (r *rig) readersSee(t *testing.T, rows []contract.Row) {
	t.Helper()
	var want []string
	for _, row := range rows {
		want = append(want, row.JSON)
	}
	got := r.to.Current(r.table.Name)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("readers see %d rows, want %d, or others", len(got), len(want))
	}
}

var valued = tvmexport.Table{
	Name: "T", Destination: "TRaw", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"},
	Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "V", Type: "long"}},
}

func TestOnlyChangedPartitionsLand(t *testing.T) {
	r := newRig(t, valued, Options{})
	r.behind.Schema = valued.Columns
	r.behind.Generate("T", "1", halves(rowsOf(2000, 1))...)
	if o := r.export(t); o.Err != nil || o.Rows != 2000 {
		t.Fatal(o.Rows, o.Err)
	}
	reads := len(r.behind.Reads)
	if reads != 2 {
		t.Errorf("%d reads of 2 units", reads)
	}
	r.behind.Generate("T", "2", halves(rowsOf(2000, 2))...)
	o := r.export(t)
	if o.Err != nil || o.Rows < 20 || o.Rows > 100 || len(r.behind.Reads) != reads+2 {
		t.Errorf("%d rows landed of 20 changed ones, by %d reads: %v", o.Rows, len(r.behind.Reads)-reads, o.Err)
	}
	r.readersSee(t, rowsOf(2000, 2))
}

// A run that ends after any batch is resumed: what landed is not fetched again.
func TestResumedAfterAnyBatch(t *testing.T) {
	for after := 1; after < 8; after++ {
		r := newRig(t, valued, Options{})
		r.behind.Schema = valued.Columns
		r.behind.Generate("T", "1", halves(rowsOf(2000, 1))...)
		ctx, kill := context.WithCancelCause(t.Context())
		landed := 0
		r.Hooks.Landing = func(tvmexport.Run, tvmexport.Batch) {
			if landed++; landed == after {
				kill(errors.New("killed"))
			}
		}
		r.Calls = 1
		if _, err := r.Run(ctx, engine.Request{}); err == nil {
			t.Log("the run has ended by itself")
		}
		r.Hooks.Landing = nil
		isEmpty(t, r.Source.(*Source).store.parent)
		o := r.export(t)
		if o.Err != nil || o.Resumed == 0 {
			t.Errorf("after %d batches: %d rows were reused, %v", after, o.Resumed, o.Err)
		}
		r.readersSee(t, rowsOf(2000, 1))
	}
}
