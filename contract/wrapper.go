package contract

import (
	"context"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// TestWrapper is the contract of a tvmexport.Wrapper of destinations, such as one
// that counts calls or injects faults: it has each ability of the destination
// behind it, and no other one.
func TestWrapper(t *testing.T, wrap func(tvmexport.Destination) tvmexport.Destination) {
	complete := &Destination{}
	behind := map[string]tvmexport.Destination{"all": complete, "none": Core(complete)}
	for _, a := range abilities() {
		behind[a.name] = Without(t, complete, a.name)
	}
	for name, d := range behind {
		for _, a := range abilities() {
			want, got := a.find(d) != nil, a.find(wrap(d)) != nil
			if got != want {
				t.Errorf("without %q: the wrapper has the ability %s: %t, want %t", name, a.name, got, want)
			}
		}
	}
}

// sourceAbilities are those that not every source has.
func sourceAbilities() []abilityOf {
	return []abilityOf{describe[tvmexport.CountingSource](), describe[tvmexport.ListingSource](), describe[tvmexport.JointCounter](), describe[tvmexport.Meter](), describe[tvmexport.Releaser](), describe[tvmexport.SinceLister]()}
}

// metered is a source with a budget.
type metered struct{ *Source }

func (metered) Begin([]tvmexport.QuotaUsage)     {}
func (metered) QuotaUsage() tvmexport.QuotaUsage { return tvmexport.QuotaUsage{} }

// single is a counting source that counts one table at a time.
type single struct{ *Source }

// CountTables hides that of Source: it is not the method of a tvmexport.JointCounter.
func (single) CountTables() {}

// keeping is a source that keeps what it has read.
type keeping struct{ *Source }

func (keeping) Release(string) {}

// sinceListing is a listing source that lists what has come since a time.
type sinceListing struct{ *ListingSource }

func (s sinceListing) ListSince(ctx context.Context, t tvmexport.Table, _ time.Time) (tvmexport.Listing, error) {
	return s.List(ctx, t)
}

// TestSourceWrapper is the contract of a tvmexport.Wrapper of sources.
func TestSourceWrapper(t *testing.T, wrap func(tvmexport.Source) tvmexport.Source) {
	for _, s := range []tvmexport.Source{&Source{}, single{&Source{}}, metered{&Source{}}, keeping{&Source{}}, &ListingSource{}, sinceListing{&ListingSource{}}} {
		for _, a := range sourceAbilities() {
			want, got := a.find(s) != nil, a.find(wrap(s)) != nil
			if got != want {
				t.Errorf("in front of %T the wrapper has the ability %s: %t, want %t", s, a.name, got, want)
			}
		}
	}
}
