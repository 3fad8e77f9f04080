//go:build !noemulator

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport/emulator"
)

const (
	// withEmulator says whether this build has the commands emulator and demo.
	withEmulator = true
	// firstExample is the first line of the examples in the help.
	firstExample = "  tvmexport demo\n"
)

type emulatorFlags struct {
	devices     deviceRange
	tenants     int
	unconsented []string // names of tenants
	ownClusters []string // names of tenants
	cves        int
	seed        uint64
	quota       string
	defender    string
	kusto       string
	batching    time.Duration
	storageHost string
	tenantID    string
	flavor      string
	databases   []string
	dir         string
	tvmTimes    bool
	expiry      bool
}

// defaultEmulator is what the flags say if none is given.
func defaultEmulator() emulatorFlags {
	return emulatorFlags{
		devices: deviceRange{200, 200}, tenants: 1, cves: emulator.DefaultCVEs, seed: 1, quota: "documented", defender: "127.0.0.1:0", kusto: "127.0.0.1:0", batching: emulator.DefaultBatching,
		flavor: "adx", tenantID: emulator.DefaultTenantID, databases: []string{emulator.DefaultDatabase},
	}
}

func (p *process) emulatorCommand() *cobra.Command {
	f := defaultEmulator()
	c := &cobra.Command{
		Use:   "emulator",
		Short: "Run a local emulator of Defender, Entra and Kusto",
		Long: `emulator emulates Advanced Hunting (Graph, XDR, MDE), Entra and Kusto with queued
ingestion, for one or more synthetic tenants. It is for tests, demos and trial runs:
unmodified official clients work against it. It listens on loopback only, prints
one line of JSON with addresses and credentials, and runs until it is stopped.

With --dir it also writes the files that tvmexport needs to export from it: the
configuration (tvmexport.yaml), and the credentials and addresses as shell
variables (emulator.env). Let a day pass in the tenant with
curl --cacert $SSL_CERT_FILE -d '{"days": 1}' $EMULATOR_CONTROL/advance`,
		Example: `  tvmexport emulator --devices 2000 --quota off --dir /tmp/emulator
  . /tmp/emulator/emulator.env                 # in another terminal
  tvmexport init --config /tmp/emulator/tvmexport.yaml
  tvmexport run --config /tmp/emulator/tvmexport.yaml`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := p.emulatorOptions(f)
			if err != nil {
				return err
			}
			defer o.close()
			err = emulator.Serve(c.Context(), o.Options, emulator.Listen{Defender: f.defender, Kusto: f.kusto}, func(r emulator.Ready) error {
				if f.dir != "" {
					if err := p.writeAccess(f, r); err != nil {
						return err
					}
				}
				return json.NewEncoder(p.stdout).Encode(r)
			})
			if err != nil {
				return err
			}
			return context.Cause(c.Context())
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.defender, "defender", f.defender, "`address` of hunting, sign-in and control API (port 0 selects a free port)")
	flags.StringVar(&f.kusto, "kusto", f.kusto, "`address` of the cluster (port 0 selects a free port)")
	flags.Var(&f.devices, "devices", "`number` of devices in the tenant, or MIN-MAX for sizes between them by the seed")
	flags.IntVar(&f.tenants, "tenants", f.tenants, "number of tenants, each with its own id, data, database and quotas")
	flags.StringArrayVar(&f.unconsented, "unconsented", nil, "`name` of a tenant that has not consented to the application; repeatable")
	flags.StringArrayVar(&f.ownClusters, "own-cluster", nil, "`name` of a tenant with a cluster address of its own, which can be taken down; repeatable")
	flags.IntVar(&f.cves, "cves", f.cves, "number of known CVEs; with fewer, devices have fewer vulnerabilities")
	flags.Uint64Var(&f.seed, "seed", f.seed, "random seed of the tenant: equal seeds generate equal data")
	flags.StringVar(&f.quota, "quota", f.quota, "hunting `quotas`: documented or off")
	flags.DurationVar(&f.batching, "batching", f.batching, "time until a batch of queued ingestion is sealed")
	flags.StringVar(&f.storageHost, "storage-host", "", "`host` name in storage URLs: NAME or {account}.{kind}.NAME")
	flags.StringVar(&f.flavor, "flavor", f.flavor, "`kind` of cluster: adx or eventhouse")
	flags.StringVar(&f.tenantID, "tenant-id", f.tenantID, "`id` of the tenant")
	flags.StringArrayVar(&f.databases, "database", f.databases, "`name` of the database; repeat it for further databases")
	flags.BoolVar(&f.tvmTimes, "tvm-ingestion-time", false, "give the rows of vulnerability tables an ingestion_time(), which is null otherwise")
	flags.BoolVar(&f.expiry, "expiry", false, "devices that leave stop reporting, and their rows expire after 7 to 31 days (default: they are gone at once)")
	flags.StringVar(&f.dir, "dir", "", "`directory` for the test CA (ca.pem), client certificates and temporary data (default: a new temporary directory)")
	return c
}

// emulatorOptions are Options with what must be closed behind them.
type emulatorOptions struct {
	emulator.Options
	close func()
}

func (p *process) emulatorOptions(f emulatorFlags) (emulatorOptions, error) {
	quota, err := emulator.ParseQuota(f.quota)
	if err != nil {
		return emulatorOptions{}, usage(fmt.Errorf("--quota: %w", err))
	}
	tenants, err := f.tenantOptions()
	if err != nil {
		return emulatorOptions{}, usage(err)
	}
	if f.dir != "" {
		if err := os.MkdirAll(f.dir, 0o700); err != nil {
			return emulatorOptions{}, usage(fmt.Errorf("--dir: %w", err))
		}
	}
	if err := checkNames(f); err != nil {
		return emulatorOptions{}, usage(err)
	}
	log, err := p.logger()
	if err != nil {
		return emulatorOptions{}, err
	}
	record, stop, err := p.recorder()
	if err != nil {
		return emulatorOptions{}, err
	}
	further := f.databases[1:]
	if len(tenants) > 1 {
		further = []string{fleetDatabase}
	}
	return emulatorOptions{close: stop, Options: emulator.Options{
		TenantID: f.tenantID, Database: f.databases[0], Databases: further,
		Eventhouse: f.flavor == "eventhouse",
		Devices:    f.devices.most, Tenants: tenants, CVEs: f.cves, Seed: f.seed, Quota: &quota, Batching: f.batching, StorageHost: f.storageHost, Dir: f.dir, Record: record,
		Log: log, TVMIngestionTime: f.tvmTimes, Expiry: f.expiry,
	}}, nil
}

// checkNames checks the id of the tenant and the names of the databases.
func checkNames(f emulatorFlags) error {
	if _, err := uuid.Parse(f.tenantID); err != nil {
		return fmt.Errorf("--tenant-id is %q; it must be a GUID", f.tenantID)
	}
	if f.flavor != "adx" && f.flavor != "eventhouse" {
		return fmt.Errorf("--flavor is %q; it must be adx or eventhouse", f.flavor)
	}
	seen := map[string]bool{}
	for _, name := range f.databases {
		switch key := strings.ToLower(name); {
		case strings.TrimSpace(name) == "":
			return errors.New("--database is empty; give the name of a database")
		case seen[key]:
			return fmt.Errorf("--database %q is given twice", name)
		default:
			seen[key] = true
		}
	}
	return nil
}

// recorder writes each query and command that the emulator is sent to a file
// in the folder that TVMEXPORT_RECORD_KQL names, for the check of our KQL
// under Microsoft's parser; without the variable there is none.
func (p *process) recorder() (record func(endpoint, text string), stop func(), err error) {
	dir, ok := p.env("TVMEXPORT_RECORD_KQL")
	if !ok || dir == "" {
		return nil, func() {}, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("TVMEXPORT_RECORD_KQL: %w", err)
	}
	file, err := os.CreateTemp(dir, "emulator-*.ndjson")
	if err != nil {
		return nil, nil, fmt.Errorf("TVMEXPORT_RECORD_KQL: %w", err)
	}
	if err := file.Chmod(0o644); err != nil {
		return nil, nil, fmt.Errorf("TVMEXPORT_RECORD_KQL: %s: %w", filepath.Base(file.Name()), err)
	}
	kinds := map[string]string{"graph": "hunting", "xdr": "hunting", "mde": "hunting", "kusto-query": "query"}
	var mu sync.Mutex
	out := json.NewEncoder(file)
	return func(endpoint, text string) {
			kind, ok := kinds[endpoint]
			if !ok {
				kind = "command"
			}
			mu.Lock()
			defer mu.Unlock()
			_ = out.Encode(map[string]string{"kind": kind, "text": text}) // an aid: its failure is no reason to fail
		}, func() {
			mu.Lock()
			defer mu.Unlock()
			_ = file.Close()
		}, nil
}
