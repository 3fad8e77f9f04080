package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
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
	root.AddGroup(
		&cobra.Group{ID: groupTry, Title: "Try it, no account needed:"},
		&cobra.Group{ID: groupSet, Title: "Set it up:"},
		&cobra.Group{ID: groupRun, Title: "Export, and look after it:"},
		&cobra.Group{ID: groupMore, Title: "More:"},
	)
	groups := map[string]string{
		"demo": groupTry, "emulator": groupTry,
		"config": groupSet, "init": groupSet, "check": groupSet, "import": groupSet, "tables": groupSet,
		"plan": groupRun, "run": groupRun, "serve": groupRun, "status": groupRun, "verify": groupRun, "repair": groupRun, "refill": groupRun,
	}
	for _, c := range root.Commands() {
		if c.GroupID = groups[c.Name()]; c.GroupID == "" {
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
	if c.Flags().Lookup("quota") != nil {
		_ = c.RegisterFlagCompletionFunc("quota", cobra.FixedCompletions([]string{"documented", "off"}, cobra.ShellCompDirectiveNoFileComp))
	}
}

// topics are pages of help that belong to no command.
var topics = []struct{ name, short, text string }{
	{
		"quickstart", "From nothing to a first export, step by step",
		`From nothing to a first export:

 1. See it work on this machine, no account needed:
        tvmexport demo
 2. Register an application in Entra, grant it ThreatHunting.Read.All on Microsoft
    Graph, and let an administrator of the database run
        .add database ['NAME'] users ('aadapp=APPLICATION;TENANT')
        .add database ['NAME'] ingestors ('aadapp=APPLICATION;TENANT')
 3. Write the configuration, and set kusto.cluster and kusto.database in it:
        tvmexport config example > tvmexport.yaml
        tvmexport config validate
 4. Sign in by the names that Azure's tools use:
        export AZURE_TENANT_ID=... AZURE_CLIENT_ID=... AZURE_CLIENT_SECRET=...
 5. Create what is missing in the database, and see what else is:
        tvmexport init
        tvmexport check
 6. See what an export will cost, and make it:
        tvmexport plan
        tvmexport run
 7. See how far it is, and that nothing is lost or doubled:
        tvmexport status
        tvmexport verify
 8. Let it run every six hours, or as the key schedule says ("@every 90m"), with a
    status page on http://127.0.0.1:9464/:
        tvmexport serve

Where another exporter has filled the database before, tvmexport import goes
before step 5.

The same without an account: the emulator stands in for Defender, Entra and the
database, and writes the configuration and the sign-in of steps 2 to 4:
        tvmexport emulator --dir emulated &
        cd emulated && . ./emulator.env
Go on with step 5.`,
	},
	{
		"exit-codes", "What the exit codes mean",
		`  0    done; check: all is well, perhaps with warnings
  1    failed
  2    usage or configuration: flags, the file, names of tables
  3    partly done: some tables failed, or they failed for different causes, or
       a committed run has values that do not fit their columns;
       verify: something differs
  4    sign-in or permission
  5    out of quota, or out of the time that --max-wait gives; what has landed is
       kept for the next run
  11   another run holds the table
  130  stopped by Ctrl-C, 143 by SIGTERM: what was confirmed is kept, nothing
       incomplete was published

If all tables failed for one cause, the code is that cause's; any mixture is 3.
With --json each line says what happened to one table, whatever the code.`,
	},
	{
		"environment", "Variables that are read",
		`Every scalar of the configuration can be given by a variable, which goes over the
file: TVMEXPORT_ and the key in capitals, sections joined by _. In the file, ${NAME}
stands for a variable.

    kusto.cluster          TVMEXPORT_KUSTO_CLUSTER
    defender.share         TVMEXPORT_DEFENDER_SHARE

Sign-in, by the names of azidentity, for the source and, unless kusto.auth differs,
the destination:

    AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_AUTHORITY_HOST
    AZURE_CLIENT_SECRET                    or AZURE_CLIENT_SECRET_FILE
    AZURE_CLIENT_CERTIFICATE_PATH, AZURE_CLIENT_CERTIFICATE_PASSWORD (or _FILE)
    AZURE_FEDERATED_TOKEN_FILE             for workload identity

Secrets of the configuration, each also as NAME_FILE, which names a file:

    TVMEXPORT_KUSTO_AUTH_CLIENT_SECRET, TVMEXPORT_KUSTO_AUTH_CERTIFICATE_PASSWORD
    TVMEXPORT_PSEUDONYMISATION_KEY

The network: HTTPS_PROXY, NO_PROXY; SSL_CERT_FILE, or ca_file in the configuration.`,
	},
	{
		"load-types", "How tables are brought forward",
		`Which tables are exported, and how, stands in the table MigrationConfiguration, one
row for each; the newest row of a table counts.

    Snapshot       the state of the whole table. A run fetches the parts that have
                   changed, and all of it every snapshots.full_every. Right for TVM
                   tables, where what was mended just vanishes.
    Incr           what the watermark column has passed since the last run. Right
                   for event tables. None as WatermarkColumn is ingestion_time().
    FullThenIncr   (or Full) everything once, then as Incr

A watermark is set back by appending a row with another LastRefreshedTime, or for
one run by run --from; a table is paused by a row with IsActive = false.`,
	},
}

// manCommand writes manual pages. It is for packagers, and not listed.
func (p *process) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write the manual pages into a folder",
		Example: "  tvmexport man /usr/local/share/man/man1",
		Hidden:  true,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(fmt.Errorf("man takes the folder to write to, and nothing else"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "tvmexport " + version, Manual: "tvmexport"}, args[0])
		},
	}
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
	return usage(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
}
