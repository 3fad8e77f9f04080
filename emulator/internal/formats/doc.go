// Package formats decodes the files that Kusto ingests into rows of a table:
// JSON in its forms and text with separators, with or without an ingestion
// mapping.
//
// Data that does not fit is treated as the service treats it, mostly in
// silence: a malformed line of format json is left out, a value of another type
// becomes null, a string over 1 MB is cut, a dynamic over 1 MiB becomes null
// (https://learn.microsoft.com/azure/data-explorer/ingest-invalid-data). Stats
// tells what was done so.
//
// Decompression is the caller's business.
package formats
