package tenant

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// Group is a device group, which the export APIs call an RBAC group.
type Group struct {
	ID   int
	Name string
}

// groups are the device groups. No device is ever in the last one.
var groups = [...]Group{
	{0, "Unassigned"}, {3, "Servers"}, {12, "Workstations EMEA"}, {27, "Filiale Zürich"}, {31, "Pilot 🚀"}, {40, "Retired"},
}

// moveChance is how many of a thousand revisions move a device to another group.
const moveChance = 40

// group is the group of the device: the one that its newest move rolled.
func (d *device) group() Group {
	moved := 0
	for r := len(d.revisions) - 1; r > 0; r-- {
		if d.dice.at(ofGroup, 0, r).permille(moveChance) {
			moved = r
			break
		}
	}
	roll := d.dice.at(ofGroup, 1, moved)
	if d.odd || moved == 0 && roll.permille(150) {
		return groups[0]
	}
	return groups[1+roll.at(ofGroup, 0, 0).n(len(groups)-2)]
}

// onboarded is whether the device sends data itself; others are only discovered.
func (d *device) onboarded() bool { return !d.dice.at(ofGroup, 2, 0).permille(20) }

func groupID(d *device) value.Value   { return value.NewInt(int32(d.group().ID)) }
func groupName(d *device) value.Value { return value.NewString(d.group().Name) }
