package main

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

// largest are the tables with most rows for each device.
var largest = []string{"DeviceTvmSoftwareVulnerabilities", "DeviceTvmSecureConfigurationAssessment", "DeviceTvmSoftwareInventory"}

// share is the share of devices that change between two runs.
const share = 0.01

// Of a full export, what a run may fetch after such a change.
const (
	mostData  = 0.05 // of the rows, and of the bytes
	mostCalls = 0.10 // of the calls for rows
)

// volume is what a run fetched of one table.
type volume struct {
	rows  int64 // of the table, at the source
	fetch int64 // rows that were fetched
	bytes int64 // of them
	calls int   // for them
	asked int   // calls for the plan: the schema and the counts
	parts int
	moved int // parts that were fetched
}

// measured is a run: by table, and what the service says it served.
type measured struct {
	tables map[string]volume
	served emulator.HuntingStats
}

// measure makes a run and then compares what readers see with the source.
func measure(ctx context.Context, r *rig.Rig, q engine.Request) (measured, error) {
	before := r.Emulator.Stats().Defender["graph"]
	results, err := r.Run(ctx, q)
	if err != nil {
		return measured{}, err
	}
	after := r.Emulator.Stats().Defender["graph"]
	m := measured{tables: map[string]volume{}, served: emulator.HuntingStats{
		Calls: after.Calls - before.Calls, Rows: after.Rows - before.Rows, Bytes: after.Bytes - before.Bytes,
	}}
	for name, result := range results {
		truth, err := r.Emulator.Truth(ctx, name)
		if err != nil {
			return m, err
		}
		landed, err := r.Emulator.Landed(ctx, "", name)
		if err != nil {
			return m, err
		}
		if truth != landed {
			return m, fmt.Errorf("%s: readers see %d rows, the source has %d, and they are not the same", name, landed.Rows, truth.Rows)
		}
		m.tables[name] = volume{
			rows: truth.Rows, fetch: result.Fetched, bytes: result.Bytes, calls: result.Slices,
			asked: result.Calls - result.Slices, parts: result.Parts, moved: result.Changed,
		}
	}
	return m, nil
}

// excess says in which ways the second run fetched more than it may.
func excess(full, after measured) (out []string) {
	for _, name := range largest {
		a, b := full.tables[name], after.tables[name]
		for _, x := range []struct {
			what      string
			got, of   float64
			allowance float64
		}{
			{"rows", float64(b.fetch), float64(a.fetch), mostData},
			{"bytes", float64(b.bytes), float64(a.bytes), mostData},
			{"calls", float64(b.calls), float64(a.calls), mostCalls},
		} {
			if x.got > x.of*x.allowance {
				out = append(out, fmt.Sprintf("%s: %.0f %s of %.0f, more than %.0f %%", name, x.got, x.what, x.of, 100*x.allowance))
			}
		}
	}
	return out
}
