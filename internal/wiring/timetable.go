package wiring

import (
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/serve/schedule"
)

// FleetJitter spreads the schedules of a fleet where serve.jitter does not. A delay is at
// most half the time to the next run.
const FleetJitter = time.Hour

// Timetable is the timetable of a configuration. Exporters of different
// databases have different delays.
func Timetable(c config.Config) (schedule.Timetable, error) {
	t := schedule.Timetable{Own: map[string]schedule.Schedule{}, Jitter: c.Serve.Jitter, Seed: c.Kusto.Cluster + " " + c.Kusto.Database}
	var err error
	if t.Default, err = schedule.Parse(c.Schedule); err != nil {
		return t, fmt.Errorf("schedule: %w", err)
	}
	for table, text := range c.Serve.Schedules {
		if t.Own[table], err = schedule.Parse(text); err != nil {
			return t, fmt.Errorf("serve.schedules.%s: %w", table, err)
		}
	}
	return t, nil
}

// Check says what is wrong with a configuration and is found with the catalogue and
// the syntax of schedules.
func Check(c config.Config) error {
	if err := KnownColumns(c); err != nil {
		return err
	}
	_, err := Timetable(c)
	return err
}
