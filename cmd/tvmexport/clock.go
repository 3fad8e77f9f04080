package main

import "time"

// jumped logs that the wall clock was set while serve runs.
func (s *service) jumped(by time.Duration) {
	if by < 0 {
		s.log.Warn("the clock of this machine was set back; schedules follow the new time", "by", -by)
	} else {
		s.log.Warn("the clock of this machine was set forward, or the machine was suspended; schedules follow the new time", "by", by)
	}
	s.metrics.Jumped(by)
}

// ahead logs that a table's last run began in the future.
func (s *service) ahead(table string, last time.Time) {
	s.log.Warn("the last run of a table began in the future; this machine's clock or that of the last exporter is wrong; the table is exported now",
		"table", table, "last", last, "now", time.Now())
}
