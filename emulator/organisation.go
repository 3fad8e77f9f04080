package emulator

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/emulator/internal/assessment"
	"github.com/tvmexport/tvmexport/emulator/internal/defender"
	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// TenantOptions describes one of several tenants. All other options are the same for all.
type TenantOptions struct {
	Name     string // "" means t1, t2 and so on, by its place, with as many digits as the last one has
	ID       string // "" means Options.TenantID for the first tenant, and one made from the name for others
	Database string // "" means that of Options, with a dash and the name behind it
	Devices  int    // 0 means Options.Devices
	Seed     uint64 // 0 means one made from Options.Seed and the place
	// Unconsented is a tenant whose administrator has not consented to the exporting application.
	Unconsented bool
	// OwnCluster gives the tenant's database a cluster address and an ingestion address of its
	// own, which can be down while those of the others answer.
	OwnCluster bool
}

// Spread returns n tenants whose sizes are between two numbers of devices, both included, by
// the seed.
func Spread(n, least, most int, seed uint64) []TenantOptions {
	sizes := rand.New(rand.NewPCG(seed, 0))
	list := make([]TenantOptions, n)
	for i := range list {
		list[i].Devices = least + sizes.IntN(max(0, most-least)+1)
	}
	return list
}

// singleName is the name of a tenant that is the only one.
const singleName = "t1"

// filled is the options with their defaults, and with at least one tenant.
func (o Options) filled() (Options, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Database = cmp.Or(o.Database, DefaultDatabase)
	o.Batching = cmp.Or(o.Batching, DefaultBatching)
	o.TenantID = cmp.Or(o.TenantID, DefaultTenantID)
	if o.Devices < 0 || o.ChangeRate < 0 || o.ChangeRate > 1 || o.Batching < 0 {
		return o, errors.New("emulator: Devices, ChangeRate and Batching must not be negative, nor ChangeRate above 1")
	}
	if len(o.Tenants) == 0 {
		o.Tenants = []TenantOptions{{Name: singleName, ID: o.TenantID, Database: o.Database, Devices: o.Devices, Seed: o.Seed}}
		return o, nil
	}
	var err error
	if o.Tenants, err = o.tenants(); err != nil {
		return o, err
	}
	o.TenantID, o.Database = o.Tenants[0].ID, o.Tenants[0].Database
	return o, nil
}

// tenants are the tenants of the options with everything filled in.
func (o Options) tenants() ([]TenantOptions, error) {
	width := len(fmt.Sprint(len(o.Tenants)))
	seen := map[string]bool{}
	list := make([]TenantOptions, len(o.Tenants))
	for i, t := range o.Tenants {
		t.Name = cmp.Or(t.Name, fmt.Sprintf("t%0*d", width, i+1))
		if i == 0 {
			t.ID = cmp.Or(t.ID, o.TenantID)
			t.Seed = cmp.Or(t.Seed, o.Seed)
		} else {
			t.Seed = cmp.Or(t.Seed, rand.NewPCG(o.Seed, uint64(i)).Uint64())
		}
		t.ID = strings.ToLower(cmp.Or(t.ID, uuid.NewSHA1(uuid.NameSpaceOID, []byte(o.TenantID+" tenant "+t.Name)).String()))
		t.Database = cmp.Or(t.Database, o.Database+"-"+t.Name)
		t.Devices = cmp.Or(t.Devices, o.Devices)
		for _, key := range []string{"name " + strings.ToLower(t.Name), "id " + t.ID, "database " + strings.ToLower(t.Database)} {
			if seen[key] {
				return nil, fmt.Errorf("emulator: two tenants have the %s", key)
			}
			seen[key] = true
		}
		if t.Devices < 0 {
			return nil, fmt.Errorf("emulator: tenant %s has %d devices; the number must not be negative", t.Name, t.Devices)
		}
		list[i] = t
	}
	return list, nil
}

// open makes the tenant's data and its hunting.
func (t TenantOptions) open(e *Emulator, world *tenant.World, answers disk.Folder) (*organisation, error) {
	o := e.o
	data := tenant.New(tenant.Options{
		Devices: t.Devices, Seed: t.Seed, World: world, ChangeRate: o.ChangeRate, CVEs: o.CVEs, HistoryDays: o.History, Clock: o.Now,
		TVMIngestionTime: o.TVMIngestionTime, Expiry: o.Expiry,
	})
	quota := defender.Documented()
	if o.Quota != nil {
		quota = *o.Quota
	}
	hunting, err := defender.New(defender.Options{
		Catalog: data.Catalog, TenantNow: data.Now, Now: o.Now,
		Verify: e.verify, Quota: quota, Wire: o.Wire, Disk: answers, Record: o.Record, Hidden: faults.Hidden,
	})
	if err != nil {
		return nil, err
	}
	return &organisation{TenantOptions: t, data: data, hunting: hunting}, nil
}

// openTenants makes all tenants. Of several, the world is the same.
func openTenants(e *Emulator) error {
	dir, err := folder(e, "answers")
	if err != nil {
		return err
	}
	var world *tenant.World
	if len(e.o.Tenants) > 1 {
		world = tenant.NewWorld(e.o.Seed, e.o.Now(), e.o.CVEs)
	}
	list := make([]*organisation, len(e.o.Tenants))
	for i, t := range e.o.Tenants {
		if list[i], err = t.open(e, world, disk.Folder{Dir: dir, Log: e.o.Log}); err != nil {
			return err
		}
	}
	e.tenants = newOrganisations(list)
	return nil
}

// organisation is a tenant with the services that answer from its data.
type organisation struct {
	TenantOptions
	data       *tenant.Tenant
	hunting    *defender.Service
	assessment *assessment.Service
	cluster    *ownCluster // nil if it shares the cluster's address
}

// state is the source at one moment.
func (o *organisation) state() State {
	return State{catalogs{o.data.Catalog(), o.data.ExportCatalog()}, o.data.Now()}
}

// organisations are all tenants of an emulator. The first is the home tenant: the applications
// and the cluster belong to it.
type organisations struct {
	list   []*organisation
	byName map[string]*organisation // in lower case
	byID   map[string]*organisation // in lower case
	byBase map[string]*organisation // by database, in lower case
	ahead  atomic.Int64             // how far the clock of the cluster is ahead of the wall clock
}

func newOrganisations(list []*organisation) *organisations {
	all := &organisations{list: list, byName: map[string]*organisation{}, byID: map[string]*organisation{}, byBase: map[string]*organisation{}}
	for _, o := range list {
		all.byName[strings.ToLower(o.Name)] = o
		all.byID[strings.ToLower(o.ID)] = o
		all.byBase[strings.ToLower(o.Database)] = o
	}
	return all
}

func (all *organisations) home() *organisation { return all.list[0] }

// named is the tenant of that name, or the first one for "".
func (all *organisations) named(name string) (*organisation, error) {
	if name == "" {
		return all.home(), nil
	}
	if o, ok := all.byName[strings.ToLower(name)]; ok {
		return o, nil
	}
	return nil, fmt.Errorf("there is no tenant %q; the first of %d is %q", name, len(all.list), all.home().Name)
}

// clusterClock is the time of the tenant that is furthest ahead, by a wall clock.
func (all *organisations) clusterClock(wall func() time.Time) func() time.Time {
	if len(all.list) == 1 {
		return all.home().data.Now
	}
	return func() time.Time { return wall().UTC().Add(time.Duration(all.ahead.Load())) }
}

// advanced follows a tenant whose clock has moved.
func (all *organisations) advanced(o *organisation) {
	for to := int64(o.data.Ahead()); ; {
		from := all.ahead.Load()
		if to <= from || all.ahead.CompareAndSwap(from, to) {
			return
		}
	}
}

// advance lets time pass in a tenant.
func (all *organisations) advance(o *organisation, days, hours int) Change {
	c := o.data.Advance(days)
	more := o.data.AdvanceHours(hours)
	all.advanced(o)
	return Change{Changed: c.Changed + more.Changed, Added: c.Added + more.Added, Retired: c.Retired + more.Retired}
}
