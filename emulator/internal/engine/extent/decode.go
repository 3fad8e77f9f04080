package extent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/klauspost/compress/s2"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

var errCorrupt = errors.New("stored column is damaged")

// decode reads the column that flush wrote into out, which has one place per
// row. Texts share one buffer that belongs to them from then on. The column is
// decompressed into buf, which is given back for the next one.
func decode(kind value.Kind, data, buf []byte, out []value.Value) ([]byte, error) {
	n, err := s2.DecodedLen(data)
	if err != nil || n > columnSize {
		return buf, errCorrupt
	}
	buf = grow(buf, n)
	plain, err := s2.Decode(buf, data)
	if err != nil {
		return buf, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	if len(plain) == 0 {
		return buf, errCorrupt
	}
	return buf, decodePlain(kind, plain, out)
}

// decodePlain reads a column that is no longer compressed.
func decodePlain(kind value.Kind, plain []byte, out []value.Value) error {
	form, plain := plain[0], plain[1:]
	if (form == formPlain || form == formDictionary) != isText(kind) {
		return errCorrupt
	}
	switch form {
	case formDense:
		return decodeNumbers(kind, nil, plain, out)
	case formNulls:
		n := (len(out) + 7) / 8
		if len(plain) < n {
			return errCorrupt
		}
		return decodeNumbers(kind, plain[:n], plain[n:], out)
	case formPlain:
		_, err := decodeTexts(kind, plain, out)
		return err
	case formDictionary:
		return decodeDictionary(kind, plain, out)
	}
	return errCorrupt
}

func decodeNumbers(kind value.Kind, nulls, data []byte, out []value.Value) error {
	if kind == value.Real {
		if len(data) < 8*len(out) {
			return errCorrupt
		}
		for i := range out {
			out[i] = value.NewReal(math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:])))
		}
	} else {
		var n int64
		for i := range out {
			d, w := binary.Varint(data)
			if w <= 0 {
				return errCorrupt
			}
			data = data[w:]
			if nulls != nil && nulls[i/8]&(1<<(i%8)) != 0 {
				continue
			}
			n += d
			out[i] = number(kind, n)
		}
	}
	if nulls != nil {
		null := value.Null(kind)
		for i := range out {
			if nulls[i/8]&(1<<(i%8)) != 0 {
				out[i] = null
			}
		}
	}
	return nil
}

func number(kind value.Kind, n int64) value.Value {
	switch kind {
	case value.Bool:
		return value.NewBool(n != 0)
	case value.Int:
		return value.NewInt(int32(n))
	case value.DateTime:
		return value.DateTimeFromTicks(n)
	case value.TimeSpan:
		return value.NewTimeSpan(n)
	}
	return value.NewLong(n)
}

func decodeDictionary(kind value.Kind, data []byte, out []value.Value) error {
	n, w := binary.Uvarint(data)
	if w <= 0 || n > dictionarySize {
		return errCorrupt
	}
	entries := make([]value.Value, n)
	index, err := decodeTexts(kind, data[w:], entries)
	if err != nil {
		return err
	}
	if len(index) < len(out) {
		return errCorrupt
	}
	for i := range out {
		if int(index[i]) >= len(entries) {
			return errCorrupt
		}
		out[i] = entries[index[i]]
	}
	return nil
}

// decodeTexts reads marks and their bytes and gives what follows them.
func decodeTexts(kind value.Kind, data []byte, out []value.Value) ([]byte, error) {
	rest := data
	total := uint64(0)
	for range out {
		m, w := binary.Uvarint(rest)
		if w <= 0 || m == 1 {
			return nil, errCorrupt
		}
		rest = rest[w:]
		if m > 0 {
			total += m>>1 - 1
		}
		if total > uint64(len(data)) {
			return nil, errCorrupt
		}
	}
	if total > uint64(len(rest)) {
		return nil, errCorrupt
	}
	text := string(rest[:total])
	rest = rest[total:]
	at := 0
	for i := range out {
		m, w := binary.Uvarint(data)
		data = data[w:]
		if m == 0 {
			out[i] = value.Null(kind)
			continue
		}
		n := int(m>>1) - 1
		v, err := textValue(kind, text[at:at+n], m&1 == 1)
		if err != nil {
			return nil, err
		}
		out[i] = v
		at += n
	}
	return rest, nil
}

func textValue(kind value.Kind, text string, typed bool) (value.Value, error) {
	switch kind {
	case value.String:
		if typed {
			return value.JSONCanonical(text), nil
		}
		return value.NewString(text), nil
	case value.Dynamic:
		return value.DynamicCanonical(text, typed), nil
	case value.GUID:
		v, err := value.NewGUID(text)
		if err != nil {
			return v, errCorrupt
		}
		return v, nil
	case value.Decimal:
		v, err := value.NewDecimal(text)
		if err != nil {
			return v, errCorrupt
		}
		return v, nil
	}
	return value.Value{}, errCorrupt
}
