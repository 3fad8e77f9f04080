//go:build !noemulator

package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator"
)

// deviceRange is a number of devices, or two between which the sizes of tenants lie.
type deviceRange struct{ least, most int }

// String is the form that Set reads.
func (d *deviceRange) String() string {
	if d.least == d.most {
		return strconv.Itoa(d.most)
	}
	return fmt.Sprintf("%d-%d", d.least, d.most)
}

// Type is what help calls the value.
func (d *deviceRange) Type() string { return "number" }

// Set reads N or MIN-MAX.
func (d *deviceRange) Set(text string) error {
	from, to, both := strings.Cut(text, "-")
	if !both {
		to = from
	}
	least, err := strconv.Atoi(from)
	if err != nil {
		return errors.New("it must be a number such as 200, or two such as 5-20")
	}
	most, err := strconv.Atoi(to)
	if err != nil {
		return errors.New("it must be a number such as 200, or two such as 5-20")
	}
	switch {
	case least < 1:
		return errors.New("it must be at least 1")
	case most < least:
		return errors.New("the second number must not be below the first")
	}
	d.least, d.most = least, most
	return nil
}

// tenantOptions are the tenants that the flags describe; nil is one tenant.
func (f emulatorFlags) tenantOptions() ([]emulator.TenantOptions, error) {
	switch {
	case f.tenants < 1:
		return nil, fmt.Errorf("--tenants is %d; it must be at least 1", f.tenants)
	case f.cves < 1:
		return nil, fmt.Errorf("--cves is %d; it must be at least 1", f.cves)
	case f.tenants == 1 && f.devices.least != f.devices.most:
		return nil, fmt.Errorf("--devices is %s; one tenant has one number of devices, and --tenants is 1", &f.devices)
	case f.tenants > 1 && len(f.databases) > 1:
		return nil, errors.New("--database is given more than once; with --tenants, each tenant has one database, whose name begins with it")
	case f.tenants == 1 && len(f.unconsented)+len(f.ownClusters) == 0:
		return nil, nil
	}
	list := emulator.Spread(f.tenants, f.devices.least, f.devices.most, f.seed)
	width := len(strconv.Itoa(f.tenants))
	for i := range list {
		list[i].Name = fmt.Sprintf("t%0*d", width, i+1)
	}
	list[0].Database = f.databases[0]
	if f.tenants > 1 {
		list[0].Database = ""
	}
	for _, named := range []struct {
		flag  string
		names []string
		set   func(*emulator.TenantOptions)
	}{
		{"unconsented", f.unconsented, func(t *emulator.TenantOptions) { t.Unconsented = true }},
		{"own-cluster", f.ownClusters, func(t *emulator.TenantOptions) { t.OwnCluster = true }},
	} {
		for _, name := range named.names {
			i := indexOf(list, name)
			if i < 0 {
				return nil, fmt.Errorf("--%s is %q; the tenants are %s to %s", named.flag, name, list[0].Name, list[len(list)-1].Name)
			}
			named.set(&list[i])
		}
	}
	return list, nil
}

func indexOf(list []emulator.TenantOptions, name string) int {
	for i := range list {
		if strings.EqualFold(list[i].Name, name) {
			return i
		}
	}
	return -1
}

// tenantsConfig is what a configuration says of several tenants, "" for one: the sign-in to
// the cluster, and of each tenant what differs from the others.
func tenantsConfig(r emulator.Ready) string {
	if len(r.Tenants) < 2 {
		return ""
	}
	var text strings.Builder
	text.WriteString("tenants:\n")
	for _, t := range r.Tenants {
		fmt.Fprintf(&text, "  %s:\n    auth:\n      tenant_id: %q\n    kusto:\n      database: %q\n", t.Name, t.TenantID, t.Database)
		if t.Kusto != "" {
			fmt.Fprintf(&text, "      cluster: %q\n      ingest: %q\n", t.Kusto, t.Ingest)
		}
	}
	fmt.Fprintf(&text, "fleet:\n  database: %q\n", fleetDatabase)
	return text.String()
}

// fleetDatabase is the emulator's database for functions over all tenants.
const fleetDatabase = "fleet"

// kustoConfig is what a configuration says of the database: its name, or the tenant that the
// applications of several tenants' databases sign in to.
func kustoConfig(r emulator.Ready) string {
	if len(r.Tenants) < 2 {
		return fmt.Sprintf("  database: %q\n", r.Database)
	}
	return fmt.Sprintf("  auth:\n    tenant_id: %q\n", cmp.Or(r.HomeTenantID, r.TenantID))
}
