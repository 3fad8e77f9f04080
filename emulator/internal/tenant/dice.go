package tenant

import "math/bits"

// dice is a source of chance that can be rolled at any place without rolling
// it at the places before: a value is a place, and at leads to other places.
type dice uint64

// topic keeps rolls for different purposes apart.
type topic uint64

// The purposes.
const (
	ofTenant topic = iota + 1
	ofDevice
	ofName
	ofTrait
	ofSoftware
	ofEvent
	ofLag
	ofTrack
	ofRelease
	ofVulnerability
	ofText
	ofConfiguration
	ofHardware
	ofExtension
	ofCertificate
	ofBaseline
	ofGathering
	ofEvidence
	ofInfoEvents
	ofProcessEvents
	ofNetworkEvents
	ofDay
	ofMove
	ofTime
	ofDrift
	ofGroup
	ofSilence
	ofScope
)

// at is the place (t, i, j) as seen from d; i and j count below 2^26.
func (d dice) at(t topic, i, j int) dice {
	return dice(mix(uint64(d) ^ (uint64(t)<<56 | uint64(i&(1<<26-1))<<28 | uint64(j&(1<<28-1)))))
}

// mix is the finaliser of the splitmix64 generator, after one step of it.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// n is a number from 0 to limit-1, 0 for a limit below 1.
func (d dice) n(limit int) int {
	if limit < 1 {
		return 0
	}
	high, _ := bits.Mul64(uint64(d), uint64(limit))
	return int(high)
}

// permille is true p times in 1000.
func (d dice) permille(p int) bool { return d.n(1000) < p }

// skewed is a number from 0 to limit-1 of which small ones are likelier: half
// of all rolls fall into the first quarter.
func (d dice) skewed(limit int) int {
	u := uint64(d) >> 32
	return dice(u * u).n(limit)
}

// pick is one of list.
func pick[T any](d dice, list []T) T { return list[d.n(len(list))] }

const hexDigits = "0123456789abcdef"

// appendHex appends n hex digits.
func (d dice) appendHex(b []byte, n int) []byte {
	for i := 0; i < n; i++ {
		if i%16 == 0 {
			d = dice(mix(uint64(d)))
		}
		b = append(b, hexDigits[uint64(d)>>(i%16*4)&15])
	}
	return b
}

// hex is n hex digits, lower-case.
func (d dice) hex(n int) string { return string(d.appendHex(make([]byte, 0, n), n)) }

// guid is the text of a random (version 4) UUID.
func (d dice) guid() string {
	b := d.appendHex(make([]byte, 0, 36), 36)
	for _, i := range []int{8, 13, 18, 23} {
		b[i] = '-'
	}
	b[14] = '4'
	b[19] = "89ab"[b[19]&3]
	return string(b)
}
