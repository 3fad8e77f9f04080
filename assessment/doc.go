// Package assessment is a tvmexport.ListingSource over Defender's export assessment
// APIs (https://learn.microsoft.com/defender-endpoint/api/get-assessment-methods-properties).
//
// The service writes the state of a table every few hours: as compressed files, and
// as pages that are read from the same files. Rows of files and rows of pages differ
// in the spelling of their members, in nulls, and in the forms of some values. The
// package brings both into one form, in one pass over the bytes (rows.go, values.go,
// times.go): a record has the same bytes in both cases. Members that the catalogue
// does not know are kept.
//
// By files (files.go), one call lists the files of a state, with signed addresses on
// storage and the time at which the state was generated, which is its version. By pages
// (pages.go), the first answer names the next page by a token that is bound to a state;
// the version is the time in that token. Changes of vulnerabilities (changes.go) have
// pages only, since a time. Calls go through package defender, each path with a quota of
// its own; downloads have none. Addresses in answers are checked before a request or a
// token goes there (links.go).
//
// What is proven: a file is complete if it has its declared length, the checksum and
// length in the trailer of gzip, and JSON to its end (lines.go). All files of a listing
// are of its version. A page is complete JSON; it is of the version that its token or
// that of the next page says; and it has as many rows as these tokens count, if both are
// in one file.
//
// What is not proven: no answer tells how many rows a table has, so that rows which the
// service leaves out of a file cannot be noticed, and no answer tells the length of the
// last page or of one that crosses the end of a file. A file without a byte passes for one
// without rows. The form of tokens is known from a published sample only: with tokens of
// another form, nothing shows that the pages of a walk are of one state, and a warning
// says so. A table of at most one row has no token; its version is a hash of its content.
package assessment
