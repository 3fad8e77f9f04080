package tenant

import (
	"context"
	"iter"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// exports are the data sets of the export assessment APIs, by name. Their rows are
// those of the hunting tables about the same things, where there is such a table,
// with the columns of the exports. Unlike there, no row is there twice.
// Sources: the pages that emulator/internal/assessment names.
var exports = []source{
	&exportedBaselines,
	&exportedExtensions,
	&exportedCertificates,
	&exportedHardware,
	&exportedGathering,
	&exportedConfigurations,
	&exportedInventory,
	&exportedInventoryNonCPE,
	&exportedVulnerabilities,
}

// Row is a row of a data set, in the order of its columns. It is valid until the next one.
type Row = []value.Value

// ExportColumns are the columns of a data set of the export APIs, nil if it is not known.
func ExportColumns(name string) []value.Column {
	if name == Changes {
		return changeColumns()
	}
	for _, s := range exports {
		if s.title() == name {
			columns, _ := s.schema()
			return columns
		}
	}
	return nil
}

// ExportNames are the names of the data sets, without Changes.
func ExportNames() []string {
	names := make([]string, 0, len(exports))
	for _, s := range exports {
		names = append(names, s.title())
	}
	return names
}

// exported is the record of a hunting table's row, as the export of its device has it.
type exported[R any] struct {
	record R
	state  *state
	device *device
}

// exportOf makes a data set of the rows of a hunting table that keep accepts; nil
// accepts all. on is the device of a record.
func exportOf[R any](name string, t *table[R], on func(*R) *device, keep func(*R) bool, columns ...column[exported[R]]) table[exported[R]] {
	return table[exported[R]]{name: name, columns: columns, rows: func(s *scan[exported[R]]) {
		s.record.state = s.state
		from := scan[R]{state: s.state, ctx: s.ctx, where: s.where}
		from.yield = func(_ []value.Value, err error) bool {
			if err != nil {
				return s.yield(nil, err)
			}
			if keep != nil && !keep(&from.record) {
				return true
			}
			s.record.record, s.record.device = from.record, on(&from.record)
			return s.emit()
		}
		t.rows(&from)
	}}
}

// ofDeviceColumn is a column that is a property of the device.
func ofDeviceColumn[R any](name string, kind value.Kind, fill func(*device) value.Value) column[exported[R]] {
	return column[exported[R]]{name, kind, perRow, func(r *exported[R]) value.Value { return fill(r.device) }}
}

// ofRecord is a column that is a property of the record.
func ofRecord[R any](name string, kind value.Kind, fill func(*R) value.Value) column[exported[R]] {
	return column[exported[R]]{name, kind, perRow, func(r *exported[R]) value.Value { return fill(&r.record) }}
}

// same is a column that the hunting table has too, perhaps by another name.
func same[R any](t *table[R], name string, as ...string) column[exported[R]] {
	i := slices.IndexFunc(t.columns, func(c column[R]) bool { return c.name == name })
	c := t.columns[i]
	if len(as) > 0 {
		name = as[0]
	}
	return ofRecord(name, c.kind, c.fill)
}

// Columns that several data sets have.
func deviceIDColumn[R any]() column[exported[R]] {
	return ofDeviceColumn[R]("DeviceId", value.String, func(d *device) value.Value { return value.NewString(d.id) })
}

func deviceNameColumn[R any]() column[exported[R]] {
	return ofDeviceColumn[R]("DeviceName", value.String, func(d *device) value.Value { return value.NewString(d.name) })
}

func platformColumn[R any](name string) column[exported[R]] {
	return ofDeviceColumn[R](name, value.String, func(d *device) value.Value { return value.NewString(d.platform.name) })
}

func systemColumn[R any](name string) column[exported[R]] {
	return column[exported[R]]{name, value.String, perRow, func(r *exported[R]) value.Value {
		return value.NewString(r.state.system(r.device).version())
	}}
}

func groupIDColumn[R any]() column[exported[R]] {
	return ofDeviceColumn[R]("RbacGroupId", value.Int, groupID)
}

func groupNameColumn[R any]() column[exported[R]] {
	return ofDeviceColumn[R]("RbacGroupName", value.String, groupName)
}

// Export is what the export APIs show of one state of the tenant, whole or in part.
type Export struct {
	state *state
	group Group
}

// export is what the export APIs show of the state.
func (s *state) export() Export {
	e := *s
	e.once = true
	return Export{state: &e}
}

// Rows are the rows of a data set.
func (e Export) Rows(ctx context.Context, name string) iter.Seq2[Row, error] {
	for _, s := range exports {
		if s.title() == name {
			return s.scan(ctx, e.state, kql.Request{})
		}
	}
	return func(func(Row, error) bool) {}
}

// Group is the device group that a part is of.
func (e Export) Group() Group { return e.group }

// Parts divides an export into parts of at most a number of devices, each of one group.
// They come in the order of the groups; a group without devices has an empty part.
func (e Export) Parts(devices int) []Export {
	var parts []Export
	for _, g := range groups {
		var members []device
		for i := range e.state.devices {
			if d := &e.state.devices[i]; e.state.shown(d) && d.group() == g {
				members = append(members, *d)
			}
		}
		for first := true; first || len(members) > 0; first = false {
			n := min(devices, len(members))
			part := *e.state
			part.devices, members = members[:n:n], members[n:]
			parts = append(parts, Export{&part, g})
		}
	}
	return parts
}

// Empty says whether the part has no devices.
func (e Export) Empty() bool { return len(e.state.devices) == 0 }
