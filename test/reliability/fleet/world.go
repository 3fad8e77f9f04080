package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
)

// world is an emulator in a process of its own, and what the program needs to export from it.
type world struct {
	options
	dir      string
	emulator *exec.Cmd
	said     bytes.Buffer // by the emulator, to standard error
	at       emulator.Ready
	client   *http.Client
}

// kinds are the ways in which tenants are unwell.
var kinds = []string{"throttled", "unconsented", "down"}

// newWorld starts the emulator. The last tenants are the ones that will be unwell; the last of
// them have clusters of their own, which can be down.
func newWorld(ctx context.Context, o options) (w *world, err error) {
	if o.tenants <= len(kinds)*o.unwell {
		return nil, fmt.Errorf("%d tenants, of which %d of each kind are unwell, leave none that is well", o.tenants, o.unwell)
	}
	dir, err := os.MkdirTemp("", "tvmexport-fleet-*")
	if err != nil {
		return nil, err
	}
	if o.bin, err = filepath.Abs(o.bin); err != nil { // it runs in another folder
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	w = &world{options: o, dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	args := []string{
		"emulator", "--tenants", fmt.Sprint(o.tenants), "--devices", o.devices, "--cves", fmt.Sprint(o.cves), "--seed", fmt.Sprint(o.seed), "--dir", dir,
	}
	for i := range o.unwell {
		args = append(args, "--own-cluster", w.name(o.tenants-i))
	}
	w.emulator = exec.CommandContext(ctx, o.bin, args...)
	w.emulator.Stderr = &w.said
	out, err := w.emulator.StdoutPipe()
	if err != nil {
		return w, err
	}
	began := time.Now()
	if err := w.emulator.Start(); err != nil {
		w.emulator = nil
		return w, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return w, fmt.Errorf("the emulator does not start: %w: %s", err, w.said.String())
	}
	if err := json.Unmarshal(line, &w.at); err != nil {
		return w, fmt.Errorf("the emulator's line: %w", err)
	}
	fmt.Printf("  %-28s %s\n", "emulator ready", time.Since(began).Round(time.Millisecond))
	if err := w.trust(); err != nil {
		return w, err
	}
	return w, w.configure()
}

// name is the name of the n-th tenant, from 1 on.
func (w *world) name(n int) string { return fmt.Sprintf("t%0*d", len(fmt.Sprint(w.tenants)), n) }

func (w *world) trust() error {
	pem, err := os.ReadFile(w.at.CA)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s has no certificate", w.at.CA)
	}
	w.client = &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	return nil
}

// configure writes the configuration: the emulator's own one with another share and other workers.
func (w *world) configure() error {
	path := filepath.Join(w.dir, "tvmexport.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed := strings.ReplaceAll(string(text), "  share: 1\n", fmt.Sprintf("  share: %v\n", w.share))
	if changed == string(text) && w.share != 1 {
		return fmt.Errorf("%s sets no share", path)
	}
	const ours = "\nfleet:\n"
	if !strings.Contains(changed, ours) {
		changed += ours
	}
	changed = strings.Replace(changed, ours, fmt.Sprintf("%s  workers: %d\n", ours, w.workers), 1)
	// Its first line says that the emulator may overwrite the file.
	_, changed, _ = strings.Cut(changed, "\n")
	return os.WriteFile(path, []byte(changed), 0o600)
}

func (w *world) close() error {
	var errs []error
	if w.emulator != nil {
		errs = append(errs, w.emulator.Process.Signal(os.Interrupt))
		_ = w.emulator.Wait() // it ends by the signal
		if s := w.emulator.ProcessState; s != nil {
			fmt.Printf("  %-28s %s\n", "emulator", usage(s))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

// run carries out the program in the folder of the configuration.
func (w *world) run(ctx context.Context, args ...string) (result, error) {
	before, err := processorTime(w.emulator.Process.Pid)
	if err != nil {
		return result{}, err
	}
	c := exec.CommandContext(ctx, w.bin, args...)
	c.Dir = w.dir
	c.Env = w.env()
	r := result{}
	c.Stdout, c.Stderr = &r.out, &r.log
	began := time.Now()
	err = c.Run()
	r.took = time.Since(began)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return r, err
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	after, err := processorTime(w.emulator.Process.Pid)
	if err != nil {
		return r, err
	}
	r.code, r.cpu, r.emulated = c.ProcessState.ExitCode(), c.ProcessState.UserTime()+c.ProcessState.SystemTime(), after-before
	r.rss = megabytes(c.ProcessState)
	return r, nil
}

// env is the environment of the program.
func (w *world) env() []string {
	return append(os.Environ(), "AZURE_TENANT_ID="+w.at.TenantID, "AZURE_CLIENT_ID="+w.at.ClientID, "AZURE_CLIENT_SECRET="+w.at.ClientSecret, "AZURE_AUTHORITY_HOST="+w.at.Authority)
}

// megabytes is the most memory that a process had.
func megabytes(s *os.ProcessState) float64 {
	u, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return float64(u.Maxrss) / 1024
}

func usage(s *os.ProcessState) string {
	return fmt.Sprintf("%.0f s of processor time, %.0f MB", (s.UserTime() + s.SystemTime()).Seconds(), megabytes(s))
}

// post calls the control API.
func (w *world) post(path string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := w.client.Post(w.at.Control+path, "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return fmt.Errorf("%s: %s: %s", path, answer.Status, said)
	}
	return nil
}

// get reads an answer of the control API.
func (w *world) get(path string, query url.Values, into any) error {
	answer, err := w.client.Get(w.at.Control + path + "?" + query.Encode())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s?%s: %s: %.1000s", path, query.Encode(), answer.Status, body)
	}
	return json.Unmarshal(body, into)
}
