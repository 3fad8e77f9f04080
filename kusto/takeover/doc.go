// Package takeover finds the tables that an older exporter filled, and continues
// them without a second copy of their rows.
//
// An [Importer] reads the configuration of the older exporter, surveys its tables,
// compares their days with the source, and records each table in the ledger as a
// run of kind legacy. It needs the leases of the tables, and it does not change
// the rows of the older exporter.
package takeover
