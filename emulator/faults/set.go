package faults

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// Set holds the active rules. The zero Set has none; it is safe for
// concurrent use.
type Set struct {
	mu       sync.Mutex
	rules    []*active
	tenants  Tenants
	lastID   int
	observer func(Event)
	closing  chan struct{} // closed by Close; made when it is needed
	waiting  sync.WaitGroup
}

// active is an active rule and its state.
type active struct {
	Report
	chance *rand.Rand
	kept   map[string]kept // by the text of their requests
	size   int             // of what is kept
}

// Report is an active rule, with the numbers of requests that it matched and hit.
type Report struct {
	ID   int `json:"id"`
	Seen int `json:"seen"`
	Hits int `json:"hits"`
	Rule
}

// Add activates rules, after those that are active, and returns their ids. If a rule is
// not valid, it activates none.
func (s *Set) Add(rules ...Rule) ([]int, error) {
	for _, r := range rules {
		if err := r.Validate(); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rules {
		if err := s.checkTenant(r); err != nil {
			return nil, err
		}
	}
	ids := make([]int, 0, len(rules))
	for _, r := range rules {
		s.lastID++
		s.rules = append(s.rules, &active{
			Report: Report{ID: s.lastID, Rule: r},
			chance: rand.New(rand.NewPCG(r.Seed, 0)),
		})
		ids = append(ids, s.lastID)
	}
	return ids, nil
}

// List reports the active rules, oldest first.
func (s *Set) List() []Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	reports := make([]Report, 0, len(s.rules))
	for _, a := range s.rules {
		reports = append(reports, a.Report)
	}
	return reports
}

// Remove removes one rule; false means that no rule has that id.
func (s *Set) Remove(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range s.rules {
		if a.ID == id {
			s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
			return true
		}
	}
	return false
}

// Clear removes all rules.
func (s *Set) Clear() { s.ClearTenant("") }

// ClearTenant removes the rules that are limited to a tenant, or all rules for "".
func (s *Set) ClearTenant(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = slices.DeleteFunc(slices.Clone(s.rules), func(a *active) bool { return name == "" || strings.EqualFold(a.Tenant, name) })
}

// empty says, cheaply, that no request needs to be looked at.
func (s *Set) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rules) == 0
}

// take counts one request and returns the rule that hits it, with the answer that
// it replays, if it does.
func (s *Set) take(at Endpoint, what said) (Rule, *kept, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hit *active
	var old *kept
	for _, a := range s.rules {
		if a.Endpoint != at || !a.isOf(what.tenant) || !a.matches(what.texts) {
			continue
		}
		k, known := a.kept[what.key()]
		if a.Replay && !known {
			continue
		}
		a.Seen++
		if hit == nil && a.fires() {
			a.Hits++
			hit = a
			if a.Replay {
				old = &k
			}
		}
	}
	if hit == nil {
		return Rule{}, nil, false
	}
	return hit.Rule, old, true
}

func (a *active) matches(texts []string) bool {
	if a.Match == "" {
		return true
	}
	for _, t := range texts {
		if strings.Contains(t, a.Match) {
			return true
		}
	}
	return false
}

// fires decides about the request that was just counted in Seen.
func (a *active) fires() bool {
	n := a.Seen - a.After // 1 for the first request that may be hit
	switch {
	case n < 1:
		return false
	case a.Count > 0 && a.Hits >= a.Count:
		return false
	case a.Every > 1 && n%a.Every != 0:
		return false
	case a.Probability > 0 && a.chance.Float64() >= a.Probability:
		return false
	}
	return true
}
