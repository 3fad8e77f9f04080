package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// noSchemas fails to tell columns.
type noSchemas struct{ *contract.ListingSource }

func (noSchemas) Schemas(context.Context, []string) (map[string][]tvmexport.Column, error) {
	return nil, errors.New("the service is down")
}

// A source that is not set, or that fails, fails its own tables only.
func TestSourceOfOneTableFails(t *testing.T) {
	for name, own := range map[string]tvmexport.Source{"not set": nil, "fails": noSchemas{&contract.ListingSource{}}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const events = "DeviceEvents"
				w := newWorld(tvmexport.Snapshot, "")
				lists := &contract.ListingSource{}
				rows := device("aa", 5, time.Time{})
				lists.Generate(software, "v1", rows)
				w.Source, w.Sources = nil, map[string]tvmexport.Source{software: lists}
				if own != nil {
					w.Sources[events] = own
				}
				w.Describe = func(table string) (tvmexport.Table, bool) {
					return tvmexport.Table{Name: table, Key: tvmexport.Key{Column: "DeviceId"}, Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}}}, true
				}
				w.destination.List = append(w.destination.List, tvmexport.Order{Table: events, Into: events + "Raw", Load: tvmexport.Snapshot, Active: true})
				report, err := w.Run(t.Context(), engine.Request{})
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range report.Outcomes {
					if (r.Err != nil) != (r.Table.Name == events) {
						t.Errorf("%s: %v", r.Table.Name, r.Err)
					}
				}
				w.agrees(t, rows)
			})
		})
	}
}
