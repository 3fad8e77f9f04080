package tenant

import (
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// component is a row of DeviceTvmHardwareFirmware.
type component struct {
	device *device
	kind   string
	index  int  // among those of the kind
	place  dice // of the component in the device
	flash  int  // the newest revision that brought new firmware
}

// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicetvmhardwarefirmware-table
var hardware = table[component]{
	name: "DeviceTvmHardwareFirmware",
	rows: hardwareRows,
	columns: []column[component]{
		{"DeviceId", value.String, perDevice, func(r *component) value.Value { return value.NewString(r.device.id) }},
		{"DeviceName", value.String, perDevice, func(r *component) value.Value { return value.NewString(r.device.name) }},
		{"ComponentType", value.String, perRow, func(r *component) value.Value { return value.NewString(r.kind) }},
		{"Manufacturer", value.String, perRow, func(r *component) value.Value { return value.NewString(r.maker()) }},
		{"ComponentName", value.String, perRow, func(r *component) value.Value { return value.NewString(r.title()) }},
		{"ComponentFamily", value.String, perRow, func(r *component) value.Value {
			return value.NewString(pick(r.place.at(ofText, 0, 0), []string{"", "Latitude", "ThinkPad", "EliteBook", "Family «7»"}))
		}},
		{"ComponentVersion", value.String, perRow, func(r *component) value.Value { return value.NewString(r.version()) }},
		{"AdditionalFields", value.Dynamic, perRow, (*component).fields},
	},
}

// componentKinds are the components of a device, and how many of each it has.
var componentKinds = []struct {
	name         string
	least, spare int
}{
	{"Hardware", 1, 0},
	{"Bios", 1, 0},
	{"Processor", 1, 1},
	{"Memory", 1, 1},
	{"Disk", 1, 1},
	{"NetworkAdapter", 1, 1},
	{"Tpm", 0, 1},
	{"GraphicsAdapter", 0, 1},
}

func hardwareRows(s *scan[component]) {
	r := &s.record
	s.devices(func(d *device) bool {
		r.device = d
		s.enter(perDevice)
		for i, k := range componentKinds {
			place := d.dice.at(ofHardware, i, 0)
			n := k.least + place.n(k.spare+1)
			if d.heavy {
				n *= 10
			}
			r.kind = k.name
			for r.index = range n {
				r.place = place.at(ofHardware, i, r.index+1)
				r.flash = d.flashed(i)
				if !s.emit() {
					return false
				}
			}
		}
		return true
	})
}

// flashed is the newest revision of d that brought components of kind i new
// firmware.
func (d *device) flashed(i int) int {
	for n := len(d.revisions) - 1; n > 0; n-- {
		if d.dice.at(ofHardware, i, n).permille(40) {
			return n
		}
	}
	return 0
}

func (r *component) maker() string {
	return pick(r.place.at(ofText, 1, 0), []string{"Dell Inc.", "LENOVO", "HP", "Microsoft Corporation", "Apple", "ASUSTeK", "Gigabyte", "株式会社東芝", ""})
}

func (r *component) title() string {
	d := r.place.at(ofText, 2, 0)
	switch r.kind {
	case "Processor":
		return pick(d, []string{"Intel(R) Core(TM) i7-1365U", "AMD Ryzen 7 PRO 6850U", "Apple M3", "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"}) + fmt.Sprintf(" #%d", r.index)
	case "Hardware":
		return fmt.Sprintf("%s %d %d", pick(d, []string{"Latitude", "ThinkPad T", "EliteBook", "Surface", "MacBookPro"}), 5000+d.n(900)*10, r.index)
	default:
		return fmt.Sprintf("%s %s/%d", r.kind, r.place.hex(4), r.index)
	}
}

func (r *component) version() string {
	d := r.place.at(ofText, 3, r.flash)
	if r.kind == "Hardware" || d.permille(100) {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", 1+d.n(3), r.flash+d.n(40), d.at(ofText, 0, 0).n(10))
}

func (r *component) fields() value.Value {
	d := r.place.at(ofText, 4, r.flash)
	switch n := d.n(10); {
	case n == 0:
		return value.Null(value.Dynamic)
	case n == 1:
		return emptyBag
	case r.kind == "Bios":
		return bag("ReleaseDate", fmt.Sprintf("20%02d-0%d-1%dT00:00:00.0000000Z", 18+d.n(8), 1+d.n(9), d.n(10)),
			"SecureBoot", d.n(4) != 0, "Smbios", bag("major", 3, "minor", d.n(9), "vendorData", value.Null(value.Dynamic)))
	case r.kind == "Memory":
		return bag("Bytes", int64(8<<30)<<d.n(4), "Address", int64(1<<60)+int64(d.n(1<<30)), "Slots", value.NewArray([]value.Value{
			bag("bank", 0, "label", "DIMM «A»"), bag("bank", 1, "label", ""),
		}))
	default:
		return bag("Serial", r.place.hex(12), "Revision", fmt.Sprint(d.n(90)), "Temperature", float64(d.n(900))/10, "Drivers", emptyArray)
	}
}
