//go:build !noemulator

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptTime is how long one script may take. The usual ones take seconds; the rest is for machines that are busy with
// other tests.
const scriptTime = 9 * time.Minute

// reporter is the part of testing.T that a script reports to.
type reporter interface {
	Skip(...any)
	Fatal(...any)
	Log(...any)
	FailNow()
	Failed() bool
}

// oneScript runs the only script of a testscript.RunT as part of the calling test.
type oneScript struct{ reporter }

func (s oneScript) Run(_ string, f func(testscript.T)) { f(s) }
func (s oneScript) Parallel()                          {} // the calling test is parallel
func (s oneScript) Verbose() bool                      { return testing.Verbose() }

// runScript runs one script. A script that takes longer than limit is stopped, and the test says so. The deadline
// counts from the start of this script: under one testscript.Run, all scripts share the deadline of the first.
func runScript(t reporter, file string, p testscript.Params, limit time.Duration) {
	began := time.Now()
	defer func() {
		if t.Failed() && time.Since(began) >= limit {
			t.Log(fmt.Sprintf("The script %s did not end within %s. The command in the line named above was running; it was stopped.", file, limit))
		}
	}()
	// testscript stops a command two periods of grace before the deadline; each is 5 % of the time, at least 0.1 s.
	p.Files, p.Deadline = []string{file}, began.Add(limit*10/9+200*time.Millisecond)
	testscript.RunT(oneScript{t}, p)
}

// quits is the program as scripts start it. testscript sends SIGQUIT to a command whose script has run out of time; the
// runtime would print all goroutines.
func quits(program func()) func() {
	return func() {
		quit := make(chan os.Signal, 1)
		signal.Notify(quit, syscall.SIGQUIT)
		go func() {
			<-quit
			fmt.Fprintln(os.Stderr, "tvmexport: stopped: its script ran out of time")
			os.Exit(128 + int(syscall.SIGQUIT))
		}()
		program()
	}
}

// recorded is a reporter that keeps what is reported.
type recorded struct {
	text   strings.Builder
	failed bool
}

func (r *recorded) Skip(...any)       { runtime.Goexit() }
func (r *recorded) Log(args ...any)   { fmt.Fprintln(&r.text, args...) }
func (r *recorded) Failed() bool      { return r.failed }
func (r *recorded) FailNow()          { r.failed = true; runtime.Goexit() }
func (r *recorded) Fatal(args ...any) { r.Log(args...); r.FailNow() }

// A script that hangs fails with the line that hangs, and says why. A script that ends does not.
func TestScriptDeadline(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		limit time.Duration
		want  []string // nil: the script passes
	}{
		"exec":       {"exec true\nexec sleep 1000\n", time.Second, []string{"script.txtar:2", "timed out", "did not end within 1s"}},
		"exits":      {"exits 0 sleep 1000\n", time.Second, []string{"script.txtar:1", "sleep 1000 was stopped", "did not end within 1s"}},
		"background": {"exec sleep 1000 &\nwait\n", time.Second, []string{"script.txtar:2", "timed out", "did not end within 1s"}},
		"ends":       {"exec true\nexits 1 false\n", time.Hour, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "script.txtar")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var r recorded
			done := make(chan struct{})
			go func() { // FailNow ends a goroutine
				defer close(done)
				runScript(&r, file, testscript.Params{Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": cmdExits}}, c.limit)
			}()
			<-done
			if r.failed != (c.want != nil) {
				t.Errorf("failed is %t", r.failed)
			}
			for _, want := range c.want {
				if !strings.Contains(r.text.String(), want) {
					t.Errorf("the report lacks %q:\n%s", want, r.text.String())
				}
			}
		})
	}
}

// A program that is stopped for its script's time says so in one line.
func TestQuit(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	c := exec.CommandContext(t.Context(), self)
	c.Args = []string{"tvmexport", "emulator", "--devices", "1"}
	c.Stderr = &said
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Errorf("the emulator is not ready: %v", err)
	}
	if err := c.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Error(err)
	}
	_ = c.Wait() // its exit code is that of the signal
	if got := said.String(); got != "tvmexport: stopped: its script ran out of time\n" {
		t.Errorf("stopped, it says %q", got)
	}
}
