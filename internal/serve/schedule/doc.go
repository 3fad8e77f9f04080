// Package schedule decides when which tables are exported. A schedule is a
// cron expression; the times that it names fire. Decisions are pure functions
// of the clock and of what is served; Loop asks the clock and carries them out.
//
// What holds: of one table no two runs overlap, since runs go one after the
// other. A fire is served by a run that begins at it, or later where something
// was in its way. Every other fire is told as missed, with the reason, and of
// all that were missed in a row one run makes good.
package schedule
