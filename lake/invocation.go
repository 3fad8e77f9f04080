package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/store"
)

// invocations keeps the leases of invocations, and what they have used and done.
type invocations struct {
	*folder
	ledger        *ledger
	configuration *configuration
	locks         *locks
}

// lease is the file of a table that somebody exports.
type lease struct {
	Owner   string    `json:"owner"`
	Expires time.Time `json:"expires"`
	Host    string    `json:"host,omitempty"` // whose lock shows whether the process lives
}

// invocation is the file of an invocation.
type invocation struct {
	Owner    string           `json:"owner"`
	Tables   []string         `json:"tables,omitempty"` // that it has held
	Began    time.Time        `json:"began"`
	At       time.Time        `json:"at"`
	Expires  time.Time        `json:"expires,omitzero"`
	Host     string           `json:"host,omitempty"`
	Released bool             `json:"released,omitempty"`
	Outcomes []outcome        `json:"outcomes,omitempty"`
	Audited  bool             `json:"audited,omitempty"`
	Used     usage            `json:"used"`
	Nested   map[string]usage `json:"endpoints,omitempty"`
}

// digest names an invocation in the names of files.
func digest(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return hex.EncodeToString(sum[:12])
}

func invocationName(owner string) string { return controlName("invocations", digest(owner)+".json") }

// hostname is the machine; "" if it is not known.
var hostname = sync.OnceValue(func() string {
	name, _ := os.Hostname() // without it, leases end by the clock alone
	return name
})

// acquire implements tvmexport.Leases.
func (v *invocations) acquire(ctx context.Context, l tvmexport.Lease) (map[string]tvmexport.LeaseHolder, error) {
	if _, err := v.understood(ctx, "lease", ""); err != nil {
		return nil, err
	}
	now, err := v.now(ctx)
	if err != nil {
		return nil, err
	}
	held := map[string]tvmexport.LeaseHolder{}
	var got []string
	if len(l.Tables) > 0 {
		if err := v.describe(ctx, ""); err != nil {
			return nil, err
		}
		if err := v.locks.hold(ctx, l.Owner); err != nil {
			return nil, err
		}
	}
	for _, t := range l.Tables {
		if err := checkName("lease", t.Name); err != nil {
			return nil, err
		}
		holder, err := v.take(ctx, t.Name, lease{Owner: l.Owner, Expires: now.Add(l.Term), Host: hostname()}, now)
		if err != nil {
			return nil, err
		}
		if holder != nil {
			held[t.Name] = *holder
			continue
		}
		got = append(got, t.Name)
	}
	err = v.edit(ctx, l.Owner, now, func(i *invocation) bool {
		for _, name := range got {
			if !slices.Contains(i.Tables, name) {
				i.Tables = append(i.Tables, name)
			}
		}
		if len(got) > 0 {
			i.Expires, i.Host, i.Released = now.Add(l.Term), hostname(), false
		}
		i.spend(l.QuotaUsage, time.Now())
		return true
	})
	return held, err
}

// take takes or extends the lease of a table. holder is another invocation that has it.
func (v *invocations) take(ctx context.Context, table string, want lease, now time.Time) (holder *tvmexport.LeaseHolder, err error) {
	name := controlName("leases", table+".json")
	for {
		var have lease
		etag, ok, err := v.read(ctx, name, &have)
		if err != nil {
			return nil, err
		}
		if ok && have.Owner != want.Owner && have.Expires.After(now) && !v.locks.dead(ctx, have.Owner, have.Host) {
			return &tvmexport.LeaseHolder{Owner: have.Owner, Expires: have.Expires}, nil
		}
		condition := store.IfAbsent()
		if ok {
			condition = store.IfMatch(etag)
		}
		if err := v.write(ctx, name, want, condition); !raced(err) {
			return nil, err
		}
	}
}

// release returns the lease of a table, if the owner has it.
func (v *invocations) release(ctx context.Context, table, owner string) error {
	if err := checkName("release", table); err != nil {
		return err
	}
	name := controlName("leases", table+".json")
	for {
		var have lease
		etag, ok, err := v.read(ctx, name, &have)
		if err != nil || !ok || have.Owner != owner {
			return err
		}
		if err := v.write(ctx, name, lease{}, store.IfMatch(etag)); !raced(err) {
			return err
		}
	}
}

// edit changes the file of an invocation. change says whether to write it.
func (v *invocations) edit(ctx context.Context, owner string, now time.Time, change func(*invocation) bool) error {
	name := invocationName(owner)
	for {
		i := invocation{Owner: owner, Began: now}
		etag, ok, err := v.read(ctx, name, &i)
		if err != nil {
			return err
		}
		if !change(&i) {
			return nil
		}
		i.At = now
		condition := store.IfAbsent()
		if ok {
			condition = store.IfMatch(etag)
		}
		if err := v.write(ctx, name, i, condition); !raced(err) {
			return err
		}
	}
}

// all reads the files of invocations.
func (v *invocations) all(ctx context.Context) ([]invocation, error) {
	var out []invocation
	for f, err := range v.store.List(ctx, controlName("invocations")+"/", "") {
		if err != nil {
			return nil, err
		}
		if path.Ext(f.Name) != ".json" {
			continue
		}
		var i invocation
		_, ok, err := v.read(ctx, f.Name, &i)
		if err != nil {
			return nil, err
		}
		if ok && strings.HasSuffix(f.Name, digest(i.Owner)+".json") {
			out = append(out, i)
		}
	}
	return out, nil
}
