package engine

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/tvmexport/tvmexport"
)

// Compressor makes a gzip writer.
type Compressor func(io.Writer) io.WriteCloser

// batchEncoder writes the envelope of a batch: see Batch. It is a RowWriter.
type batchEncoder struct {
	id         tvmexport.BatchID
	run        tvmexport.Run
	slice      tvmexport.Slice
	partitions partitionIndex
	to         io.Writer

	prefix []byte // ,"b":"...","n":
	buf    []byte
	rows   int64
	bytes  int64
	counts []int64               // rows per partition of the slice
	labels []tvmexport.Partition // of the slice's partitions, as rows carry them
	unread []tvmexport.Unread    // values of the rows that do not fit their type; set before close
}

func newBatchEncoder(id tvmexport.BatchID, run tvmexport.Run, s tvmexport.Slice, to io.Writer) *batchEncoder {
	labels := make([]tvmexport.Partition, len(s.Partitions))
	for i, p := range s.Partitions {
		labels[i] = run.Label(p)
	}
	return &batchEncoder{
		labels: labels, id: id, run: run, slice: s, to: to,
		partitions: newPartitionIndex(s.Partitions),
		prefix:     strconv.AppendQuote([]byte(`,"b":`), string(id)),
		counts:     make([]int64, len(s.Partitions)),
	}
}

// flushAt is how many bytes of lines go to the compressor at once.
const flushAt = 64 << 10

// WriteRow implements RowWriter.
func (l *batchEncoder) WriteRow(key, row []byte) error {
	if len(row) > tvmexport.MaxRecord {
		return &tvmexport.Error{
			Op: "fetch", Table: l.slice.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Rejected,
			Err:  fmt.Errorf("a record of %d bytes (key %s) exceeds Kusto's limit of 1 MiB for a value; it would be truncated or stored as null", len(row), l.shown(key)),
			Hint: "find the row by its key in the portal and shorten its values, or set the table's IsActive to false until then",
		}
	}
	at := l.partitions.find(key)
	if at < 0 {
		return &tvmexport.Error{
			Op: "fetch", Table: l.slice.Table.Name, Action: tvmexport.Retry, Cause: tvmexport.Integrity,
			Err: fmt.Errorf("the answer has a row with key %s, which is in none of the requested partitions", l.shown(key)),
		}
	}
	l.counts[at]++
	l.rows++
	b := append(l.buf, `{"r":`...)
	b = append(b, row...)
	b = append(b, l.prefix...)
	b = append(b, `,"n":`...)
	b = strconv.AppendInt(b, l.rows, 10)
	b = append(b, `,"p":"`...)
	if l.slice.Window.Null {
		b = append(b, tvmexport.NullWatermark...)
	}
	b = append(b, l.labels[at]...)
	l.buf = append(b, "\"}\n"...)
	if len(l.buf) >= flushAt {
		return l.flush()
	}
	return nil
}

// shown names a key in an error, by which its row can be found. Only an id, which
// is hex digits and hyphens, is quoted; of any other key, which may be a name or
// what a broken answer made of a value, the length and the beginning of its
// SHA-256 are given: hash_sha256(key) finds it.
func (l *batchEncoder) shown(key []byte) string {
	if visibility := l.run.Table.KeyVisibility(); visibility != "" {
		return "that is " + visibility
	}
	if isID(key) {
		return strconv.Quote(string(key))
	}
	sum := sha256.Sum256(key)
	return fmt.Sprintf("of %d bytes with a hash_sha256 that begins with %x", len(key), sum[:8])
}

// isID says whether a key has the form of Defender's ids: 40 or 64 hex digits,
// or a GUID.
func isID(key []byte) bool {
	for _, c := range key {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' || c == '-') {
			return false
		}
	}
	return len(key) == 40 || len(key) == 64 || len(key) == 36
}

// close writes the manifest and what is left. prints are the fingerprints
// of the slice's partitions, nil where they are not known.
func (l *batchEncoder) close(prints tvmexport.Fingerprints) error {
	s, err := json.Marshal(tvmexport.Manifest{
		Slice: l.slice, Header: l.run.Header(), Bytes: l.bytes + int64(len(l.buf)), Counts: l.counts, Fingerprints: prints.List(), Unread: l.unread,
	})
	if err != nil {
		return fmt.Errorf("describe batch %s: %w", l.id, err)
	}
	b := append(l.buf, '{')
	b = append(b, l.prefix[1:]...)
	b = append(b, `,"n":0,"c":`...)
	b = strconv.AppendInt(b, l.rows, 10)
	b = append(b, `,"u":`...)
	b = strconv.AppendQuote(b, string(l.run.ID))
	b = append(b, `,"s":`...)
	b = append(b, s...)
	l.buf = append(b, "}\n"...)
	return l.flush()
}

func (l *batchEncoder) flush() error {
	l.bytes += int64(len(l.buf))
	_, err := l.to.Write(l.buf)
	l.buf = l.buf[:0]
	return err
}
