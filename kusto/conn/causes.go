package conn

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// InitHint is the command that creates what a source table needs in the
// database; "" is for the tables that all source tables share.
func InitHint(table string) string {
	if table == "" {
		return "run tvmexport init"
	}
	return "run tvmexport init --table " + table
}

// named is a cause that the service names in its message.
type named struct {
	words []string // lower case; any one of them in the code or the message
	cause tvmexport.Cause
	hint  string
}

// namedCauses are the causes whose fix does not follow from the status. The
// words are those of the service
// (https://learn.microsoft.com/azure/data-explorer/error-codes) and of
// published answers.
var namedCauses = []named{
	{
		[]string{"update policy", "updatepolicy"},
		tvmexport.Rejected,
		"the update policy of another table reads this table and fails, so each ingestion fails: fix its query or disable it (.show table TARGET policy update; .alter table TARGET policy update)",
	},
	{
		[]string{"from this service endpoint", "admincommandwrongendpoint", "wrong endpoint"},
		tvmexport.Usage,
		"kusto.ingest and kusto.cluster are two addresses: kusto.ingest is the ingestion URI (https://ingest-...), kusto.cluster the query URI, both on the cluster's page in the portal",
	},
	{
		[]string{"already exists", "alreadyexists"},
		tvmexport.Rejected,
		"another table, function or view already has this name: rename it, or set functions.prefix if it is the name of a read function",
	},
}

// CauseNamed finds the cause that a text of the service names, and how it is fixed.
func CauseNamed(text string) (cause tvmexport.Cause, hint string, ok bool) {
	text = strings.ToLower(text)
	for _, n := range namedCauses {
		for _, w := range n.words {
			if strings.Contains(text, w) {
				return n.cause, n.hint, true
			}
		}
	}
	return 0, "", false
}

// sortUpload recognises an upload that found no host: where a cluster has
// private endpoints, the storage accounts of its ingestion service have their
// own DNS zones.
func sortUpload(out *tvmexport.Error, err error) bool {
	var dns *net.DNSError
	if !errors.Is(err, ErrUpload) || !errors.As(err, &dns) {
		return false
	}
	out.Err = fmt.Errorf("%w: the storage host %s of the ingestion service does not resolve", ErrUpload, dns.Name)
	out.Hint = "on a private network, link the private DNS zones of blob and queue storage to it, or let this machine resolve public names; tvmexport check lists the hosts"
	if dns.IsNotFound {
		out.Cause = tvmexport.Usage
	} else {
		out.Action = tvmexport.Retry
	}
	return true
}

// noHost is the hint for a cluster host that does not resolve.
const noHost = "copy the URI from the cluster's page in the portal; if it is right, the cluster may be stopped or deleted, or only its private network knows the name"

// noAnswer is the hint for a cluster that accepts no connection.
const noAnswer = "check that the cluster runs (a stopped or suspended cluster does not answer), then the network, the proxy and the firewall"

// serviceDomains are the suffixes of cluster hosts whose ingestion service has
// an address of its own (https://learn.microsoft.com/kusto/api/connection-strings/kusto).
var serviceDomains = []string{".kusto.windows.net", ".kusto.fabric.microsoft.com", ".kusto.azure.com", ".kusto.usgovcloudapi.net", ".kusto.chinacloudapi.cn", ".kusto.azure.us"}

// checkAddresses refuses a query URI that is an ingestion URI, and the reverse,
// where the host names tell.
func checkAddresses(cluster, ingest string) error {
	host := func(uri string) string {
		u, err := url.Parse(uri)
		if err != nil {
			return ""
		}
		return u.Hostname()
	}
	service := func(h string) bool {
		for _, d := range serviceDomains {
			if strings.HasSuffix(h, d) {
				return true
			}
		}
		return false
	}
	c, i := host(cluster), host(ingest)
	switch {
	case service(c) && strings.HasPrefix(c, "ingest-"):
		return UsageError("connect", "", fmt.Errorf("kusto.cluster %s is an ingestion URI; the query URI is %s", cluster, strings.Replace(cluster, "://ingest-", "://", 1)))
	case service(i) && !strings.HasPrefix(i, "ingest-"):
		return UsageError("connect", "", fmt.Errorf("kusto.ingest %s is a query URI; the ingestion URI is %s", ingest, strings.Replace(ingest, "://", "://ingest-", 1)))
	}
	return nil
}
