package tenant

// track is a line of releases that one or more programs follow, with the CVEs
// that each release fixes. Release r of a track that still lives came out on
// the track's day r; the day 0 is the tenant's start.
type track struct {
	plan     *trackPlan
	dice     dice
	phase    int      // day of the cycle on which the releases come
	releases int      // how many there are
	first    []int32  // per release, and once more: where its CVEs begin in cves
	cves     []int32  // ordinals in the library, by the release that fixes them
	updates  []update // per release
	programs []int32  // the programs that follow the track
}

// trackPlan is what a track is made from.
type trackPlan struct {
	interval int  // days between two releases
	history  int  // releases that are out when the tenant starts
	cves     int  // average number of CVEs that a release fixes, in tenths
	bulletin bool // releases have a name and a number of their own
	ended    bool // no longer supported: what the last release should fix stays open
}

// update is what fixes a CVE, as the RecommendedSecurityUpdate columns say.
type update struct{ name, id string }

// latest is the newest release on a day from 0 on.
func (t *track) latest(day int) int {
	if t.plan.ended {
		return t.plan.history - 1
	}
	return t.plan.history - 1 + (day+t.phase)/t.plan.interval
}

// released is the day on which release r came out, about zero or less for
// those before the tenant's start.
func (t *track) released(r int) int {
	day := (r-t.plan.history+1)*t.plan.interval - t.phase
	if t.plan.ended {
		day -= endedDays
	}
	return day
}

// endedDays is how long ago the tracks that ended did so.
const endedDays = 400

// newest is the newest release on a day that can be installed.
func (t *track) newest(day int) int {
	if t.plan.ended {
		return t.plan.history - 2
	}
	return t.latest(day)
}

// open is the CVEs of the track that are known on day and that release has.
func (t *track) open(release, day int) []int32 {
	from, to := t.first[release+1], t.first[t.latest(day)+1]
	return t.cves[from:max(from, to)]
}

// program is a software product. Its versions are those of the releases of its
// track.
type program struct {
	vendor, name string
	track        int32
	dice         dice
	numbering    numbering
	versions     []string // per release
	codes        []string // per release: ProductCodeCpe
}

// layout says which programs the devices of a family can have.
type layout struct {
	core []slot    // tried one by one
	tail [][]int32 // of each list at most one is there
}

// slot is a place for a program in a layout.
type slot struct {
	program   int32
	share     int // of a thousand devices
	instances int // most versions of it side by side
	neglect   int // how much longer than usual it stays unpatched, in percent
}

// install is a version of a program on a device.
type install struct {
	program *program
	release int
	since   int // the revision since which the program is there; 0: the first
}

func (i install) version() string { return i.program.versions[i.release] }

// The chances, of a thousand, that a revision patches a program, or rolls
// again whether it is there.
const (
	patchChance  = 300
	changeChance = 20
	tailShare    = 780 // of a thousand lists of the tail, those with a program
)

// history finds what the revisions of a device did to one of its slots: the
// last roll of whether a program is there (0: the first), and the last
// revision that patched it since (0: none). The system, slot 0, stays.
func (d *device) history(slot int) (rolled, patched int) {
	for r := len(d.revisions) - 1; r > 0; r-- {
		h := d.dice.at(ofEvent, slot, r)
		if slot > 0 && h.permille(changeChance) {
			return r, patched
		}
		if patched == 0 && h.n(1000) >= 1000-patchChance {
			patched = r
		}
	}
	return 0, patched
}

// release returns the release of track t that slot has after the history (rolled, patched).
func (d *device) release(t *track, slot, rolled, patched, neglect int) int {
	if patched > 0 {
		return t.newest(int(d.revisions[patched].day))
	}
	behind := d.lag(slot, rolled, neglect)
	return max(0, t.newest(int(d.revisions[rolled].day))-behind)
}

// lag is how many releases behind a program was when it was first seen.
func (d *device) lag(slot, rolled, neglect int) int {
	care := cares[d.dice.at(ofTrait, 3, 0).n(len(cares))]
	h := d.dice.at(ofLag, slot, rolled)
	return lags[h.n(len(lags))] * care * neglect / 10000
}

// lags are how far programs are behind on a device of average care; cares, in
// percent, tell careful devices from careless ones.
var (
	lags  = [...]int{0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7}
	cares = [...]int{40, 60, 80, 100, 100, 100, 100, 120, 150, 200}
)

// system is the release of the operating system, which is always slot 0.
func (s *state) system(d *device) install {
	p := &s.programs[s.systems[d.platform.name]]
	t := &s.tracks[p.track]
	if d.odd { // never patched, so that it has vulnerabilities
		return install{p, t.newest(int(d.revisions[0].day)) - 2, 0}
	}
	_, patched := d.history(0)
	return install{p, d.release(t, 0, 0, patched, 100), 0}
}

// installs appends what is installed on d to list.
func (s *state) installs(list []install, d *device) []install {
	list = append(list, s.system(d))
	if d.odd {
		return s.tail(list, d, 4)
	}
	l := &s.layouts[d.platform.family]
	userExpired := s.expired(d) >= userScopeExpired
	for i := range l.core {
		c := &l.core[i]
		place := i + 1
		rolled, patched := d.history(place)
		h := d.dice.at(ofSoftware, place, rolled)
		if !h.permille(c.share) {
			continue
		}
		p := &s.programs[c.program]
		if userExpired && d.scope(p) == ofUser {
			continue
		}
		release := d.release(&s.tracks[p.track], place, rolled, patched, c.neglect)
		n := 1
		if c.instances > 1 {
			n += h.at(ofSoftware, 0, 1).n(c.instances)
			if d.heavy {
				n *= heavyInstances
			}
		}
		for ; n > 0 && release >= 0; n-- {
			list = append(list, install{p, release, rolled})
			release -= 1 + h.at(ofSoftware, n, 2).n(2)
		}
	}
	return s.tail(list, d, len(l.tail))
}

const (
	heavyInstances = 5 // how many times more versions side by side a heavy device has
	heavyTail      = 17
)

// tail appends the rare programs of d, from at most the given number of lists.
func (s *state) tail(list []install, d *device, lists int) []install {
	l := &s.layouts[d.platform.family]
	userExpired := s.expired(d) >= userScopeExpired
	for i := range min(lists, len(l.tail)) {
		place := len(l.core) + 1 + i
		rolled, patched := d.history(place)
		h := d.dice.at(ofSoftware, place, rolled)
		if !h.permille(tailShare) {
			continue
		}
		n, at := 1, h.at(ofSoftware, 0, 3).skewed(len(l.tail[i]))
		if d.heavy {
			n = min(heavyTail, len(l.tail[i]))
		}
		for j := range n {
			p := &s.programs[l.tail[i][(at+j)%len(l.tail[i])]]
			if userExpired && d.scope(p) == ofUser {
				continue
			}
			list = append(list, install{p, d.release(&s.tracks[p.track], place, rolled, patched, 100), rolled})
		}
	}
	return list
}
