package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// The tables, by what becomes of their last run.
const (
	half     = "DeviceTvmSoftwareInventory"       // killed while it publishes: records are there, typed rows are not
	claimed  = "DeviceTvmHardwareFirmware"        // killed when it has claimed its base, before it publishes
	landed   = "DeviceTvmCertificateInfo"         // killed when all batches have landed
	arriving = "DeviceTvmBrowserExtensions"       // killed while it lands batches
	window   = "DeviceProcessEvents"              // Incr: killed when all batches have landed
	silent   = "DeviceNetworkEvents"              // FullThenIncr: killed after its commit, before the audit
	failing  = "DeviceBaselineComplianceProfiles" // abandoned its publication, then failed
)

var tables = []string{half, claimed, landed, arriving, window, silent, failing, oldEvents, oldState}

// events are the tables of events, with the columns that are exported; * are all.
var events = map[string]string{
	window: "Timestamp, DeviceId, DeviceName, ActionType, FileName, ProcessId, ReportId",
	silent: "Timestamp, DeviceId, ActionType, RemoteIP, RemotePort, Protocol, ReportId, AdditionalFields",

	oldEvents: "*",
}

// story is what happens to the database.
func (w *world) story(ctx context.Context) error {
	if err := w.takeOver(ctx); err != nil {
		return err
	}
	args := []string{"init"}
	for _, t := range tables {
		args = append(args, "--table", t)
	}
	if _, err := w.exits(0, args...); err != nil {
		return err
	}
	// Full is what the original system calls FullThenIncr.
	if err := w.admin(ctx, fmt.Sprintf(`.set-or-append MigrationConfiguration <| MigrationConfiguration | where SourceTable == %q | take 1 | extend LoadType = "Full"`, silent)); err != nil {
		return err
	}
	// Some answers are too large, so that tables come in several batches.
	if _, err := w.server.Faults().Add(faults.Rule{Endpoint: faults.Graph, Match: "union (answer", Every: 2, Count: 40, Status: http.StatusRequestEntityTooLarge}); err != nil {
		return err
	}
	for day := range 2 {
		if day > 0 {
			w.advance()
		}
		if err := w.committed(ctx); err != nil {
			return err
		}
	}
	w.advance()
	if err := w.abandoned(ctx); err != nil {
		return err
	}
	return w.die()
}

// abandoned lets a publication begin whose landed rows then vanish, and a run give it up.
func (w *world) abandoned(ctx context.Context) error {
	w.shortLeases = true
	defer func() { w.shortLeases = false }()
	claim := moment{at: faults.KustoMgmt, has: []string{".set-or-append ExportRuns", `State = "publishing"`}, after: true}
	if err := w.killed(failing, claim); err != nil {
		return err
	}
	if err := w.admin(ctx, ".clear table "+failing+"Landing data"); err != nil {
		return err
	}
	time.Sleep(2 * term)
	for _, code := range []int{1, 0} { // the first run gives it up, the second one exports the table
		if _, err := w.exits(code, "run", "--json", "--table", failing); err != nil {
			return err
		}
	}
	if d, err := w.server.Landed(ctx, "", `ExportRuns | where State == "abandoned"`); err != nil || d.Rows != 1 {
		return fmt.Errorf("%d publications were abandoned, want 1 (%v)", d.Rows, err)
	}
	return nil
}

// committed exports all tables, and keeps what readers can ask for later.
func (w *world) committed(ctx context.Context) error {
	if _, err := w.exits(0, "run", "--json"); err != nil {
		return err
	}
	for _, t := range tables {
		if events[t] != "" {
			continue
		}
		truth, err := w.server.Truth(ctx, t)
		if err != nil {
			return err
		}
		query := fmt.Sprintf("%sAsOf(datetime(%s))", t, w.server.Tenant().Now().UTC().Format("2006-01-02T15:04:05.0000000Z"))
		if w.record.Queries[query], err = w.server.Landed(ctx, "", query); err != nil {
			return err
		}
		if w.record.Queries[query] != truth {
			return fmt.Errorf("%s differs from the source", query)
		}
	}
	return nil
}

// die lets runs of the tables end in their ways.
func (w *world) die() error {
	rule, err := w.server.Faults().Add(faults.Rule{Endpoint: faults.Graph, Match: failing, Status: http.StatusForbidden})
	if err != nil {
		return err
	}
	if _, err := w.exits(4, "run", "--json", "--table", failing); err != nil {
		return err
	}
	w.server.Faults().Remove(rule[0])
	if _, err := w.server.Faults().Add(faults.Rule{Endpoint: faults.Graph, Match: "union (answer", Every: 2, Status: http.StatusRequestEntityTooLarge}); err != nil {
		return err
	}
	claim := []string{".set-or-append ExportRuns", `State = "publishing"`}
	for _, d := range []struct {
		table string
		at    moment
	}{
		{half, moment{at: faults.KustoMgmt, has: []string{".set-or-append async " + half + "Typed"}}},
		{claimed, moment{at: faults.KustoMgmt, has: claim, after: true}},
		{landed, moment{at: faults.KustoMgmt, has: claim}},
		{arriving, moment{at: faults.Queue, has: []string{"messages"}, nth: 1, after: true}},
		{window, moment{at: faults.KustoMgmt, has: claim}},
		{silent, moment{at: faults.KustoMgmt, has: []string{".set-or-append ExportRuns", "tvmexport-ended:"}}},
	} {
		if err := w.killed(d.table, d.at); err != nil {
			return err
		}
	}
	w.server.Faults().Clear()
	return nil
}

// ended notes the end of the story. Each of the tables must have landed rows.
func (w *world) ended(ctx context.Context, tables ...string) error {
	if err := w.server.AwaitIngestion(ctx); err != nil {
		return err
	}
	w.record.Ended = time.Now().UTC()
	for _, t := range tables {
		switch d, err := w.server.Landed(ctx, "", t+"Landing"); {
		case err != nil:
			return err
		case d.Rows == 0:
			return fmt.Errorf("%s did not change at the source on the last day, so that nothing has landed; use another seed", t)
		}
	}
	return nil
}

// look keeps what the source holds, what readers see, and what the program says.
func (w *world) look(ctx context.Context) error {
	if err := w.ended(ctx, half, claimed, landed, arriving, window); err != nil {
		return err
	}
	for _, t := range tables {
		var err error
		query := t
		if columns := events[t]; columns != "" && columns != "*" {
			query += " | project " + columns
		}
		if w.record.Source[query], err = w.server.Truth(ctx, query); err != nil {
			return err
		}
		queries := []string{t}
		if events[t] == "" {
			queries = append(queries, fmt.Sprintf("%sChanges(datetime(%s), datetime(%s))", t,
				w.advances[0].UTC().Format(time.RFC3339Nano), w.advances[1].UTC().Format(time.RFC3339Nano)))
		}
		for _, q := range queries {
			if w.record.Queries[q], err = w.server.Landed(ctx, "", q); err != nil {
				return err
			}
		}
	}
	for command, code := range map[string]int{"status": 0, "tables": 0, "verify": 3, "plan": 0} {
		if err := w.print(command, code); err != nil {
			return err
		}
	}
	return nil
}

// print keeps the lines that a command prints as JSON.
func (w *world) print(command string, code int) error {
	out, err := w.exits(code, command, "--json")
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		w.record.Printed[command] = append(w.record.Printed[command], json.RawMessage(strings.TrimSpace(line)))
	}
	return nil
}
