// Package local is a store.Store in a folder of a local disk.
//
// A file is written under a temporary name in its folder, synced, and linked to
// its name, which fails if the name exists. Then the folder is synced. Where
// the file system has no links, a move that does not replace is used. A file system with
// neither is refused by each write that needs it.
//
// The clock is this machine's. Machines that share a folder need clocks that
// agree, and a file system whose locks work between them.
package local
