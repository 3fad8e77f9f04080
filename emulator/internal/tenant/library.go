package tenant

import (
	"sort"
	"strconv"
	"time"
)

// LibrarySize is how many CVEs DeviceTvmSoftwareVulnerabilitiesKB holds when a
// tenant starts, for any number of devices, unless Options say otherwise. A real
// tenant of 60 devices had this many.
const LibrarySize = 321_736

// library is the CVEs that are known, by ordinal, in order of publication.
// It only grows; a copy keeps the size that it has.
type library struct {
	atStart int // how many there were when the tenant started
	stride  int // has no divisor in common with atStart
	ids     []string
	days    []int32 // of publication
	tracks  []int32 // 1 + the track whose programs have it; 0: programs that nobody here has
	year    int     // of the newest CVE
	inYear  int     // CVEs of that year so far
}

// published are the CVEs of a year as a share of all, by the age of the year:
// the first is for a whole current year.
var published = [...]int{
	480, 480, 400, 290, 250, 202, 183, 173, 165, 147, 65, 65, 79, 52, 53, 42, 46, 57, 56, 65, 66, 49, 24, 15, 21, 17, 10, 9,
}

// newLibrary returns the library of size CVEs on the day of start.
func newLibrary(start time.Time, size int) library {
	l := library{
		atStart: size,
		stride:  libraryStride,
		ids:     make([]string, 0, size+size/16),
		days:    make([]int32, 0, size+size/16),
		tracks:  make([]int32, 0, size+size/16),
	}
	for divisor(l.stride, size) != 1 {
		l.stride++
	}
	total, share := 0, published
	share[0] = share[0] * start.YearDay() / 366
	for _, s := range share {
		total += s
	}
	rest := size
	for age := len(share) - 1; age >= 0; age-- {
		n := size * share[age] / total
		if age == 1 {
			n += size - allotted(share[:], total, size)
		}
		n = min(n, rest)
		rest -= n
		first := time.Date(start.Year()-age, 1, 1, 0, 0, 0, 0, time.UTC)
		length := 365
		if age == 0 {
			length = start.YearDay()
		}
		for i := range n {
			l.add(first.AddDate(0, 0, length*i/n), start)
		}
	}
	return l
}

// libraryStride is how far apart CVEs lie that follow each other in the table,
// or nearly so.
const libraryStride = 100_003

// divisor is the greatest that a and b have in common.
func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// allotted is how many CVEs the shares come to when each is cut to a whole
// number.
func allotted(shares []int, total, size int) int {
	n := 0
	for _, s := range shares {
		n += size * s / total
	}
	return n
}

// add publishes one more CVE on a day and gives its ordinal.
func (l *library) add(on, start time.Time) int32 {
	if y := on.Year(); y != l.year {
		l.year, l.inYear = y, 0
	}
	n := 1 + l.inYear*5/4 // some numbers are never published
	l.inYear++
	id := make([]byte, 0, 16)
	id = append(id, "CVE-"...)
	id = strconv.AppendInt(id, int64(l.year), 10)
	id = append(id, '-')
	for pad := 1000; pad > n; pad /= 10 {
		id = append(id, '0')
	}
	id = strconv.AppendInt(id, int64(n), 10)
	l.ids = append(l.ids, string(id))
	l.days = append(l.days, int32(on.Sub(start.Truncate(24*time.Hour))/(24*time.Hour)))
	l.tracks = append(l.tracks, 0)
	return int32(len(l.ids) - 1)
}

// claim gives n CVEs that were published after one day and up to another, or as
// many as are left, to track number t. The library must not be shared yet.
func (l *library) claim(d dice, t, after, until, n int) []int32 {
	from := sort.Search(len(l.days), func(i int) bool { return int(l.days[i]) > after })
	to := sort.Search(len(l.days), func(i int) bool { return int(l.days[i]) > until })
	var got []int32
	for i := range n {
		at := from + d.at(ofRelease, i, 0).n(to-from)
		for tries := 0; tries < to-from; tries++ {
			if l.tracks[at] == 0 {
				l.tracks[at] = int32(t) + 1
				got = append(got, int32(at))
				break
			}
			if at++; at == to {
				at = from
			}
		}
	}
	return got
}
