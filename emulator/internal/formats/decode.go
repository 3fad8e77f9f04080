package formats

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Source says how to read a file.
type Source struct {
	// Format is json, multijson, singlejson, csv, tsv, psv, scsv, sohsv, txt
	// or raw, in any case; "" is csv.
	Format string
	// Mapping is used when HasMapping is set. Without one, JSON uses the
	// columns' names and separated text their order.
	Mapping    Mapping
	HasMapping bool
	// IgnoreFirstRecord leaves out the first record, such as a header.
	IgnoreFirstRecord bool
	// Location is what the transformation SourceLocation gives.
	Location string
	// Stats, if not nil, is added to while rows are read.
	Stats *Stats
}

// Stats counts what a file held and what was done to it in silence.
type Stats struct {
	Records   int64 // rows that came out
	Skipped   int64 // malformed lines of format json that were left out
	Nulled    int64 // values of another type or too large, now null
	Truncated int64 // strings over 1 MB, now cut
}

// Limits of a record and of the values in it.
const (
	maxRecord  = 64 << 20
	maxString  = 1 << 20
	maxDynamic = 1 << 20
)

// Decode reads the rows of r: one value per column, of the column's kind. It
// reads r as rows are asked for and keeps one record in memory. A row is valid
// until the next iteration only. An error ends the sequence: an *Error if the
// file is at fault, otherwise what r said. A file without any record is an
// *Error with CodeNoRecords.
func Decode(r io.Reader, s Source, columns []value.Column) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		if s.Stats == nil {
			s.Stats = &Stats{}
		}
		read, err := reader(s, columns)
		if err != nil {
			yield(nil, err)
			return
		}
		skip := s.IgnoreFirstRecord
		records := 0
		err = read(bufio.NewReaderSize(r, 64<<10), func(row []value.Value) bool {
			if skip {
				skip = false
				return true
			}
			records++
			s.Stats.Records++
			return yield(row, nil)
		})
		if err == nil && records == 0 {
			err = failed(CodeNoRecords, "the data holds no record, or is not of format %s", s.Format)
		}
		if err != nil && err != errStopped {
			yield(nil, err)
		}
	}
}

// errStopped ends reading when the caller wants no more rows.
var errStopped = failed("", "reading was stopped")

// reading reads a whole file and gives its rows to emit until that is false.
type reading func(r *bufio.Reader, emit func(row []value.Value) bool) error

// Formats that are known to the service and refused here.
var unsupported = []string{"avro", "apacheavro", "orc", "parquet", "w3clogfile", "tsve"}

// reader chooses how to read the source.
func reader(s Source, columns []value.Column) (reading, error) {
	format := strings.ToLower(s.Format)
	if s.HasMapping && s.Mapping.kind != KindOf(format) {
		return nil, failed(CodeInvalidMapping, "a mapping of kind %s cannot be used with format %s", s.Mapping.kind, format)
	}
	if s.HasMapping {
		if err := s.Mapping.check(columns); err != nil {
			return nil, err
		}
	}
	switch format {
	case "json":
		return newDocument(s, columns).readLines, nil
	case "multijson", "singlejson":
		return newDocument(s, columns).readMany, nil
	case "", "csv", "tsv", "psv", "scsv", "sohsv":
		return newRecord(s, columns).readSeparated(separators[format]), nil
	case "txt":
		return newRecord(s, columns).readText, nil
	case "raw":
		return newRecord(s, columns).readRaw, nil
	}
	if slices.Contains(unsupported, format) {
		return nil, failed(CodeFormatNotSupported, "this emulator does not read format %s: use json, multijson or csv", format)
	}
	return nil, failed(CodeFormatNotSupported, "format %q is not known", s.Format)
}

// KindOf is the kind of mapping that a format uses: "json" or "csv". A format
// without such a kind gives its own name.
func KindOf(format string) string {
	switch f := strings.ToLower(format); f {
	case "json", "multijson", "singlejson":
		return "json"
	case "", "csv", "tsv", "tsve", "psv", "scsv", "sohsv", "txt", "raw":
		return "csv"
	default:
		return f
	}
}

var byteOrderMark = []byte("\xEF\xBB\xBF")

// skipMark passes over a UTF-8 byte order mark.
func skipMark(r *bufio.Reader) {
	if head, _ := r.Peek(len(byteOrderMark)); bytes.Equal(head, byteOrderMark) {
		_, _ = r.Discard(len(byteOrderMark)) // they were peeked at
	}
}

// lines reads lines of any length up to maxRecord.
type lines struct {
	r    *bufio.Reader
	long []byte
}

// next is the next line without its end; false after the last one.
func (l *lines) next() ([]byte, bool, error) {
	l.long = l.long[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if len(l.long)+len(part) > maxRecord {
			return nil, false, failed(CodeInputTooLarge, "a record is larger than %d bytes", maxRecord)
		}
		switch {
		case err == nil && len(l.long) == 0:
			return trimEnd(part), true, nil
		case err == bufio.ErrBufferFull:
			l.long = append(l.long, part...)
			continue
		case err != nil && err != io.EOF:
			return nil, false, err
		}
		l.long = append(l.long, part...)
		return trimEnd(l.long), err == nil || len(l.long) > 0, nil
	}
}

func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}
