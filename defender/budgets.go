package defender

import (
	"maps"
	"slices"
	"sync"

	"github.com/tvmexport/tvmexport"
)

// Budgets are the budgets of an API whose endpoints have quotas of their own, by the
// name of the quota (tvmexport.QuotaUsage.Endpoints). They are made when they are first
// used. The zero value is ready; it is safe for concurrent use.
type Budgets struct {
	mu     sync.Mutex
	named  map[string]*Budget
	others []tvmexport.QuotaUsage
}

// Of returns the budget with a name. The first call makes it.
func (b *Budgets) Of(name string, create func() *Budget) *Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	if one := b.named[name]; one != nil {
		return one
	}
	if b.named == nil {
		b.named = map[string]*Budget{}
	}
	one := create()
	one.Begin(endpoint(b.others, name))
	b.named[name] = one
	return one
}

// All are the budgets that were made so far.
func (b *Budgets) All() []*Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Values(b.named))
}

// Begin starts an invocation, with the calls that others have made (tvmexport.Meter). It
// holds for budgets that are made later, too.
func (b *Budgets) Begin(others []tvmexport.QuotaUsage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.others = others
	for name, one := range b.named {
		one.Begin(endpoint(others, name))
	}
}

// QuotaUsage returns the calls of each budget with calls (tvmexport.Meter).
func (b *Budgets) QuotaUsage() tvmexport.QuotaUsage {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out tvmexport.QuotaUsage
	for name, one := range b.named {
		used := one.QuotaUsage()
		if len(used.Calls) == 0 {
			continue
		}
		if out.Endpoints == nil {
			out.Endpoints = make(map[string]tvmexport.QuotaUsage, len(b.named))
		}
		out.Endpoints[name] = used
	}
	return out
}

// endpoint is what others have used of the quota with a name.
func endpoint(others []tvmexport.QuotaUsage, name string) (out []tvmexport.QuotaUsage) {
	for _, u := range others {
		if own, ok := u.Endpoints[name]; ok {
			out = append(out, own)
		}
	}
	return out
}
