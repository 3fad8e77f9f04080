package scalar

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"github.com/cespare/xxhash/v2"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// hashes are the hash functions. The cryptographic ones hash the UTF-8 bytes
// of tostring() of the value, as the documented results for datetimes show
// (https://learn.microsoft.com/kusto/query/hash-sha256-function); hash() is
// xxhash64 of a string's bytes, or of the eight little-endian bytes of a number
// or datetime (https://learn.microsoft.com/kusto/query/hash-function).
// hash_combine() is missing: its algorithm is not published.
var hashes = []Function{
	digest("hash_sha256", sha256Hex),
	digest("hash_sha1", sha1Hex),
	digest("hash_md5", md5Hex),
	custom("hash", 1, 2, bindXXHash),
	custom("hash_xxhash64", 1, 2, bindXXHash),
}

// digest makes a cryptographic hash. That of the empty string is empty, as
// measured on the real engine.
func digest(name string, sum func(v value.Value) string) Function {
	return custom(name, 1, 1, func(call) (Bound, error) {
		return Bound{Kind: value.String, Cost: 100, Eval: func(a []value.Value) (value.Value, error) {
			if a[0].Kind() == value.String && a[0].Text() == "" {
				return noText, nil
			}
			return value.NewString(sum(a[0])), nil
		}}, nil
	})
}

func sha256Hex(v value.Value) string {
	var in [256]byte
	sum := sha256.Sum256(AppendPlain(in[:0], v))
	return hex.EncodeToString(sum[:])
}

func sha1Hex(v value.Value) string {
	var in [256]byte
	sum := sha1.Sum(AppendPlain(in[:0], v))
	return hex.EncodeToString(sum[:])
}

func md5Hex(v value.Value) string {
	var in [256]byte
	sum := md5.Sum(AppendPlain(in[:0], v))
	return hex.EncodeToString(sum[:])
}

func bindXXHash(c call) (Bound, error) {
	if err := (params{isAny, isInteger}).check(c); err != nil {
		return Bound{}, err
	}
	return Bound{Kind: value.Long, Cost: 10, Eval: func(a []value.Value) (value.Value, error) {
		if a[0].IsNull() {
			return nullLong, nil
		}
		h := int64(xxHash(a[0]))
		if len(a) == 2 {
			mod := a[1].Int64()
			if a[1].IsNull() || mod <= 0 {
				return nullLong, nil
			}
			h = modulo(h, mod)
		}
		return value.NewLong(h), nil
	}}, nil
}

func xxHash(v value.Value) uint64 {
	switch v.Kind() {
	case value.String:
		return xxhash.Sum64String(v.Text())
	case value.Bool, value.Int, value.Long, value.DateTime, value.TimeSpan, value.Real:
		n := uint64(v.Int64())
		if v.Kind() == value.Real {
			n = math.Float64bits(v.Real())
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], n)
		return xxhash.Sum64(b[:])
	default:
		return xxhash.Sum64String(v.String())
	}
}
