package scalar

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// networkFunctions are those for IPv4 addresses
// (https://learn.microsoft.com/kusto/query/scalar-functions#ipv4ipv6-functions).
var networkFunctions = []Function{
	fn("ipv4_is_in_range", value.Bool, params{isString, isString}, func(a []value.Value) value.Value {
		ip, ok1 := ParseIPv4(a[0].Text())
		network, ok2 := ParseIPv4(a[1].Text())
		if !ok1 || !ok2 {
			return nullBool
		}
		return boolean(network.Masked().Contains(ip.Addr()))
	}).arity(2, 2),
	fn("ipv4_is_in_any_range", value.Bool, params{isString, isString | isDynamic}, func(a []value.Value) value.Value {
		ip, ok := ParseIPv4(a[0].Text())
		if !ok {
			return nullBool
		}
		found := false
		for _, arg := range a[1:] {
			eachElement(arg, func(v value.Value) {
				network, ok := ParseIPv4(v.String())
				found = found || ok && network.Masked().Contains(ip.Addr())
			})
		}
		return boolean(found)
	}).arity(2, 64),
	fn("ipv4_is_private", value.Bool, params{isString}, func(a []value.Value) value.Value {
		ip, ok := ParseIPv4(a[0].Text())
		if !ok {
			return nullBool
		}
		return boolean(ip.Masked().Addr().IsPrivate())
	}),
	fn("ipv4_compare", value.Long, params{isString, isString, isInteger}, compareIPv4).arity(2, 3),
	fn("ipv4_is_match", value.Bool, params{isString, isString, isInteger}, func(a []value.Value) value.Value {
		order := compareIPv4(a)
		if order.IsNull() {
			return nullBool
		}
		return boolean(order.Int64() == 0)
	}).arity(2, 3),
	fn("parse_ipv4", value.Long, params{isString}, func(a []value.Value) value.Value {
		ip, ok := ParseIPv4(a[0].Text())
		if !ok {
			return nullLong
		}
		return value.NewLong(int64(addressNumber(ip.Masked().Addr())))
	}),
	fn("format_ipv4", value.String, params{isString | isInteger, isInteger}, func(a []value.Value) value.Value {
		ip, ok := anyIPv4(a)
		if !ok {
			return noText
		}
		return value.NewString(ip.Masked().Addr().String())
	}).arity(1, 2),
	fn("ipv4_netmask_suffix", value.Long, params{isString}, func(a []value.Value) value.Value {
		ip, ok := ParseIPv4(a[0].Text())
		if !ok {
			return nullLong
		}
		return value.NewLong(int64(ip.Bits()))
	}),
	fn("has_ipv4", value.Bool, params{isString}, func(a []value.Value) value.Value {
		return boolean(hasIPv4(a[0].Text(), a[1].Text()))
	}).arity(2, 2),
	fn("has_any_ipv4", value.Bool, params{isString, isString | isDynamic}, func(a []value.Value) value.Value {
		found := false
		for _, arg := range a[1:] {
			eachElement(arg, func(v value.Value) { found = found || hasIPv4(a[0].Text(), v.String()) })
		}
		return boolean(found)
	}).arity(2, 64),
	fn("has_ipv4_prefix", value.Bool, params{isString}, func(a []value.Value) value.Value {
		return boolean(hasIPv4Prefix(a[0].Text(), a[1].Text()))
	}).arity(2, 2),
}

// ParseIPv4 reads an address with an optional prefix length.
func ParseIPv4(text string) (netip.Prefix, bool) {
	address, suffix, masked := strings.Cut(strings.TrimSpace(text), "/")
	ip, err := netip.ParseAddr(address)
	if err != nil || !ip.Is4() {
		return netip.Prefix{}, false
	}
	length := 32
	if masked {
		if length, err = strconv.Atoi(suffix); err != nil || length < 0 || length > 32 {
			return netip.Prefix{}, false
		}
	}
	return netip.PrefixFrom(ip, length), true
}

// anyIPv4 reads an address as text or number, with an optional prefix length
// as second argument.
func anyIPv4(a []value.Value) (netip.Prefix, bool) {
	length := 32
	if len(a) == 2 {
		n := a[1].Int64()
		if n < 0 || n > 32 {
			return netip.Prefix{}, false
		}
		length = int(n)
	}
	if a[0].Kind() == value.String {
		p, ok := ParseIPv4(a[0].Text())
		return netip.PrefixFrom(p.Addr(), min(p.Bits(), length)), ok
	}
	n := a[0].Int64()
	if n < 0 || n > 1<<32-1 {
		return netip.Prefix{}, false
	}
	ip := netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	return netip.PrefixFrom(ip, length), true
}

func addressNumber(ip netip.Addr) uint32 {
	b := ip.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// compareIPv4 compares under the shortest of the two prefixes and the third
// argument.
func compareIPv4(a []value.Value) value.Value {
	x, ok1 := ParseIPv4(a[0].Text())
	y, ok2 := ParseIPv4(a[1].Text())
	if !ok1 || !ok2 {
		return nullLong
	}
	length := min(x.Bits(), y.Bits())
	if len(a) == 3 {
		n := a[2].Int64()
		if n < 0 || n > 32 {
			return nullLong
		}
		length = min(length, int(n))
	}
	x, y = netip.PrefixFrom(x.Addr(), length).Masked(), netip.PrefixFrom(y.Addr(), length).Masked()
	return value.NewLong(int64(x.Addr().Compare(y.Addr())))
}

// hasIPv4 says whether a valid address occurs in s, delimited by what is
// neither letter nor digit.
func hasIPv4(s, address string) bool {
	p, ok := ParseIPv4(address)
	if !ok || p.Bits() != 32 {
		return false
	}
	return newTerm(address, true, ends{start: true, stop: true}).in(s)
}

// hasIPv4Prefix says whether an address that begins with prefix occurs in s;
// the prefix is a whole address or ends with a dot.
func hasIPv4Prefix(s, prefix string) bool {
	if _, ok := ParseIPv4(prefix); ok {
		return hasIPv4(s, prefix)
	}
	if !strings.HasSuffix(prefix, ".") || strings.Count(prefix, ".") > 3 {
		return false
	}
	for i := 0; ; {
		at := strings.Index(s[i:], prefix)
		if at < 0 {
			return false
		}
		at += i
		end := at
		for end < len(s) && (s[end]-'0' < 10 || s[end] == '.') {
			end++
		}
		candidate := strings.TrimRight(s[at:end], ".")
		if _, err := netip.ParseAddr(candidate); err == nil && !wordBefore(s, at) && !wordAt(s, end) {
			return true
		}
		i = at + 1
	}
}
