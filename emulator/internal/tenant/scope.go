package tenant

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// scope is for whom a program is installed on a device.
type scope uint8

const (
	ofSystem scope = iota
	ofUser         // below the profile of a user alone
	ofBoth
)

// scope is that of a program on the device: on Windows and macOS one program in 25 is
// installed for a user alone, and one in 17 for a user too. The system is of the system.
func (d *device) scope(p *program) scope {
	if f := d.platform.family; d.odd || f != windows && f != macOS || p.name == d.platform.system {
		return ofSystem
	}
	switch n := d.dice.at(ofScope, int(uint32(p.dice)>>7), 0).n(1000); {
	case n < 40:
		return ofUser
	case n < 100:
		return ofBoth
	default:
		return ofSystem
	}
}

// user is the name and the number of the user whose programs the device has.
func (d *device) user() (name, sid string) {
	roll := d.dice.at(ofScope, 0, 1)
	return pick(roll, []string{"asmith", "jdoe", "müller.k", "o'brien"}), "S-1-5-21-1004336348-1177238915-682003330-" + joined(1100+roll.n(900))
}

// shownScope is where the program was found, if that has not expired.
func (r *installed) shownScope() (system, user bool) {
	s := r.device.scope(r.install.program)
	return s != ofUser, s != ofSystem && r.state.expired(r.device) < userScopeExpired
}

func (r *installed) userKey() string {
	_, sid := r.device.user()
	return `HKEY_USERS\` + sid + `\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\` + r.install.program.name
}

func (r *installed) userPath() string {
	name, _ := r.device.user()
	p := r.install.program
	if r.device.platform.family == macOS {
		return "/Users/" + name + "/Applications/" + p.name + ".app"
	}
	return `c:\users\` + name + `\appdata\local\` + p.vendor + `\` + p.name + `\` + p.name + `.exe`
}

// paths is an array of the paths that are shown.
func (r *installed) paths(system []string, user string) value.Value {
	inSystem, forUser := r.shownScope()
	var list []string
	if inSystem {
		list = append(list, system...)
	}
	if forUser {
		list = append(list, user)
	}
	if len(list) == 0 {
		return emptyArray
	}
	return textArray(list)
}
