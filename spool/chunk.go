package spool

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
)

// buckets is the number of buckets of keys: one for each two digits, and one for keys
// that do not begin with two.
const (
	buckets    = 257
	restBucket = buckets - 1
)

// bucketOf is the bucket of a key.
func bucketOf(key []byte) int {
	if len(key) < 2 {
		return restBucket
	}
	a, b := digit(key[0]), digit(key[1])
	if a < 0 || b < 0 {
		return restBucket
	}
	return a<<4 | b
}

// digit is the value of a digit of keys; -1 if it is none.
func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// printBytes is how much of a digest is kept: the sums take 15 bytes of it.
const printBytes = 16

// record is a row as it is kept.
type record struct {
	key    []byte
	row    []byte
	digest [printBytes]byte
	moment int64 // watermark in ticks, noMoment for null
	odd    bool  // it has a value that does not fit its column
}

// noMoment stands for a null watermark.
const noMoment = math.MinInt64

const ticksPerSecond = int64(time.Second / tvmexport.Tick)

// ticksOf is a time as a number that is ordered as times are.
func ticksOf(t time.Time) int64 {
	return t.Unix()*ticksPerSecond + int64(t.Nanosecond())/int64(tvmexport.Tick)
}

// timeOf reverses ticksOf.
func timeOf(ticks int64) time.Time {
	seconds := ticks / ticksPerSecond
	if ticks%ticksPerSecond < 0 {
		seconds--
	}
	return time.Unix(seconds, (ticks-seconds*ticksPerSecond)*int64(tvmexport.Tick)).UTC()
}

func (r *record) fingerprint() tvmexport.Fingerprint {
	var d fingerprint.Digest
	copy(d[:], r.digest[:])
	return d.Fingerprint()
}

// append appends the record to b.
func (r *record) append(b []byte, timed bool) []byte {
	b = binary.AppendUvarint(b, uint64(len(r.key)))
	b = append(b, r.key...)
	size := uint64(len(r.row)) << 1
	if r.odd {
		size |= 1
	}
	b = binary.AppendUvarint(b, size)
	if timed {
		b = binary.LittleEndian.AppendUint64(b, uint64(r.moment))
	}
	b = append(b, r.digest[:]...)
	return append(b, r.row...)
}

// errDamaged says that kept rows are not what was written.
var errDamaged = errors.New("the rows that were kept on disk are damaged")

// next reads the first record of b, and returns what follows it. The record uses the
// memory of b.
func (r *record) next(b []byte, timed bool) (rest []byte, err error) {
	if r.key, b, err = prefixed(b); err != nil {
		return nil, err
	}
	size, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, errDamaged
	}
	b = b[n:]
	r.odd = size&1 != 0
	if size >>= 1; timed {
		if len(b) < 8 {
			return nil, errDamaged
		}
		r.moment = int64(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	if len(b) < printBytes || size > uint64(len(b)-printBytes) {
		return nil, errDamaged
	}
	copy(r.digest[:], b)
	b = b[printBytes:]
	r.row = b[:size:size]
	return b[size:], nil
}

// prefixed reads bytes behind their number.
func prefixed(b []byte) (value, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, errDamaged
	}
	return b[n : n+int(size) : n+int(size)], b[n+int(size):], nil
}

// mostChunk bounds the size of a chunk when it is expanded.
const mostChunk = 1 << 30

// chunk is where rows of one bucket are in the file of their table.
type chunk struct {
	at     int64 // in the file
	packed uint32
	size   uint32 // expanded
	rows   uint32
}

// unpack expands a chunk into room, and calls visit for each record.
func (p packer) unpack(packed []byte, c chunk, timed bool, room []byte, visit func(*record) error) (_ []byte, err error) {
	if cap(room) < int(c.size) {
		room = make([]byte, 0, c.size)
	}
	text, err := p.decoder.DecodeAll(packed, room[:0])
	if err != nil || len(text) != int(c.size) {
		return room, errDamaged
	}
	var r record
	rows := uint32(0)
	for rest := text; len(rest) > 0; rows++ {
		if rest, err = r.next(rest, timed); err != nil {
			return text, err
		}
		if err := visit(&r); err != nil {
			return text, err
		}
	}
	if rows != c.rows {
		return text, errDamaged
	}
	return text, nil
}
