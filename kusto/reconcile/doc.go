// Package reconcile compares tables that both sources have, as readers see them: a
// table of Advanced Hunting, and the tables of the export assessment APIs with the same
// facts. Each side bears witness to the other. It calls neither source.
//
// The service compares the rows, and answers with counts by device. Keys are compared as
// sets: hunting has a key twice for a version that is installed in two places, and an
// export has it twice while its device moves to another group. Neither is a loss.
package reconcile
