package tenant

import (
	"sync"
	"time"
)

// made is the software with which the newest worlds of this process began. Tests make
// tenants by the hundred, most of them with the same seed on the same day, and to make the
// software takes longer than the rest of a tenant.
var made memory

// mostRemembered is how many CVEs all software that is kept has together: one of the usual
// size, or many of tests.
const mostRemembered = 400_000

// origin is what the software of a world on its first day follows from.
type origin struct {
	world dice
	date  string // of the start
	cves  int
}

// memory keeps the software of the newest origins.
type memory struct {
	mu    sync.Mutex
	known map[origin]software
	order []origin // of known, the oldest first
	cves  int      // of all that are known
}

// software is newSoftware, or a copy of what it made before.
func (m *memory) software(world dice, start time.Time, cves int) software {
	if cves > mostRemembered {
		return newSoftware(world, start, cves)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	from := origin{world, start.Format(time.DateOnly), cves}
	s, ok := m.known[from]
	if !ok {
		s = newSoftware(world, start, cves)
		m.keep(from, s)
	}
	c := s.clone()
	c.start = start
	return c
}

// keep adds software, and drops the oldest that is too much with it.
func (m *memory) keep(from origin, s software) {
	for ; len(m.order) > 0 && m.cves+from.cves > mostRemembered; m.order = m.order[1:] {
		delete(m.known, m.order[0])
		m.cves -= m.order[0].cves
	}
	if m.known == nil {
		m.known = map[origin]software{}
	}
	m.known[from], m.order = s, append(m.order, from)
	m.cves += from.cves
}
