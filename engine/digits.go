package engine

// hexDigits are the digits of keys and of hashes of rows.
const hexDigits = "0123456789abcdef"

// isHex returns whether a character of a key is a digit that partitions know.
func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }
