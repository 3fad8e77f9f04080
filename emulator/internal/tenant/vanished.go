package tenant

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// The reasons why a row vanished.
const (
	becameFixed       = "fixed"       // the program has another version, without the CVE
	becameUpgraded    = "upgraded"    // the program has another version, with the CVE too
	becameExposed     = "exposed"     // the row of a program without a CVE: now it has some
	becameUninstalled = "uninstalled" // the version, or the extension, is not on the device any more
	becameRemoved     = "removed"     // the same of what is no software
	becameMoved       = "moved"       // the device is in another group, and has the row there
	becameExpired     = "expired"     // the device has been silent for too long
	becameGone        = "gone"        // the device has left at once
)

// keys are the documented keys of the data sets. A row is known by its key and its group.
var keys = map[string][]string{
	"TvmSoftwareVulnerabilities": {"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion", "CveId"},
	"TvmSoftwareInventory":       {"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion"},
	"TvmSoftwareInventoryNonCpe": {"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion"},
	"TvmSecureConfigurations":    {"DeviceId", "ConfigurationId"},
	"TvmBrowserExtensions":       {"DeviceId", "BrowserName", "ExtensionId"},
	"TvmCertificates":            {"DeviceId", "Thumbprint", "Path"},
	"TvmHardwareFirmware":        {"DeviceId", "ComponentType", "ComponentName"},
	"TvmBaselineCompliance":      {"DeviceId", "ProfileId", "ConfigurationId"},
	"TvmInformationGathering":    {"DeviceId"},
}

// Vanished are the rows of a data set that a snapshot does not have and the one before
// had, of the snapshots with marks after from and up to to, with the reason: the
// columns of the key, RbacGroupId, VanishedAt (the mark) and Reason. It is nil if the data set
// is not known.
func (t *Tenant) Vanished(name string, from, to time.Time) kql.Relation {
	at := slices.IndexFunc(exports, func(s source) bool { return s.title() == name })
	if at < 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(t.now())
	v := &vanished{source: exports[at], key: keys[name], state: t.state}
	for _, s := range t.steps {
		if s.mark.After(from) && !s.mark.After(to) {
			v.steps = append(v.steps, s)
		}
	}
	return v
}

// vanished is the rows that vanished in some steps; kql.Relation.
type vanished struct {
	source source
	key    []string
	state  *state
	steps  []step
}

func (v *vanished) Columns() []value.Column {
	all, _ := v.source.schema()
	var columns []value.Column
	for _, name := range v.key {
		columns = append(columns, all[slices.IndexFunc(all, func(c value.Column) bool { return c.Name == name })])
	}
	return append(columns, value.Column{Name: "RbacGroupId", Kind: value.Int},
		value.Column{Name: "VanishedAt", Kind: value.DateTime}, value.Column{Name: "Reason", Kind: value.String})
}

func (v *vanished) Hidden() []value.Column { return nil }

func (v *vanished) Count(ctx context.Context, r kql.Request) (n int64, err error) {
	for _, err := range v.Scan(ctx, r) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (v *vanished) Scan(ctx context.Context, _ kql.Request) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, s := range v.steps {
			for _, p := range s.pairs {
				was, is := p.before.alone(v.state, s.before), p.after.alone(v.state, s.after)
				before, err := v.rows(ctx, was)
				var after rowSet
				if err == nil {
					after, err = v.rows(ctx, is)
				}
				if err != nil {
					yield(nil, err)
					return
				}
				expired := p.before != nil && (p.after == nil && p.before.silent() || p.after != nil && is.expired(p.after) > was.expired(p.before))
				for _, k := range before.list {
					if after.has(k, before.group) {
						continue
					}
					row := append(slices.Clone(k), value.NewInt(int32(before.group)),
						value.NewDateTime(s.mark), value.NewString(v.reason(p, expired, k, before, after)))
					if !yield(row, nil) {
						return
					}
				}
			}
		}
	}
}

// rowSet is the keys of a device's rows, which are all in one group.
type rowSet struct {
	group int
	list  []Row
	known map[string]bool
}

// has says whether there is a row with a key in a group.
func (r *rowSet) has(key Row, group int) bool { return r.group == group && r.known[textOfKey(key)] }

func textOfKey(key Row) string {
	var b strings.Builder
	for _, v := range key {
		b.WriteString(v.Text())
		b.WriteByte(0)
	}
	return b.String()
}

// rows are the keys of a state with one device at most.
func (v *vanished) rows(ctx context.Context, s *state) (rowSet, error) {
	r := rowSet{known: map[string]bool{}}
	if len(s.devices) > 0 {
		r.group = s.devices[0].group().ID
	}
	all, _ := v.source.schema()
	need := make([]bool, len(all))
	at := make([]int, len(v.key))
	for i, name := range v.key {
		at[i] = slices.IndexFunc(all, func(c value.Column) bool { return c.Name == name })
		need[at[i]] = true
	}
	for row, err := range v.source.scan(ctx, s, kql.Request{Need: need}) {
		if err != nil {
			return r, err
		}
		key := make(Row, len(at))
		for i := range at {
			key[i] = row[at[i]]
		}
		r.list = append(r.list, key)
		r.known[textOfKey(key)] = true
	}
	return r, nil
}

// reason is why a row of the device before a step is not there after it. expired says
// whether more of the device has expired then.
func (v *vanished) reason(p pair, expired bool, key Row, before, after rowSet) string {
	switch {
	case expired:
		return becameExpired
	case p.after == nil:
		return becameGone
	case after.has(key, after.group):
		return becameMoved
	}
	switch {
	case v.source == source(&exportedExtensions):
		return becameUninstalled
	case !slices.Contains(v.key, "SoftwareVersion"):
		return becameRemoved
	}
	return reasonOfVersion(key, before, after)
}

// The columns of the keys of software.
const (
	keyVendor = iota + 1
	keyName
	keyVersion
	keyCVE
)

// reasonOfVersion is why a device does not have a version, or one of its CVEs.
func reasonOfVersion(key Row, before, after rowSet) string {
	cve := ""
	if len(key) > keyCVE {
		cve = key[keyCVE].Text()
	}
	had := map[string]bool{}
	versions := func(r rowSet, visit func(version, cve string)) {
		for _, k := range r.list {
			if k[keyVendor].Text() != key[keyVendor].Text() || k[keyName].Text() != key[keyName].Text() {
				continue
			}
			if len(k) > keyCVE {
				visit(k[keyVersion].Text(), k[keyCVE].Text())
			} else {
				visit(k[keyVersion].Text(), "")
			}
		}
	}
	versions(before, func(version, _ string) { had[version] = true })
	same, other, carried := false, false, false
	versions(after, func(version, c string) {
		switch {
		case version == key[keyVersion].Text():
			same = true
		case !had[version]:
			other = true
			carried = carried || c == cve
		}
	})
	switch {
	case same && cve == "":
		return becameExposed
	case carried || other && cve == "":
		return becameUpgraded
	case other || same:
		return becameFixed
	default:
		return becameUninstalled
	}
}
