package tenant

import (
	"slices"
	"strconv"
	"time"
)

// software is the programs that devices can have, and the CVEs of the world.
type software struct {
	programs []program
	tracks   []track
	layouts  [families]layout
	systems  map[string]int32 // per platform: the program that is its system
	library  library
	start    time.Time
}

// newSoftware makes the programs of a tenant that starts at a moment, of which only the
// date matters. The lists within have no spare capacity: what grows from it is a copy.
func newSoftware(tenant dice, start time.Time, cves int) software {
	s := software{library: newLibrary(start, cves), start: start, systems: map[string]int32{}}
	tracks := map[string]int32{}
	for _, p := range products {
		if _, ok := tracks[p.line]; !ok {
			plan := lines[p.line]
			tracks[p.line] = s.addTrack(tenant, &plan)
		}
		s.addProduct(tenant, p, tracks[p.line])
	}
	for f := range families {
		for range tails[f].lists {
			s.layouts[f].tail = append(s.layouts[f].tail, s.addTail(tenant, f))
		}
	}
	for i := range s.tracks {
		t := &s.tracks[i]
		for r := range t.plan.history {
			d := t.dice.at(ofRelease, r, 0)
			s.release(t, s.library.claim(d, i, t.released(r-1), t.released(r), t.fixes(d)))
		}
	}
	s.clip()
	return s
}

// clip takes their spare capacity from the lists that grow, so that two clones of s never
// append to the same memory.
func (s *software) clip() {
	s.programs, s.tracks = slices.Clip(s.programs), slices.Clip(s.tracks)
	for i := range s.tracks {
		t := &s.tracks[i]
		t.first, t.cves, t.updates, t.programs = slices.Clip(t.first), slices.Clip(t.cves), slices.Clip(t.updates), slices.Clip(t.programs)
	}
	for i := range s.programs {
		p := &s.programs[i]
		p.versions, p.codes = slices.Clip(p.versions), slices.Clip(p.codes)
	}
	l := &s.library
	l.ids, l.days, l.tracks = slices.Clip(l.ids), slices.Clip(l.days), slices.Clip(l.tracks)
}

func (s *software) addTrack(tenant dice, plan *trackPlan) int32 {
	d := tenant.at(ofTrack, len(s.tracks), 0)
	s.tracks = append(s.tracks, track{plan: plan, dice: d, phase: d.n(plan.interval), first: []int32{0}})
	return int32(len(s.tracks) - 1)
}

func (s *software) addProgram(tenant dice, p program) int32 {
	at := int32(len(s.programs))
	p.dice = tenant.at(ofSoftware, int(at), 1)
	s.programs = append(s.programs, p)
	t := &s.tracks[p.track]
	t.programs = append(t.programs, at)
	return at
}

// addProduct places a well-known program in the layouts of its families, or
// makes it the system of its platform.
func (s *software) addProduct(tenant dice, p product, t int32) {
	at := s.addProgram(tenant, program{vendor: p.vendor, name: p.name, track: t, numbering: p.numbering})
	for i := range platforms {
		if platforms[i].system == p.name {
			s.systems[platforms[i].name] = at
		}
	}
	for f := range families {
		if p.on&(1<<f) != 0 {
			s.layouts[f].core = append(s.layouts[f].core, slot{at, p.share, max(1, p.instances), max(100, p.neglect)})
		}
	}
}

// addTail makes one list of rare programs.
func (s *software) addTail(tenant dice, f family) []int32 {
	var list []int32
	for range tails[f].programs {
		n := len(s.programs)
		d := tenant.at(ofSoftware, n, 0)
		p := program{
			vendor: pick(d.at(ofText, 0, 0), tailVendors),
			name: pick(d.at(ofText, 1, 0), tailAdjectives) + "_" + pick(d.at(ofText, 2, 0), tailNouns) +
				"_" + strconv.Itoa(n),
			track:     s.addTrack(tenant, pick(d.at(ofText, 3, 0), tailPlanList)),
			numbering: numbering(d.at(ofText, 4, 0).n(int(unversion))),
		}
		list = append(list, s.addProgram(tenant, p))
	}
	return list
}

var tailPlanList = func() []*trackPlan {
	var list []*trackPlan
	for i := range tailPlans {
		list = append(list, &tailPlans[i])
	}
	return list
}()

// fixes is how many CVEs a release fixes.
func (t *track) fixes(d dice) int {
	d = d.at(ofRelease, 0, 1)
	tenths := t.plan.cves * (80 + d.n(41)) / 100
	n := tenths / 10
	if d.at(ofRelease, 0, 2).n(10) < tenths%10 {
		n++
	}
	return n
}

// release adds the next release to a track, and its version to the programs.
func (s *software) release(t *track, cves []int32) {
	r := t.releases
	t.releases++
	t.cves = append(t.cves, cves...)
	t.first = append(t.first, int32(len(t.cves)))
	var u update
	if d := t.dice.at(ofRelease, r, 3); t.plan.bulletin {
		on := s.start.AddDate(0, 0, t.released(r))
		u = update{on.Format("January 2006") + " Security Updates", strconv.Itoa(5000000 + 1000*r + d.n(1000))}
	}
	t.updates = append(t.updates, u)
	for _, i := range t.programs {
		p := &s.programs[i]
		v := p.version(r)
		p.versions = append(p.versions, v)
		p.codes = append(p.codes, p.code(v))
	}
}

// version is the version that the program has in release r of its track. It
// differs from those of the other releases.
func (p *program) version(r int) string {
	base, h := 1+p.dice.n(30), p.dice.at(ofRelease, r, 0)
	switch p.numbering {
	case four:
		return joined(60+base+r/4, r%4, 1000+h.n(8000), 7*r+h.at(ofRelease, 0, 0).n(7))
	case builds:
		return joined(10, 0, 17000+p.dice.n(9200), 400+61*r+h.n(61))
	case dated:
		month := "." + strconv.Itoa(100 + 1 + r%12)[1:] + "."
		return strconv.Itoa(2015+r/12) + month + strconv.Itoa(h.n(4))
	case tagged:
		return joined(base+r/8, r%8) + "-r" + strconv.Itoa(h.n(9)) + "~beta+build." + strconv.Itoa(h.at(ofRelease, 0, 0).n(100))
	case unversion:
		return ""
	default:
		return joined(base+r/10, r%10, h.n(20))
	}
}

// joined is numbers with dots between them. A tenant has many; fmt is slow.
func joined(numbers ...int) string {
	b := make([]byte, 0, 32)
	for i, n := range numbers {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(b)
}

// noCode is the ProductCodeCpe of a version without one.
const noCode = "not available"

// code is the ProductCodeCpe of a version; some programs have none.
func (p *program) code(version string) string {
	if p.vendor == "" || p.dice.at(ofText, 0, 0).permille(120) {
		return noCode
	}
	return p.vendor + ":" + p.name + ":" + version
}

// grow lets a day come: new releases, and new CVEs, of programs that the
// tenant knows and of others. A copy of s that was made before stays as it is.
func (s *software) grow(tenant dice, day int) {
	on := s.start.AddDate(0, 0, day)
	for i := range s.tracks {
		t := &s.tracks[i]
		for r := t.releases; r <= t.latest(day); r++ {
			cves := make([]int32, t.fixes(t.dice.at(ofRelease, r, 0)))
			for j := range cves {
				cves[j] = s.library.add(on, s.start)
				s.library.tracks[cves[j]] = int32(i) + 1
			}
			s.release(t, cves)
		}
	}
	for range 60 + tenant.at(ofDay, day, 1).n(60) {
		s.library.add(on, s.start)
	}
}

// clone is a copy that can grow without changing s.
func (s *software) clone() software {
	c := *s
	c.programs = append([]program(nil), s.programs...)
	c.tracks = append([]track(nil), s.tracks...)
	return c
}
