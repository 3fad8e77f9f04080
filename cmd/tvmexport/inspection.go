package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/onboard"
	"github.com/tvmexport/tvmexport/internal/preflight"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/internal/signin"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// inspection is what check learns as it goes.
type inspection struct {
	parts *parts
	p     *process
	flags checkFlags
	api   hunting.API

	sink   wiring.LazyCredential
	single bool // one credential for both sides

	source *hunting.Client
	who    signin.Identity // to Defender
	writer signin.Identity // to Kusto

	made    bool // init has been here
	orders  []tvmexport.Order
	tables  []tvmexport.Table // to look at
	unknown map[string]bool   // tables that the source does not have
	todo    int               // commands that init would still carry out
}

// inspection prepares the checks of a valid configuration. It makes no call.
func (p *process) inspection(ctx context.Context, c config.Config, f checkFlags) (*inspection, error) {
	x, err := p.open(ctx, c)
	if err != nil {
		return nil, err
	}
	s, err := p.setup(c)
	if err != nil {
		return nil, err
	}
	i := &inspection{parts: x, p: p, flags: f, api: hunting.API(c.Defender.API), unknown: map[string]bool{}}
	i.parts.Defender, i.sink = s.SignIn(x.Cloud, x.Client)
	_, _, i.single = s.Auth(x.Cloud)
	return i, nil
}

// The names of checks that others build on.
const (
	reachEntra, reachDefender, reachCluster, reachIngest = "network of Entra", "network of Defender", "network of the cluster", "network of ingestion"

	signInDefender, signInKusto = "sign-in to Defender", "sign-in to Kusto"
	permission, host, ingestion = "permission", "kusto host", "kusto ingestion host"
	database, setUp, shapes     = "database", "set-up", "destination tables"
	storedShape, sourceTables   = "stored shape", "source tables"
	appendRows, storage, probe  = "role ingestors", "storage", "end to end"
)

func (i *inspection) checks() []preflight.Check {
	kustoSignIn := preflight.Check{Name: signInKusto, Needs: []string{host}, Unless: []string{reachEntra}, Do: i.signInKusto}
	if i.single {
		kustoSignIn.Unless = append(kustoSignIn.Unless, signInDefender)
	}
	if i.parts.Lake != nil {
		return lakeChecks(i)
	}
	return []preflight.Check{
		{Name: "endpoint", Do: i.legacy},
		{Name: "network", Do: i.network},
		{Name: signInDefender, Needs: []string{reachEntra}, Do: i.signInDefender},
		{Name: host, Unless: []string{reachCluster}, Do: i.host},
		kustoSignIn,
		{Name: database, Needs: []string{host, signInKusto}, Unless: []string{reachCluster}, Do: i.database},
		{Name: "tenant", Needs: []string{signInDefender, database}, Do: i.tenant},
		{Name: storedShape, Needs: []string{database}, Do: i.storedShape},
		{Name: setUp, Needs: []string{database}, Do: i.setUp},
		{Name: "load types", Needs: []string{database, setUp}, Do: i.loadTypes},
		{Name: permission, Needs: []string{signInDefender}, Do: i.permission},
		{Name: sourceTables, Needs: []string{permission}, Unless: []string{reachDefender}, Do: i.sourceTables},
		{Name: sourceTables, Needs: []string{signInDefender}, Do: i.exportedTables},
		{Name: shapes, Needs: []string{database, setUp, storedShape}, Do: i.destinationTables},
		{Name: appendRows, Needs: []string{database, setUp}, Do: i.ingestor},
		{Name: storage, Needs: []string{signInKusto}, Unless: []string{reachIngest, ingestion}, Do: i.storage},
		{Name: probe, Needs: []string{database, storage, storedShape}, Do: i.probe},
	}
}

// legacy warns of a front end that ends.
func (i *inspection) legacy(context.Context) preflight.Result {
	last := i.api.LastDay()
	if last.IsZero() {
		return preflight.Found(preflight.Good(string(i.api), "Microsoft Graph, the supported API"))
	}
	f := preflight.Finding{
		About: string(i.api), Status: preflight.Warning,
		Text: fmt.Sprintf("a legacy API, which stops on %s", last.Format(time.DateOnly)),
		Fix:  "set defender.api: graph, and grant the application " + granted(hunting.Graph.Permission()),
	}
	if time.Now().After(last.AddDate(0, 0, 1)) {
		f.Status, f.Cause = preflight.Broken, tvmexport.Usage
	}
	return preflight.Found(f)
}

func granted(p hunting.Permission) string { return p.Role + " on " + p.Service }

// network dials every host that is known from the configuration.
func (i *inspection) network(ctx context.Context) preflight.Result {
	c := i.parts.Config
	auth, kusto, _ := i.p.auth(c, i.parts.Cloud)
	if i.parts.Lake != nil {
		return preflight.Found(preflight.Reach(ctx, i.parts.Client, []preflight.Place{
			{Name: reachEntra, Setting: "auth.authority", URL: auth.Authority},
			{Name: reachDefender, Setting: "defender.endpoint", URL: cmp.Or(c.Defender.Endpoint, i.parts.Cloud.Endpoint(i.api))},
		})...)
	}
	cluster, ingest := i.parts.Destination.Inspect().Addresses()
	places := []preflight.Place{
		{Name: reachEntra, Setting: "auth.authority", URL: auth.Authority},
		{Name: reachDefender, Setting: "defender.endpoint", URL: cmp.Or(c.Defender.Endpoint, i.parts.Cloud.Endpoint(i.api))},
		{Name: reachCluster, Setting: "kusto.cluster", URL: cluster},
	}
	if kusto.Authority != auth.Authority {
		places = append(places, preflight.Place{Name: reachEntra, Setting: "kusto.auth.authority", URL: kusto.Authority})
	}
	if ingest != cluster {
		places = append(places, preflight.Place{Name: reachIngest, Setting: "kusto.ingest", URL: ingest})
	}
	return preflight.Found(preflight.Reach(ctx, i.parts.Client, places)...)
}

func (i *inspection) signInDefender(ctx context.Context) preflight.Result {
	credential, err := i.parts.Defender()
	if err == nil {
		i.who, err = credential.Identify(ctx, i.parts.Cloud.Scope(i.api))
	}
	if err != nil {
		return preflight.Found(preflight.Bad("", err, i.firstConsent(err)))
	}
	return preflight.Found(preflight.Good("", "%s", identity(i.who)))
}

func (i *inspection) signInKusto(ctx context.Context) preflight.Result {
	scope, err := i.parts.Destination.Inspect().Scope(ctx)
	if err != nil {
		return preflight.Found(preflight.Bad("", err, ""))
	}
	credential, err := i.sink()
	if err == nil {
		i.writer, err = credential.Identify(ctx, scope)
	}
	if err != nil {
		return preflight.Found(preflight.Bad("", err, ""))
	}
	return preflight.Found(preflight.Good("", "%s", identity(i.writer)))
}

// identity says whose token it is.
func identity(who signin.Identity) string {
	if len(who.Scopes) > 0 {
		return fmt.Sprintf("user %s of tenant %s", who.ObjectID, who.TenantID)
	}
	name := who.AppID
	if who.Name != "" {
		name = who.Name + " (" + name + ")"
	}
	return fmt.Sprintf("application %s of tenant %s", name, who.TenantID)
}

// principal is how Kusto's commands name an identity
// (https://learn.microsoft.com/kusto/management/reference-security-principals).
func principal(who signin.Identity) string {
	if len(who.Scopes) > 0 {
		return "aaduser=" + who.ObjectID + ";" + who.TenantID
	}
	return "aadapp=" + who.AppID + ";" + who.TenantID
}

// permission looks for the application permission of hunting in the token, unless only
// tables of the export assessment APIs are exported.
func (i *inspection) permission(context.Context) preflight.Result {
	need := i.api.Permission()
	tables, err := i.chosenTables()
	if hunted, _ := byHunting(tables); err == nil && len(tables) > 0 && len(hunted) == 0 {
		return preflight.Found(preflight.Good(need.Role, "not needed: no table of Advanced Hunting is exported"))
	}
	return preflight.Found(i.permissionOf(i.who, need))
}

// permissionOf looks for an application permission in a token.
func (i *inspection) permissionOf(who signin.Identity, need hunting.Permission) preflight.Finding {
	held := who.Roles
	if len(who.Scopes) > 0 {
		held = who.Scopes
	}
	if slices.Contains(held, need.Role) {
		return preflight.Good(need.Role, "granted on %s", need.Service)
	}
	return preflight.Finding{
		About: need.Role, Status: preflight.Broken, Cause: tvmexport.Permission,
		Text: fmt.Sprintf("the token for %s lacks the application permission; it has: %s", need.Service, list(held)),
		Fix:  i.consent(who, need),
	}
}

// notConsented are Entra's numbers for an application that nobody in the tenant has
// consented to. AADSTS700016 and AADSTS65001 are documented
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes); AADSTS7000229 is
// what users report for multi-tenant applications.
var notConsented = []string{"AADSTS7000229", "AADSTS700016", "AADSTS65001"}

// firstConsent is what a customer has to do whose tenant does not know the application; "" for other
// reasons.
func (i *inspection) firstConsent(err error) string {
	if i.p.tenant == nil || !slices.ContainsFunc(notConsented, func(n string) bool { return strings.Contains(err.Error(), n) }) {
		return ""
	}
	return "an administrator of the customer opens " + customerOf(i.p, i.parts.Config, i.parts.Cloud).ConsentURL()
}

// consent is how the application gets a permission. In a fleet, its registration is in
// another tenant than the one whose administrator consents.
func (i *inspection) consent(who signin.Identity, need hunting.Permission) string {
	if i.p.tenant != nil {
		c := customerOf(i.p, i.parts.Config, i.parts.Cloud)
		return fmt.Sprintf("let an administrator of the customer consent again on %s; before that, the application's registration must request %s: %s",
			c.ConsentURL(), need.Role, c.Registration([]onboard.Role{{Name: need.Role, Service: need.Service, ServiceID: need.ServiceID}})[0])
	}
	return fmt.Sprintf("in the Entra admin centre: App registrations, %s, API permissions, Add a permission, %s, Application permissions, %s, then Grant admin consent; or: "+
		"az ad app permission add --id %s --api %s --api-permissions $(az ad sp show --id %s --query \"appRoles[?value=='%s'].id\" -o tsv)=Role && az ad app permission admin-consent --id %s",
		who.AppID, need.Service, need.Role, who.AppID, need.ServiceID, need.ServiceID, need.Role, who.AppID)
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	out := names[0]
	for _, n := range names[1:] {
		out += ", " + n
	}
	return out
}

// shareQuota is that of the process, once init has made the ledger. Whether rows can be
// added to it is a check of its own.
func (i *inspection) shareQuota(ctx context.Context) (record func()) {
	nothing := func() {}
	if !i.made {
		return nothing
	}
	note, err := i.parts.Exporter(i.source, progress.Silent()).ShareQuota(ctx)
	if err != nil {
		return nothing
	}
	return func() { _ = noted(ctx, note) }
}

// openSource makes the source once.
func (i *inspection) openSource(ctx context.Context) error {
	if i.source != nil {
		return nil
	}
	var err error
	i.source, err = i.parts.Source(ctx, i.flags.maxWait, progress.New(io.Discard, false, 0))
	return err
}
