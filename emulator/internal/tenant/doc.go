// Package tenant is a synthetic Microsoft Defender XDR tenant: the tables of
// advanced hunting that an exporter reads, shaped like those of a real
// organisation, made from a seed, and changing by the day.
//
// Nothing is stored but the devices, the software they can have and the list
// of CVEs. A row is a function of the seed, its device, and the device's
// revisions: the days on which something about the device changed. So a scan
// generates its rows as it goes, a condition on DeviceId skips whole devices,
// and a device that did not change on a day has exactly the rows of the day
// before.
//
//	Tenant ── Catalog() ──> state (immutable) ──> tables ──> rows
//	   └── Advance, Move ──> the next state
//
// The fifteen DeviceTvm* and DeviceBaseline* tables hold current state. The
// event tables DeviceInfo, DeviceProcessEvents and DeviceNetworkEvents hold the
// events of the days before the edge, the last full hour an hour before the
// tenant's start and each whole day after it.
//
// What the export APIs show are snapshots: the states at the marks of six hours. Of what
// leads from one to the next, the devices that differ are kept for longer (steps), so that
// the reason why a row vanished is known without the states. Rows of a device do not
// depend on later states, apart from what expires while the device is silent.
//
// The data holds on purpose what makes an exporter fail: skewed sizes, names in
// every script, empty strings and nulls, null next to {} and [] in dynamics,
// strings that hold JSON or dates, integers above 2^53, datetimes to the tick,
// devices with an empty or an unexpected id, and rows that are there twice.
package tenant
