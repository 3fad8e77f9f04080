// Package schedules keeps the schedules of a Temporal cluster as a configuration
// wants them: one for each tenant. The changes are a pure function of the
// schedules that are wanted and those that were found.
package schedules

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/fleet/temporal"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/serve/schedule"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// Schedule is when the cluster exports a tenant.
type Schedule struct {
	Tenant string
	Times  schedule.Spec
	Jitter time.Duration // most that a run is delayed by

	// CatchUp is how late a run may begin whose time the cluster has missed. Of
	// several that it missed, one is made up: the others would overlap.
	CatchUp time.Duration
	Overlap string // what happens to a run that is due while another one goes on
	Starts  Starts

	Paused bool
	Note   string // why, or what the schedule is for

	Extra string // of a schedule that was found: what no schedule of this package has
}

// Starts is what a schedule starts.
type Starts struct {
	Workflow string
	Queue    string
	Order    temporal.Order
}

// ours begins the notes that this package writes.
const ours = "tvmexport: "

// The notes of this package.
const (
	noteActive = ours + "exports the tenant"
	noteGone   = ours + "paused, because the tenant is not in the configuration"
	noteOff    = ours + "paused, because the schedule of the tenant is off"
)

// catchUp is longer than the time between two runs of most schedules, so that a run
// which the cluster missed is made up for.
const catchUp = 31 * 24 * time.Hour

// skip is the policy for overlaps: a run that is due while another one goes on is left out.
const skip = "Skip"

// Of is the schedule that a tenant's configuration asks for.
func Of(m config.Member) (Schedule, error) {
	if m.Err != nil {
		return Schedule{}, m.Err
	}
	if len(m.Config.Serve.Schedules) > 0 {
		return Schedule{}, errors.New("serve.schedules has schedules of single tables; with fleet.engine temporal, a tenant has one schedule for all of its tables: remove serve.schedules")
	}
	t, err := wiring.Timetable(m.Config)
	if err != nil {
		return Schedule{}, err
	}
	s := Schedule{
		Tenant: m.Name, Times: t.Default.Spec(), Jitter: jitter(t), CatchUp: catchUp, Overlap: skip, Note: noteActive,
		Starts: Starts{Workflow: temporal.WorkflowName, Queue: temporal.Queue, Order: temporal.Order{Tenant: m.Name}},
	}
	if s.never() {
		s.Jitter, s.Paused, s.Note = 0, true, noteOff
	}
	return s, nil
}

// jitter is the delay of a timetable, or that of fleets where it has none, and at most half
// of the shortest time between two runs. It does not depend on today.
func jitter(t schedule.Timetable) time.Duration {
	most := t.Jitter
	if most == 0 {
		most = wiring.FleetJitter
	}
	last := t.Default.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	for range 100 {
		next := t.Default.Next(last)
		if next.IsZero() {
			break
		}
		most, last = min(most, next.Sub(last)/2), next
	}
	return most.Truncate(time.Second)
}

// never says that the schedule has no time at all.
func (s Schedule) never() bool { return s.Times.Every == 0 && len(s.Times.Calendars) == 0 }

// foreign says that somebody else has paused the schedule.
func (s Schedule) foreign() bool { return s.Paused && !strings.HasPrefix(s.Note, ours) }

// When is when a schedule runs, as text: an interval or cron expressions.
func (s Schedule) When() string {
	t := s.Times
	switch {
	case t.Every != 0:
		return "@every " + t.Every.String()
	case s.never():
		return schedule.Off
	}
	var list []string
	for _, c := range t.Calendars {
		list = append(list, expression(c))
	}
	text := strings.Join(list, " or ")
	if t.Zone != "UTC" {
		return "CRON_TZ=" + t.Zone + " " + text
	}
	return text
}

// expression is a calendar as a cron expression.
func expression(c schedule.Calendar) string {
	return strings.Join([]string{
		field(c.Minute, 0, 59), field(c.Hour, 0, 23), field(c.DayOfMonth, 1, 31), field(c.Month, 1, 12), field(c.DayOfWeek, 0, 6),
	}, " ")
}

func field(list []schedule.Range, first, last int) string {
	var parts []string
	for _, r := range list {
		switch {
		case r.First <= first && r.Last >= last:
			return "*"
		case r.First == r.Last:
			parts = append(parts, fmt.Sprint(r.First))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", r.First, r.Last))
		}
	}
	return strings.Join(parts, ",")
}
