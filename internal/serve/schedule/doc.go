// Package schedule decides when which tables are exported. A schedule is a
// cron expression; the times that it names fire. Decisions are pure functions
// of the clock and of what is served; Loop asks the clock and carries them out.
//
// What holds: of one table no two runs overlap, since runs go one after the
// other. A fire is served by a run that begins at it, or later where something
// was in its way. Every other fire is reported as missed, with the reason. One run
// catches up on all fires that were missed in a row.
package schedule
