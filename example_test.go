package tvmexport_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// device is a row.
type device struct{ DeviceId, DeviceName string } //nolint:revive,staticcheck // the columns' names

// inventory is a source in 40 lines: the files of an export that a service
// generates each night. A file is a unit, and the night is the version.
type inventory struct {
	night string
	files map[string][]device
}

func (inventory) Columns(context.Context, string) ([]tvmexport.Column, error) {
	return []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "DeviceName", Type: "string"}}, nil
}

func (s inventory) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	columns, err := s.Columns(ctx, "")
	return map[string][]tvmexport.Column{tables[0]: columns}, err
}

func (s inventory) List(context.Context, tvmexport.Table) (tvmexport.Listing, error) {
	l := tvmexport.Listing{Version: s.night, Calls: 1}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		l.Units = append(l.Units, tvmexport.Unit{Version: s.night, ID: name, Rows: int64(len(s.files[name]))})
	}
	return l, nil
}

func (s inventory) FetchUnit(_ context.Context, _ tvmexport.Table, u tvmexport.Unit, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	a := tvmexport.Answer{Calls: 1}
	for _, d := range s.files[u.ID] {
		row, err := json.Marshal(d)
		if err != nil {
			return a, err
		}
		if err := w.WriteRow([]byte(d.DeviceId), row); err != nil {
			return a, err
		}
		a.Rows++
		a.Bytes += int64(len(row))
	}
	a.Counted = a.Rows // the file was read to its end
	return a, nil
}

// A source that lists units is exported like any other one. Each version
// replaces what readers see.
func Example() {
	destination := &contract.Destination{List: []tvmexport.Order{
		{Table: "Devices", Into: "DevicesRaw", Load: tvmexport.Snapshot, Active: true},
	}}
	source := &inventory{night: "2026-11-20", files: map[string][]device{
		"part-0": {{"3f01", "srv-01"}, {"3f02", "srv-02"}},
		"part-1": {{"a0f9", "lap-17"}},
	}}
	exporter := &engine.Exporter{
		Source: source, Destination: destination, Owner: "example",
		Compress: func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	}
	export := func() {
		report, err := exporter.Run(context.Background(), engine.Request{})
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, o := range report.Outcomes {
			fmt.Printf("%s of %s: %d rows by %d calls, error: %v\n", o.Table.Name, source.night, o.Rows, o.Calls, o.Err)
		}
		rows := destination.Current("Devices")
		slices.Sort(rows)
		for _, row := range rows {
			fmt.Println(row)
		}
	}
	export()
	source.night, source.files = "2026-11-21", map[string][]device{"part-0": {{"3f02", "srv-02"}, {"77aa", "new-03"}}}
	export()
	// Output:
	// Devices of 2026-11-20: 3 rows by 3 calls, error: <nil>
	// {"DeviceId":"3f01","DeviceName":"srv-01"}
	// {"DeviceId":"3f02","DeviceName":"srv-02"}
	// {"DeviceId":"a0f9","DeviceName":"lap-17"}
	// Devices of 2026-11-21: 2 rows by 2 calls, error: <nil>
	// {"DeviceId":"3f02","DeviceName":"srv-02"}
	// {"DeviceId":"77aa","DeviceName":"new-03"}
}
