package tenant

import (
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// device is a machine of the tenant. All that the tables say about it follows
// from these fields and the tenant's software.
type device struct {
	dice      dice
	id        string // DeviceId: 40 lower-case hex digits, unless it is odd
	name      string
	platform  *platform
	arch      string
	aadID     string // empty when the device is not in Entra
	heavy     bool   // has ten times the usual rows
	odd       bool   // its id is empty or not of the usual form; has few rows
	twice     bool   // the first of its rows in each table is there twice
	retired   bool   // gone from the tables of current state
	first     int32  // first and last day with events
	last      int32
	away      []absence  // times of silence; the newest is last
	revisions []revision // at least one; the newest is last
}

// revision is a change of a device. The days count from the tenant's start.
type revision struct {
	day   int32
	ticks int64 // when the device was scanned
}

// seen is the newest revision.
func (d *device) seen() revision { return d.revisions[len(d.revisions)-1] }

// forever is a day that has not come.
const forever = 1<<31 - 1

// since is a day before all others.
const since = -1 << 31

// newDevice is the device that joins as number ordinal on day, its first
// scan at ticks.
func newDevice(tenant dice, ordinal int, r revision) device {
	d := tenant.at(ofDevice, ordinal, 0)
	traits := d.at(ofTrait, 0, 0)
	dev := device{
		dice:      d,
		id:        d.hex(40),
		platform:  traits.platform(),
		heavy:     ordinal%heavyEvery == heavyEvery/2,
		twice:     ordinal%twiceEvery == 3,
		first:     since,
		last:      forever,
		revisions: []revision{r},
	}
	dev.arch = pick(traits.at(ofTrait, 1, 0), dev.platform.architectures)
	dev.name = deviceName(d.at(ofName, 0, 0), ordinal)
	if dev.platform.family != linux && traits.at(ofTrait, 2, 0).permille(350) {
		dev.aadID = traits.guid()
	}
	return dev
}

const (
	heavyEvery = 67 // one device in 67 (1.5 %) has ten times the usual rows
	twiceEvery = 61 // one device in 61 has its first row twice
	// One device in 11 has a name that is not plain ASCII; all such names
	// occur in a tenant of the default size.
	foreignEvery = 11
)

// oddDevices are devices whose id is not what an exporter may expect.
func oddDevices(tenant dice, r revision) []device {
	var odd []device
	for i, id := range []string{
		"",
		strings.ToUpper(tenant.at(ofDevice, 1, 1).hex(40)),
		tenant.at(ofDevice, 2, 1).guid(),
	} {
		d := newDevice(tenant.at(ofDevice, i, 2), 0, r)
		d.id, d.odd, d.heavy = id, true, false
		d.platform = &platforms[0] // one that all tables have rows of
		if id == "" {
			d.name = ""
		}
		odd = append(odd, d)
	}
	return odd
}

// deviceName is a host name, most often with a domain.
func deviceName(d dice, ordinal int) string {
	host := pick(d, hostNames)
	if ordinal%foreignEvery == foreignEvery/2 {
		host = foreignHostNames[ordinal/foreignEvery%len(foreignHostNames)]
	}
	return fmt.Sprintf("%s-%04d%s", host, ordinal+1, pick(d.at(ofName, 3, 0), domains))
}

var hostNames = []string{"ws", "ws", "ws", "lt", "lt", "LAPTOP", "desk", "srv", "sql", "web", "kiosk", "dev", "build", "fin", "hr"}

var foreignHostNames = []string{
	"büro", "łódź-biuro", "naïve", "são-paulo", "Öğrenci", "офис", "東京", "서울", "北京-研发",
	"مكتب", "משרד", "🖥️-lab", "e\u0301cole", "O'Brien", `quote"d`, `back\slash`,
}

var domains = []string{
	".contoso.example", ".contoso.example", ".contoso.example", ".contoso.example", ".ad.contoso.example",
	".emea.contoso.example", ".apac.contoso.example", ".fabrikam.example", "",
}

// scanTime is a moment about the hour before the end of a day: the first of
// ticks, to the tick for most and with a short fraction, or none, for some.
func scanTime(d dice, end int64) int64 {
	t := end - value.TicksPerHour - int64(d.n(int(5*value.TicksPerHour)))
	return roundTime(d, t)
}

// roundTime cuts t to a second or a millisecond now and then, so that text
// forms with and without trailing zeros occur.
func roundTime(d dice, t int64) int64 {
	switch d.at(ofTime, 0, 0).n(16) {
	case 0:
		return t - t%value.TicksPerSecond
	case 1:
		return t - t%value.TicksPerMillisecond
	default:
		return t
	}
}
