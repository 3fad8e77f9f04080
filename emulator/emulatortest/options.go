package emulatortest

import (
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/entra"
)

// Option sets one property of an emulator. Later options override earlier ones.
type Option func(*settings)

type settings struct {
	emulator.Options
	loopback bool
}

// The defaults of options. They are small, so that tests are fast.
const (
	DefaultDevices  = 20
	DefaultCVEs     = 5000
	DefaultHistory  = 3 // days of events
	DefaultBatching = 20 * time.Millisecond
)

func defaults() settings {
	return settings{Options: emulator.Options{
		Devices: DefaultDevices, CVEs: DefaultCVEs, History: DefaultHistory, Batching: DefaultBatching,
	}}
}

// Devices sets how many devices the tenant has, plus three with unusual ids. A
// device has about 60 rows of DeviceTvmSoftwareInventory.
func Devices(n int) Option { return func(s *settings) { s.Devices = n } }

// Seed selects other data: equal seeds, sizes and clocks make equal rows.
func Seed(n uint64) Option { return func(s *settings) { s.Seed = n } }

// CVEs sets how many CVEs are known, which is the number of rows of
// DeviceTvmSoftwareVulnerabilitiesKB. With few, devices have few vulnerabilities. A real
// tenant knows more than 320,000.
func CVEs(n int) Option { return func(s *settings) { s.CVEs = n } }

// History sets how many days of events the tenant has, at most 30.
func History(days int) Option { return func(s *settings) { s.History = days } }

// TVMIngestionTime makes ingestion_time() of the vulnerability tables the time at which
// the tenant's day began. The default is null.
func TVMIngestionTime() Option { return func(s *settings) { s.Options.TVMIngestionTime = true } }

// Expiry makes devices that leave the tenant stop reporting, so that what they reported
// expires: see emulator.Options.Expiry.
func Expiry() Option { return func(s *settings) { s.Options.Expiry = true } }

// Database sets the name of the database. The default is "security".
func Database(name string) Option { return func(s *settings) { s.Options.Database = name } }

// Eventhouse makes the cluster an Eventhouse of Microsoft Fabric: see
// emulator.Options.Eventhouse.
func Eventhouse() Option { return func(s *settings) { s.Options.Eventhouse = true } }

// Batching sets how long queued ingestion collects files before it ingests them,
// regardless of the policies of tables.
func Batching(d time.Duration) Option { return func(s *settings) { s.Options.Batching = d } }

// NoQuota lifts the limits of hunting. By default they are the documented ones: 45
// calls a minute, 100,000 rows and 50 MB an answer.
func NoQuota() Option {
	return func(s *settings) {
		q := emulator.NoQuota()
		s.Quota = &q
	}
}

// Clock gives the services a clock, which must not go backwards. The default is time.Now.
func Clock(now func() time.Time) Option { return func(s *settings) { s.Now = now } }

// FixedClock gives the services a clock that only AdvanceClock moves.
func FixedClock(at time.Time) Option { return Clock(func() time.Time { return at }) }

// Tenants makes several tenants on one cluster: see emulator.Options.Tenants. Endpoints().Tenants
// has their names, ids and databases. The methods without a tenant are about the first one; Services().Tenants()
// has all.
func Tenants(list ...emulator.TenantOptions) Option {
	return func(s *settings) { s.Options.Tenants = list }
}

// App registers another application of the tenant. It has
// no role in the database; grant one with Command: .add database.
func App(a entra.App) Option { return func(s *settings) { s.Apps = append(s.Apps, a) } }

// Record calls f with each query and command that a client sends, and its endpoint: "graph",
// "xdr", "mde", "kusto-query", "kusto-mgmt" or "ingest-mgmt". Several goroutines may call
// it at once.
func Record(f func(endpoint, text string)) Option { return func(s *settings) { s.Options.Record = f } }

// Loopback serves on 127.0.0.1 with TLS, on free ports, for other processes. It does
// not work within testing/synctest.
func Loopback() Option { return func(s *settings) { s.loopback = true } }

// Configure changes the options of package emulator that have no Option of their own.
func Configure(change func(*emulator.Options)) Option {
	return func(s *settings) { change(&s.Options) }
}
