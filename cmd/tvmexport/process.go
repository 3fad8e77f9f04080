package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/pprof"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// process is the surroundings of a command, as values: nothing behind it
// touches package os for arguments, streams or environment.
type process struct {
	args   []string
	stdin  io.Reader // of programs that this one starts; nil: nothing
	stdout io.Writer
	stderr io.Writer
	env    config.Lookup

	environment []string // NAME=VALUE; only config validate goes through it

	flags global

	// Of a configuration with several tenants.
	tenants selection       // that the command line names
	fleet   config.Fleet    // how they share this process
	tenant  *config.Member  // for which the command works; nil: for none or for all together
	shared  *wiring.Clients // of all tenants
	brief   bool            // several tenants share the output: each prints what matters only
	logs    io.Writer       // of the log; nil: stderr

	// instrument makes a client whose requests to a service are counted; nil
	// leaves it as it is.
	instrument func(service string, c *http.Client) *http.Client
}

// global holds the flags that every command has.
type global struct {
	config    string
	logFormat string
	logLevel  string
}

// defaultConfig is read when it is there and no other file was named.
const defaultConfig = "tvmexport.yaml"

// run carries out the command line and returns the exit code.
func (p process) run(ctx context.Context) int {
	ctx, stop := p.signals(ctx)
	defer stop()
	stopProfile, err := p.profile()
	if err != nil {
		fmt.Fprintf(p.stderr, "tvmexport: %v\n", err)
		return exitUsage
	}
	defer stopProfile()
	command, err := execute(ctx, p)
	var stopped *signalled
	switch {
	case err == nil:
		return exitDone
	case errors.As(context.Cause(ctx), &stopped):
		fmt.Fprintf(p.stderr, "tvmexport: %v%s\n", stopped, interruptNotes[command.Name()])
		return 128 + int(stopped.signal)
	}
	var said *reported
	if !errors.As(err, &said) {
		fmt.Fprintf(p.stderr, "tvmexport: %s\n", oneLine(advise(err).Error()))
	}
	return exitCode(err)
}

// execute carries out the command line.
func execute(ctx context.Context, p process) (*cobra.Command, error) {
	out := &output{Writer: p.stdout}
	p.stdout = out
	root := p.root()
	root.SetArgs(p.args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	command, err := root.ExecuteContextC(ctx)
	return command, out.outcome(command, err, p.stderr)
}

// interruptNotes says, for commands that export, what a signal leaves behind.
var interruptNotes = map[string]string{"run": confirmed, "serve": confirmed, "repair": confirmed}

const confirmed = "; confirmed batches are kept, nothing incomplete was published"

// profile writes a CPU profile to the file that TVMEXPORT_CPUPROFILE names.
func (p process) profile() (stop func(), err error) {
	path, ok := p.env("TVMEXPORT_CPUPROFILE")
	if !ok || path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("TVMEXPORT_CPUPROFILE: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, fmt.Errorf("TVMEXPORT_CPUPROFILE: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// oneLine keeps a message on one line, so that it is one sentence in any log.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// root is the command tree.
func (p *process) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tvmexport",
		Short: "Export Defender XDR Advanced Hunting tables to Azure Data Explorer, each row once",
		Long: `tvmexport exports Microsoft Defender XDR Advanced Hunting tables to Azure Data
Explorer or a Fabric Eventhouse: complete, each row once, within Defender's quotas.
The main use is the vulnerability-management (TVM) tables.

tvmexport help quickstart lists all steps to a first export. Results go to standard
output, everything else to standard error; --json prints results as JSON.

Exit codes: 0 done; 1 failed; 2 usage or configuration; 3 partly done, or verify or
reconcile found a difference; 4 sign-in or permission; 5 out of quota or time; 11
another run holds the table; 130 and 143 stopped by a signal.`,
		Example: firstExample + `  tvmexport config example > tvmexport.yaml
  tvmexport init
  tvmexport check
  tvmexport run`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArguments,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate(versionLine() + "\n")
	root.SetFlagErrorFunc(flagError)
	root.SuggestionsMinimumDistance = 2
	flags := root.PersistentFlags()
	flags.Var(&once{value: &p.flags.config}, "config", "configuration `file` (default "+defaultConfig+" if it exists)")
	flags.StringVar(&p.flags.logFormat, "log-format", "text", "`format` of the log on standard error: text or json")
	flags.StringVar(&p.flags.logLevel, "log-level", "warn", "minimum log `level`: debug, info, warn or error")
	root.AddCommand(
		p.demoCommand(),
		p.emulatorCommand(),
		p.initCommand(),
		p.checkCommand(),
		p.importCommand(),
		p.planCommand(),
		p.runCommand(),
		p.serveCommand(),
		p.verifyCommand(),
		reconcileCommand(p),
		p.repairCommand(),
		p.refillCommand(),
		p.statusCommand(),
		p.tablesCommand(),
		onboardCommand(p),
		offboardCommand(p),
		showCommand(p),
		fleetCommand(p),
		p.configCommand(),
		p.versionCommand(),
		p.manCommand(),
	)
	overTenants(p, root)
	arrange(root)
	return root
}

// logger is the log on standard error.
func (p *process) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(p.flags.logLevel)); err != nil {
		return nil, usage(fmt.Errorf("--log-level is %q; it must be debug, info, warn or error", p.flags.logLevel))
	}
	o := &slog.HandlerOptions{Level: level}
	var handler slog.Handler
	switch p.flags.logFormat {
	case "text":
		handler = slog.NewTextHandler(logsTo(p), o)
	case "json":
		handler = slog.NewJSONHandler(logsTo(p), o)
	default:
		return nil, usage(fmt.Errorf("--log-format is %q; it must be text or json", p.flags.logFormat))
	}
	return ofTenant(p, slog.New(handler)), nil
}

// logsTo is where the log is written.
func logsTo(p *process) io.Writer {
	if p.logs != nil {
		return p.logs
	}
	return p.stderr
}

// ofTenant is a log whose records say which tenant they are about.
func ofTenant(p *process, log *slog.Logger) *slog.Logger {
	if p.tenant == nil {
		return log
	}
	return log.With("tenant", p.tenant.Name)
}

// configuration reads the file that was named, or the default one.
func (p *process) configuration() (config.Config, error) {
	c, err := settingsOf(p)
	if err == nil {
		err = wiring.Check(c)
	}
	if err != nil {
		return c, usage(err)
	}
	return c, nil
}

// settingsOf are those of the tenant that the command works for, else those of the file.
func settingsOf(p *process) (config.Config, error) {
	if p.tenant != nil {
		return p.tenant.Config, p.tenant.Err
	}
	return config.File(p.configFile(), p.env)
}

func (p *process) configFile() string {
	if p.flags.config != "" {
		return p.flags.config
	}
	if _, err := os.Stat(defaultConfig); err == nil {
		return defaultConfig
	}
	return ""
}

// printer shows progress on standard error: bars on a terminal, a line per step
// elsewhere, and lines of JSON where the log is JSON.
func (p *process) printer() (progress.Printer, error) {
	if _, err := p.logger(); err != nil {
		return nil, err
	}
	if p.flags.logFormat == "json" {
		return progress.NewLog(ofTenant(p, slog.New(slog.NewJSONHandler(logsTo(p), nil)))), nil
	}
	if p.brief {
		return progress.Silent(), nil
	}
	terminal, width := p.terminal()
	if kind, _ := p.env("TERM"); kind == "dumb" {
		terminal = false
	}
	return progress.New(p.stderr, terminal, width), nil
}

// terminal says whether standard error is one, and how wide it is.
func (p *process) terminal() (bool, int) {
	width := widthOf(p.stderr)
	return width > 0, width
}

// widthOf is the width of the terminal that is written to, 0 if it is none.
func widthOf(w io.Writer) int {
	if o, ok := w.(*output); ok {
		w = o.Writer
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
