package kusto

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// TestEmulatorChangesOfAnyHistory compares Changes with the difference of the
// states, over histories of chance: rows come and go and come back, some of
// them several times, and full runs change the depth of partitions.
func TestEmulatorChangesOfAnyHistory(t *testing.T) {
	onStage(t, func(s stage) {
		table := softwareTable
		table.NaturalKey = []string{"DeviceId"}
		s.setUp(table)
		chance := rand.New(rand.NewPCG(7, 11))
		rows := map[string][]string{} // by device
		devices := []string{"30", "31", "32", "45", "46"}
		depth := 1
		var states []state
		previous := ""
		for n := range 9 {
			touched := map[string]bool{}
			for range chance.IntN(4) {
				d := devices[chance.IntN(len(devices))]
				touched[d], rows[d] = true, nil
				for range chance.IntN(3) {
					rows[d] = append(rows[d], fmt.Sprintf("%s:%d", d, chance.IntN(3)))
				}
			}
			kind := tvmexport.DeltaRun
			if n%4 == 0 {
				kind, depth = tvmexport.FullRun, 1+chance.IntN(2)
			}
			parts := map[tvmexport.Partition][]string{}
			for _, d := range devices {
				p := tvmexport.Of(d, depth)
				if kind == tvmexport.DeltaRun && !slices.ContainsFunc(devices, func(o string) bool { return touched[o] && tvmexport.Of(o, depth) == p }) {
					continue
				}
				parts[p] = append(parts[p], rows[d]...)
			}
			time.Sleep(time.Hour)
			id := fmt.Sprintf("20260101T000000Z-%d", n)
			previous = string(s.publishParts(table, id, previous, kind, parts))
			time.Sleep(time.Minute)
			var all []string
			for _, d := range devices {
				all = append(all, rows[d]...)
			}
			slices.Sort(all)
			states = append(states, state{at: s.now(), run: id, rows: all})
			if got := s.devices("DeviceTvmSoftwareInventory"); got != strings.Join(all, " ") {
				s.Fatalf("after %s readers see %s, want %s", id, got, all)
			}
		}
		for i, from := range states {
			for j := i + 1; j < len(states); j += 2 {
				got := s.ask(fmt.Sprintf("DeviceTvmSoftwareInventoryChanges(%s, %s) | project Row = strcat(Change, ' ', DeviceId, ':', Count, iff(isnull(Before), '', strcat(' before ', tostring(Before.Count))), ' in ', RunId) | order by Row asc", kql.Datetime(from.at), kql.Datetime(states[j].at)))
				if d := cmp.Diff(changesBetween(states[i:j+1]), got, cmpopts.EquateEmpty()); d != "" {
					s.Errorf("from %s %v to %s %v (-want +got):\n%s", from.run, from.rows, states[j].run, states[j].rows, d)
				}
			}
		}
	})
}

// TestEmulatorChangesOfDynamics: values of a dynamic column that have the same
// text are not the same.
func TestEmulatorChangesOfDynamics(t *testing.T) {
	for _, layout := range []tvmexport.Layout{tvmexport.Both, tvmexport.RawOnly} {
		t.Run(string(layout), func(t *testing.T) {
			onStage(t, func(s stage) {
				table := softwareTable
				table.NaturalKey, table.Layout = []string{"DeviceId"}, layout
				s.setUp(table)
				previous, at := "", time.Time{}
				for i, value := range []string{`null`, `""`, `{}`, `"{}"`, `[]`, `1`, `"1"`, `true`, `"true"`, `null`} {
					run := runOfTable(table, fmt.Sprintf("20260101T000000Z-%d", i), previous, tvmexport.FullRun)
					time.Sleep(time.Minute)
					b := batch(run, 1, `{"DeviceId":"3f01","CveTags":`+value+`}`)
					s.land(run, b)
					p := publicationOf(run, b)
					p.Layout = layout
					_, err := s.client.Publish(s.Context(), p)
					s.must(err)
					s.must(s.client.Commit(s.Context(), tvmexport.Commit{Run: run, Owner: newOwner(), Rows: 1, Partitions: p.Partitions}))
					time.Sleep(time.Minute)
					now := s.now()
					if i > 0 {
						got := s.ask(fmt.Sprintf("DeviceTvmSoftwareInventoryChanges(%s, %s) | project Change", kql.Datetime(at), kql.Datetime(now)))
						if !slices.Equal(got, []string{"modified"}) {
							s.Errorf("when it became %s Changes shows %v", value, got)
						}
					}
					previous, at = string(run.ID), now
				}
			})
		})
	}
}
