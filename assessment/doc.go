// Package assessment is a tvmexport.ListingSource over Defender's export assessment
// APIs (https://learn.microsoft.com/defender-endpoint/api/get-assessment-methods-properties).
//
// The service writes the state of a table every few hours: as compressed files, and
// as pages that are read from the same files. Rows of files and rows of pages differ
// in the spelling of their members, in nulls, and in the forms of some values. The
// package brings both into one form, in one pass over the bytes (rows.go, values.go,
// times.go): a record has the same bytes in both cases. Members that
// the catalogue does not know are kept.
//
// A file is complete if it has its declared length, the checksum and length in the trailer
// of gzip, and JSON to its end (lines.go). No answer of these APIs tells how many rows a
// table has: rows that the service leaves out of a file cannot be noticed.
package assessment
