package main

import (
	"fmt"
	"net/http"
	"strings"
)

// The runs of a table.
const (
	full      = "full"
	changed   = "changed"
	unchanged = "unchanged"
)

// limits are what runs after a change may cost. A zero field is no limit.
type limits struct {
	changes float64 // share of the devices that change
	landed  float64 // most rows that are landed then, as a share of the rows of the table
	times   float64 // most CPU time of a full run, as a multiple of that of a run without changes
}

func (l limits) runs() []string {
	if l.changes > 0 {
		return []string{full, changed, unchanged}
	}
	return []string{full}
}

// check compares the runs of each table with the limits. A run without changes of a table
// of the export assessment APIs is one pass over its rows: they are downloaded, decoded,
// hashed and spooled.
func (l limits) check(samples []sample) error {
	var first sample
	for _, s := range samples {
		switch s.run {
		case full:
			first = s
		case changed:
			if l.landed > 0 && float64(s.rows) > l.landed*float64(s.held) {
				return fmt.Errorf("%s, %s devices: %d of %d rows were landed after a change, more than %.1f %%", s.table, s.devices, s.rows, s.held, 100*l.landed)
			}
			if s.rows == 0 {
				return fmt.Errorf("%s, %s devices: no row was landed after a change", s.table, s.devices)
			}
		case unchanged:
			if s.rows > 0 {
				return fmt.Errorf("%s, %s devices: %d rows were landed though nothing has changed", s.table, s.devices, s.rows)
			}
			times := first.cpu.Seconds() / s.cpu.Seconds()
			fmt.Printf("%s, %s devices: a full run takes %.2f times the CPU time of a run without changes\n", s.table, s.devices, times)
			if l.times > 0 && times > l.times {
				return fmt.Errorf("that is more than %.2f times", l.times)
			}
		}
	}
	return nil
}

// change changes a share of the devices, and lets hours pass in which the export APIs have a
// new snapshot: there is one every six hours. Before some of them, further devices change.
func change(e emulator, share float64) error {
	for _, c := range []struct{ path, body string }{
		{"/move", fmt.Sprintf(`{"share":%v}`, share)}, {"/advance", `{"hours":7}`},
	} {
		client, err := e.client()
		if err != nil {
			return err
		}
		answer, err := client.Post(e.Control+c.path, "application/json", strings.NewReader(c.body))
		if err != nil {
			return err
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", c.path, answer.Status)
		}
	}
	return nil
}
