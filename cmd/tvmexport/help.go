package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/nearest"
)

// The groups that help lists commands in.
const (
	groupTry  = "try"
	groupSet  = "set"
	groupRun  = "run"
	groupMore = "more"
)

// arrange puts the commands into groups, adds the topics, and lets the shell
// complete names.
func arrange(root *cobra.Command) {
	if withEmulator {
		root.AddGroup(&cobra.Group{ID: groupTry, Title: "Try it, no account needed:"})
	}
	root.AddGroup(
		&cobra.Group{ID: groupSet, Title: "Set up:"},
		&cobra.Group{ID: groupRun, Title: "Export and operate:"},
		&cobra.Group{ID: groupMore, Title: "More:"},
	)
	groups := map[string]string{
		"demo": groupTry, "emulator": groupTry,
		"config": groupSet, "init": groupSet, "check": groupSet, "import": groupSet, "tables": groupSet, "onboard": groupSet, "offboard": groupSet,
		"plan": groupRun, "run": groupRun, "serve": groupRun, "status": groupRun, "verify": groupRun, "reconcile": groupRun, "repair": groupRun, "refill": groupRun, "fleet": groupRun,
	}
	for _, c := range root.Commands() {
		if c.GroupID = groups[c.Name()]; c.GroupID == "" || c.Hidden {
			c.GroupID = groupMore
		}
		completeFlags(c)
	}
	root.SetHelpCommandGroupID(groupMore)
	root.SetCompletionCommandGroupID(groupMore)
	for _, t := range topics {
		root.AddCommand(&cobra.Command{Use: t.name, Short: t.short, Long: t.text})
	}
	_ = root.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp))
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml")
}

// completeFlags completes the names of tables.
func completeFlags(c *cobra.Command) {
	if c.Flags().Lookup("table") != nil {
		_ = c.RegisterFlagCompletionFunc("table", cobra.FixedCompletions(slices.Concat(catalog.Default(), catalog.Offered()), cobra.ShellCompDirectiveNoFileComp))
	}
	if c.Flags().Lookup("roles") != nil {
		_ = c.RegisterFlagCompletionFunc("roles", cobra.FixedCompletions([]string{"database", "table"}, cobra.ShellCompDirectiveNoFileComp))
	}
	if c.Flags().Lookup("quota") != nil {
		_ = c.RegisterFlagCompletionFunc("quota", cobra.FixedCompletions([]string{"documented", "off"}, cobra.ShellCompDirectiveNoFileComp))
	}
}

// topics are pages of help that belong to no command.
var topics = []struct{ name, short, text string }{
	{
		"quickstart", "All steps to a first export",
		`All steps to a first export:

 1. Try it on this machine, no account needed:
        tvmexport demo
 2. Register an application in Entra and grant it ThreatHunting.Read.All on
    Microsoft Graph. Let an administrator of the database run
        .add database ['NAME'] users ('aadapp=APPLICATION;TENANT')
        .add database ['NAME'] ingestors ('aadapp=APPLICATION;TENANT')
 3. Create the configuration, and set kusto.cluster and kusto.database in it:
        tvmexport config example > tvmexport.yaml
        tvmexport config validate
 4. Set the credentials, in the variables of Azure's own tools:
        export AZURE_TENANT_ID=... AZURE_CLIENT_ID=... AZURE_CLIENT_SECRET=...
 5. Initialise the database, and check all requirements:
        tvmexport init
        tvmexport check
 6. Estimate the cost of an export, and run it:
        tvmexport plan
        tvmexport run
 7. Show the state of the export, and verify that no row is lost or duplicated:
        tvmexport status
        tvmexport verify
 8. Export every six hours, or as the key schedule says ("@every 90m"), with a
    status page on http://127.0.0.1:9464/:
        tvmexport serve

If another exporter filled the database before, run tvmexport import before step 5.

Without an account: the emulator emulates Defender, Entra and the database, and
writes the configuration and the credentials of steps 2 to 4:
        tvmexport emulator --dir emulated &
        cd emulated && . ./emulator.env
Continue with step 5.`,
	},
	{
		"exit-codes", "Exit codes and their meaning",
		`  0    done; check: no problems, perhaps warnings
  1    failed
  2    usage or configuration: flags, the file, names of tables;
       reconcile: no pair of tables can be compared
  3    partly done: some tables failed, or they failed for different causes, or
       a committed run has values that do not match the type of their columns, or a
       gap: events that the source no longer has; verify, reconcile: something
       differs
  4    sign-in or permission
  5    out of quota, or waited longer than --max-wait; landed batches are kept for
       the next run
  11   another run holds the lease of the table
  130  stopped by Ctrl-C, 143 by SIGTERM: confirmed batches are kept, nothing
       incomplete was published

If all tables failed for the same cause, the code is that of the cause. Any mixture
is 3. With --json there is one line per table with its result, for every exit code.`,
	},
	{
		"environment", "Environment variables",
		`A variable can set every scalar of the configuration and overrides the file. Its name
is TVMEXPORT_ and the key in capitals, with sections joined by _. In the file,
${NAME} inserts the value of a variable.

    kusto.cluster          TVMEXPORT_KUSTO_CLUSTER
    defender.share         TVMEXPORT_DEFENDER_SHARE

Credentials, with the variable names of azidentity, for the source and, unless
kusto.auth differs, the destination:

    AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_AUTHORITY_HOST
    AZURE_CLIENT_SECRET                    or AZURE_CLIENT_SECRET_FILE
    AZURE_CLIENT_CERTIFICATE_PATH, AZURE_CLIENT_CERTIFICATE_PASSWORD (or _FILE)
    AZURE_FEDERATED_TOKEN_FILE             for workload identity

Secrets, each also as NAME_FILE with the path of a file, or as a key of the
configuration that ends with _file:

    TVMEXPORT_KUSTO_AUTH_CLIENT_SECRET, TVMEXPORT_KUSTO_AUTH_CERTIFICATE_PASSWORD
    TVMEXPORT_PSEUDONYMISATION_KEY, TVMEXPORT_SERVE_TOKEN

Network: HTTPS_PROXY, NO_PROXY; SSL_CERT_FILE, or ca_file in the configuration.

Metrics and traces of serve: the OTEL_ variables of OpenTelemetry.`,
	},
	{
		"load-types", "How tables are exported",
		`The table MigrationConfiguration lists the exported tables and their load types, one
row per table. The newest row of a table counts.

    Snapshot       the current state of the whole table. A run fetches the partitions
                   that changed, and the whole table every snapshots.full_every. Use
                   it for TVM tables, where fixed findings disappear.
    Incr           the rows that are newer than the watermark. Use it for event
                   tables. The WatermarkColumn None means ingestion_time().
    FullThenIncr   (or Full) the whole table once, then as Incr

To set a watermark back, append a row with an older LastRefreshedTime; for a single
run use run --from. To add a table use tables add, to pause it tables pause.`,
	},
}

var unknownFlag = regexp.MustCompile(`^unknown flag: --([^ ]+)`)

// flagError says which flag may have been meant, and where they are listed.
func flagError(c *cobra.Command, err error) error {
	hint := "see " + c.CommandPath() + " --help"
	if m := unknownFlag.FindStringSubmatch(err.Error()); m != nil {
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		if near := nearest.Of(m[1], known, len(m[1])/2); near != "" {
			hint = "did you mean --" + near + "?"
		}
	}
	return usage(fmt.Errorf("%w; %s", err, hint))
}

// noArguments is cobra.NoArgs as a usage error that says what may have been meant.
func noArguments(c *cobra.Command, args []string) error {
	err := cobra.NoArgs(c, args)
	if err == nil {
		return nil
	}
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return usage(fmt.Errorf("%w; did you mean %s?", err, strings.Join(near, " or ")))
	}
	if c.HasSubCommands() {
		return usage(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
	}
	hint := "see " + c.CommandPath() + " --help"
	if c.Flags().Lookup("table") != nil {
		hint = "--table names a table"
	}
	return usage(fmt.Errorf("%s takes no arguments, but %q was given; %s", c.CommandPath(), args[0], hint))
}
