package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/emulator/internal/datamanagement"
	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/rest"
	"github.com/tvmexport/tvmexport/emulator/internal/storage"
)

// kusto is the Kusto side without the engine: the ingestion service, the storage
// that it goes through, and the HTTP fronts.
type kusto struct {
	accounts       *storage.Storage
	dataManagement *datamanagement.Service

	engine, ingest, storage http.Handler
}

// openKusto makes the engine with its database and everything before it.
func openKusto(e *Emulator, at addresses) error {
	admin, ok := e.entra.App(AdminID)
	if !ok {
		return fmt.Errorf("emulator: the application %s is not registered", AdminID)
	}
	e.admin = engine.Principal{AppID: admin.ID, ObjectID: admin.ObjectID, TenantID: e.o.TenantID, Name: admin.Name}
	extents, err := folder(e, "extents")
	if err != nil {
		return err
	}
	e.engine = engine.New(engine.Options{
		Now: e.tenants.clusterClock(e.o.Now), Disk: disk.Folder{Dir: extents, Log: e.o.Log}, Admins: []engine.Principal{e.admin}, ClusterURI: cmp.Or(at.query, at.kusto), Eventhouse: e.o.Eventhouse,
		Address: e.tenants.address,
	})
	if err := setUpDatabase(context.Background(), e); err != nil {
		return err
	}
	blobs, err := folder(e, "blobs")
	if err != nil {
		return err
	}
	k := &kusto{accounts: storage.New(storage.Options{Now: e.o.Now, Disk: disk.Folder{Dir: blobs, Log: e.o.Log}, Authorize: storageTokens(e)})}
	k.accounts.Add(lakeContainer)
	k.dataManagement, err = datamanagement.New(datamanagement.Options{
		Engine: e.engine, Admin: e.admin, Now: e.o.Now, Batching: e.o.Batching,
		StreamNeedsMapping: e.o.StreamNeedsMapping, Log: e.o.Log,
		Storage: datamanagement.NewAccounts(k.accounts, at.storage, e.o.Now),
		Deliver: func(m datamanagement.Message) ([]datamanagement.Outcome, bool) { return deliveries(e.faults, m) },
	})
	if err != nil {
		return errors.Join(err, k.accounts.Close())
	}
	e.kusto = k
	front := rest.Options{
		Engine: e.engine, DataManagement: k.dataManagement, Authenticate: authenticate(e, at),
		Metadata: rest.Metadata{LoginEndpoint: at.authority, KustoServiceResourceID: KustoResource},
		Recorder: e.o.Record, Now: e.o.Now,
	}
	ingestFront := front
	ingestFront.Ingest = true
	k.ingest = e.faults.Middleware(kustoEndpoint(faults.IngestMgmt), rest.New(ingestFront))
	cluster := e.faults.Middleware(kustoEndpoint(faults.KustoMgmt), rest.New(front))
	// Clients make the ingestion URI by putting "ingest-" before the cluster's
	// host; where such a name leads to the cluster's address, it is meant.
	k.engine = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Host, "ingest-") {
			k.ingest.ServeHTTP(w, r)
			return
		}
		cluster.ServeHTTP(w, r)
	})
	k.storage = e.faults.Middleware(func(r *http.Request) faults.Endpoint {
		return faults.Endpoint(k.accounts.KindOf(r)) // blob, queue and table are names of both
	}, k.accounts)
	return nil
}

// folder is a folder below Options.Dir that Close removes.
func folder(e *Emulator, name string) (string, error) {
	dir, err := os.MkdirTemp(e.o.Dir, name+"-*")
	if err != nil {
		return "", fmt.Errorf("emulator: make a folder in %s: %w", filepath.Clean(e.o.Dir), err)
	}
	e.leftovers = append(e.leftovers, dir)
	return dir, nil
}

func (k *kusto) close() error {
	return errors.Join(k.dataManagement.Close(), k.accounts.Close())
}

// kustoEndpoint says which endpoint of a Kusto service a request is for; mgmt is
// that of its management commands.
func kustoEndpoint(mgmt faults.Endpoint) func(*http.Request) faults.Endpoint {
	return func(r *http.Request) faults.Endpoint {
		switch path := r.URL.Path; {
		case path == "/v1/rest/mgmt":
			return mgmt
		case path == "/v1/rest/query", path == "/v2/rest/query":
			return faults.KustoQuery
		case strings.HasPrefix(path, "/v1/rest/ingest/"):
			return faults.KustoIngest
		case path == "/v1/rest/auth/metadata":
			return faults.KustoAuth
		}
		return ""
	}
}

// deliveries asks the faults what becomes of an ingestion message.
func deliveries(set *faults.Set, m datamanagement.Message) ([]datamanagement.Outcome, bool) {
	outcome, hit := set.Deliver(m.Database, m.Text)
	if !hit {
		return nil, false
	}
	switch outcome.Fate {
	case faults.Lost:
		return nil, true
	case faults.Duplicate:
		return []datamanagement.Outcome{{}, {After: outcome.Delay}}, true
	case faults.Late:
		return []datamanagement.Outcome{{After: outcome.Delay}}, true
	case faults.Transient:
		return []datamanagement.Outcome{{Transient: true}}, true
	case faults.Failed:
		return []datamanagement.Outcome{{Failed: true}}, true
	case faults.Partial:
		part := datamanagement.Outcome{Records: outcome.Records}
		if outcome.Delay == 0 {
			return []datamanagement.Outcome{part}, true
		}
		return []datamanagement.Outcome{part, {After: outcome.Delay}}, true
	}
	return nil, false
}

// hostForm is the prefix of a name below which every storage service has its own
// host.
const hostForm = "{account}.{kind}."

// storageAddress returns the host of storage URLs: the listener's, or the advertised
// name, with the listener's port if it has none.
func storageAddress(advertised, listener string) string {
	if advertised == "" {
		return listener
	}
	if _, _, err := net.SplitHostPort(advertised); err == nil {
		return advertised
	}
	_, port, err := net.SplitHostPort(listener)
	if err != nil {
		return advertised
	}
	return advertised + ":" + port
}

// storageNames are the names that the storage listener needs a certificate for.
func storageNames(advertised string) []string {
	name := strings.TrimPrefix(advertised, hostForm)
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	if name == "" || net.ParseIP(name) != nil {
		return nil
	}
	return []string{strings.ToLower(name)}
}
