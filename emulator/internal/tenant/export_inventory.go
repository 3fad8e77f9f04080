package tenant

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// exportedInventory follows https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-inventory.
var exportedInventory = exportOf("TvmSoftwareInventory", &inventory, deviceOfInstalled, hasCode,
	deviceIDColumn[installed](), deviceNameColumn[installed](), platformColumn[installed]("OSPlatform"),
	same(&inventory, "SoftwareVendor"), same(&inventory, "SoftwareName"), same(&inventory, "SoftwareVersion"),
	ofRecord("NumberOfWeaknesses", value.Int, func(r *installed) value.Value {
		t := &r.state.tracks[r.install.program.track]
		return value.NewInt(int32(len(t.open(r.install.release, int(r.device.seen().day)))))
	}),
	ofRecord("DiskPaths", value.Dynamic, func(r *installed) value.Value { return listed(r.diskPaths()) }),
	ofRecord("RegistryPaths", value.Dynamic, func(r *installed) value.Value { return listed(r.registryPaths()) }),
	ofRecord("SoftwareFirstSeenTimestamp", value.DateTime, func(r *installed) value.Value {
		p := past{state: r.state, device: r.device}
		return value.DateTimeFromTicks(r.device.revisions[p.since(r.install, anyRelease)].ticks)
	}),
	ofRecord("EndOfSupportStatus", value.String, func(r *installed) value.Value {
		if s, _ := r.support(); s != "" {
			return value.NewString(s)
		}
		return value.NewString("None") // where the hunting table is empty
	}),
	ofRecord("EndOfSupportDate", value.DateTime, func(r *installed) value.Value { _, d := r.support(); return d }),
	groupIDColumn[installed](), groupNameColumn[installed](),
)

// exportedInventoryNonCPE follows https://learn.microsoft.com/defender-endpoint/api/get-assessment-non-cpe-software-inventory.
var exportedInventoryNonCPE = exportOf("TvmSoftwareInventoryNonCpe", &inventory, deviceOfInstalled, func(r *installed) bool { return !hasCode(r) },
	deviceIDColumn[installed](), deviceNameColumn[installed](), platformColumn[installed]("OSPlatform"),
	same(&inventory, "SoftwareVendor"), same(&inventory, "SoftwareName"), same(&inventory, "SoftwareVersion"),
	ofRecord("SoftwareLastSeenTimestamp", value.DateTime, func(r *installed) value.Value {
		return value.DateTimeFromTicks(r.state.lastSeen(r.device))
	}),
	groupIDColumn[installed](), groupNameColumn[installed](),
)

func deviceOfInstalled(r *installed) *device { return r.device }

// hasCode is whether the version has a CPE.
func hasCode(r *installed) bool { return r.install.program.codes[r.install.release] != noCode }
