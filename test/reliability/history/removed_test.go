package main

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/past"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

const (
	vulnerabilities = "DeviceTvmSoftwareVulnerabilities"

	keyed   = ` | extend Finding = strcat_delim("|", DeviceId, SoftwareVendor, SoftwareName, SoftwareVersion, CveId) `
	finding = vulnerabilities + keyed + "| distinct Key = Finding"
	device  = vulnerabilities + " | distinct Key = DeviceId"
)

// A vulnerability that was fixed and a device that was retired are just not
// there any more at the source. They leave the current function with the next
// run, and Changes says so.
func TestWhatIsGoneLeavesAndStandsInChanges(t *testing.T) {
	o := rig.Options{Emulator: emulator.Options{Devices: 25}, Tables: []string{vulnerabilities}}
	tell(t, o, func(t *testing.T, c *chronicle) {
		c.days(t, 1, nil)
		before := c.entries[0]
		devices, findings := keys(t, before.state.Rows(t.Context(), device)), keys(t, before.state.Rows(t.Context(), finding))
		var fixed, retired string
		for fixed == "" || retired == "" {
			c.rig.Emulator.Tenant().Move(0.2)
			now := c.rig.Emulator.State()
			there := keys(t, now.Rows(t.Context(), device))
			for _, id := range devices.minus(there).only(1) {
				retired = id
			}
			for _, f := range findings.minus(keys(t, now.Rows(t.Context(), finding))).only(1) {
				if id, _, _ := strings.Cut(f, "|"); there[id] > 0 {
					fixed = f
				}
			}
		}
		_, err := c.rig.Run(t.Context(), engine.Request{})
		must(t, err)
		after, err := c.enter(t.Context(), 1, nil)
		must(t, err)
		from, to := past.Moment(before.at[vulnerabilities]), past.Moment(after.at[vulnerabilities])
		for what, where := range map[string]string{
			"the vulnerability " + fixed: keyed + fmt.Sprintf("| where Finding == %q", fixed),
			"the device " + retired:      fmt.Sprintf(" | where DeviceId == %q", retired),
		} {
			was := c.landed(t, vulnerabilities+"AsOf("+from+")"+where)
			if was == 0 {
				t.Errorf("%s was never there", what)
			}
			if n := c.landed(t, vulnerabilities+where); n != 0 {
				t.Errorf("%s is still there, in %d rows", what, n)
			}
			if n := c.landed(t, vulnerabilities+"Changes("+from+", "+to+")"+where+` | where Change == "removed"`); n != was {
				t.Errorf("%s: %d rows of Changes say removed, want %d", what, n, was)
			}
		}
	})
}

// keys are the values of the column Key.
func keys(t *testing.T, rows iter.Seq2[[]byte, error]) multiset {
	t.Helper()
	m := multiset{}
	for row, err := range rows {
		must(t, err)
		var r struct{ Key string }
		must(t, json.Unmarshal(row, &r))
		m[r.Key]++
	}
	return m
}

// landed is how many rows a query over the destination has.
func (c *chronicle) landed(t *testing.T, query string) int64 {
	t.Helper()
	d, err := c.rig.Emulator.Landed(t.Context(), "", query)
	must(t, err)
	return d.Rows
}
