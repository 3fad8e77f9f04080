package scalar

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// networkFunctions6 take IPv6 addresses, and IPv4 addresses as those of
// ::ffff:0:0/96, each with an optional prefix length
// (https://learn.microsoft.com/kusto/query/scalar-functions#ipv4ipv6-functions).
var networkFunctions6 = []Function{
	fn("ipv6_compare", value.Long, params{isString, isString, isInteger}, compareIPv6).arity(2, 3),
	fn("ipv6_is_match", value.Bool, params{isString, isString, isInteger}, func(a []value.Value) value.Value {
		order := compareIPv6(a)
		if order.IsNull() {
			return nullBool
		}
		return boolean(order.Int64() == 0)
	}).arity(2, 3),
	fn("parse_ipv6", value.String, params{isString}, canonicalIPv6),
	fn("parse_ipv6_mask", value.String, params{isString, isInteger}, canonicalIPv6),
	fn("ipv6_is_in_range", value.Bool, params{isString, isString}, func(a []value.Value) value.Value {
		ip, ok1 := parseIPv6(a[0].Text())
		network, ok2 := parseIPv6(a[1].Text())
		if !ok1 || !ok2 {
			return nullBool
		}
		return boolean(network.Contains(ip.Addr()))
	}),
	fn("ipv6_is_in_any_range", value.Bool, params{isString, isString | isDynamic}, func(a []value.Value) value.Value {
		ip, ok := parseIPv6(a[0].Text())
		if !ok {
			return nullBool
		}
		found := false
		for _, arg := range a[1:] {
			eachElement(arg, func(v value.Value) {
				network, ok := parseIPv6(v.String())
				found = found || ok && network.Contains(ip.Addr())
			})
		}
		return boolean(found)
	}).arity(2, 64),
	fn("format_ipv4_mask", value.String, params{isString | isInteger, isInteger}, func(a []value.Value) value.Value {
		ip, ok := anyIPv4(a)
		if !ok {
			return noText
		}
		return value.NewString(ip.Masked().String())
	}).arity(1, 2),
	fn("parse_ipv4_mask", value.Long, params{isString, isInteger}, func(a []value.Value) value.Value {
		ip, ok := anyIPv4(a)
		if !ok {
			return nullLong
		}
		return value.NewLong(int64(addressNumber(ip.Masked().Addr())))
	}),
	fn("has_any_ipv4_prefix", value.Bool, params{isString, isString | isDynamic}, func(a []value.Value) value.Value {
		found := false
		for _, arg := range a[1:] {
			eachElement(arg, func(v value.Value) { found = found || hasIPv4Prefix(a[0].Text(), v.String()) })
		}
		return boolean(found)
	}).arity(2, 64),
	fn("ipv4_range_to_cidr_list", value.Dynamic, params{isString, isString}, cidrList),
}

func parseIPv6(text string) (netip.Prefix, bool) {
	address, suffix, masked := strings.Cut(strings.TrimSpace(text), "/")
	for _, before := range []string{"::ffff:", "::"} { // IPv6 in the notation of IPv4
		if rest, ok := strings.CutPrefix(strings.ToLower(address), before); ok && strings.Contains(rest, ".") {
			address = rest
		}
	}
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Zone() != "" {
		return netip.Prefix{}, false
	}
	length, most := 128, 128
	if ip.Is4() {
		ip, most = netip.AddrFrom16(ip.As16()), 32
	}
	if masked {
		n, err := strconv.Atoi(suffix)
		if err != nil || n < 0 || n > most {
			return netip.Prefix{}, false
		}
		length = 128 - most + n
	}
	return unmapped(ip, length), true
}

// unmapped is a prefix of an address that may be one of ::ffff:0:0/96, which
// package netip gives no prefixes of 128 bits.
func unmapped(ip netip.Addr, length int) netip.Prefix {
	b := ip.As16()
	for i := range b {
		switch free := (i+1)*8 - length; {
		case free >= 8:
			b[i] = 0
		case free > 0:
			b[i] &= 0xff << free
		}
	}
	return netip.PrefixFrom(netip.AddrFrom16(b), length)
}

// shortest is the prefix length that counts for two addresses and perhaps a
// length given.
func shortest(lengths []int, given []value.Value) (int, bool) {
	for _, v := range given {
		if n := v.Int64(); n < 0 || n > 128 {
			return 0, false
		}
		lengths = append(lengths, int(v.Int64()))
	}
	length := 128
	for _, l := range lengths {
		length = min(length, l)
	}
	return length, true
}

func compareIPv6(a []value.Value) value.Value {
	x, ok1 := parseIPv6(a[0].Text())
	y, ok2 := parseIPv6(a[1].Text())
	length, ok3 := shortest([]int{x.Bits(), y.Bits()}, a[2:])
	if !ok1 || !ok2 || !ok3 {
		return nullLong
	}
	return value.NewLong(int64(unmapped(x.Addr(), length).Addr().Compare(unmapped(y.Addr(), length).Addr())))
}

// canonicalIPv6 is the address with all its digits; what its prefix leaves out
// is zero.
func canonicalIPv6(a []value.Value) value.Value {
	ip, ok := parseIPv6(a[0].Text())
	length, inRange := shortest([]int{ip.Bits()}, a[1:])
	if !ok || !inRange {
		return noText
	}
	b := unmapped(ip.Addr(), length).Addr().As16()
	groups := make([]string, 8)
	for i := range groups {
		groups[i] = fmt.Sprintf("%04x", binary.BigEndian.Uint16(b[2*i:]))
	}
	return value.NewString(strings.Join(groups, ":"))
}

// cidrList is ipv4_range_to_cidr_list(start, end).
func cidrList(a []value.Value) value.Value {
	first, ok1 := ParseIPv4(a[0].Text())
	last, ok2 := ParseIPv4(a[1].Text())
	if !ok1 || !ok2 || last.Addr().Less(first.Addr()) {
		return nullAny
	}
	list := []value.Value{}
	for at, end := uint64(addressNumber(first.Addr())), uint64(addressNumber(last.Addr())); at <= end; {
		free := min(bits.TrailingZeros64(at|1<<32), bits.Len64(end-at+1)-1)
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(at))
		list = append(list, value.NewString(netip.PrefixFrom(netip.AddrFrom4(b), 32-free).String()))
		at += 1 << free
	}
	return value.NewArray(list)
}
