// Package parquet writes rows into Parquet files, column by column, and reads
// them. It alone imports the Parquet library.
//
// A [Writer] writes one file to any io.Writer. Memory is bounded by the row
// group, not by the rows. After Close, its [Summary] has what a commit needs: rows, bytes, a
// checksum, and statistics in the form of Delta's log. [Check] reads a file
// back and compares it with its Summary.
//
// A [Value] is one value of a column. Types of columns become:
//
//	bool       BOOLEAN
//	int, long  INT32, INT64
//	real       DOUBLE
//	datetime   INT64 timestamp in microseconds, UTC
//	others     text: dynamic as JSON, decimal with all digits, guid as
//	           8-4-4-4-12, timespan as [-][d.]hh:mm:ss[.fffffff]
//
// A timestamp loses the seventh digit of a datetime.
package parquet
