// Package exports says how the tables of Defender's export assessment APIs are compared
// with the source. Its test exports small tenants with injected faults: of lists, files,
// pages and the destination, with snapshots that are taken in the middle of a run, with
// exporters that end in the midst and with a spool that is full. After each success readers
// must see each row of one snapshot once.
package exports
