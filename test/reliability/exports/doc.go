// Package exports exports tables of Defender's export assessment APIs with injected
// faults: of lists, of files and of pages, and with snapshots that are taken in the
// middle of a run. After each success readers must see each row of one snapshot once.
package exports
