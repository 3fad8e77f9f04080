package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// illness is what the page says of a tenant that is unwell: one of the states, and a part of the reason.
type illness struct {
	states []string
	reason *regexp.Regexp
}

// illnesses are what the page says of each kind. A tenant that throttles waits until the export is given up.
var illnesses = map[string]illness{
	"throttled":   {[]string{"waiting", "failing"}, regexp.MustCompile(`(?i)throttle|quota`)},
	"unconsented": {[]string{"failing"}, regexp.MustCompile(`AADSTS7000229`)},
	"down":        {[]string{"failing"}, regexp.MustCompile(`connection refused`)},
}

// pageTime is how long serve may take until its page says of each tenant what there is to say.
const pageTime = 10 * time.Minute

// checkPage starts serve and checks its page over all tenants: those that are unwell come first, each with
// its state and the reason, and the others are fresh.
func (w *world) checkPage(ctx context.Context, sick patients) (err error) {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	c := exec.Command(w.bin, "serve", "--listen", "127.0.0.1:0", "--max-wait", w.maxWait.String())
	c.Dir, c.Env = w.dir, w.env()
	var log bytes.Buffer
	c.Stderr = &log
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	defer func() {
		_ = c.Process.Signal(syscall.SIGTERM) // what has ended already needs none
		_ = c.Wait()                          // it ends by the signal
		if code := c.ProcessState.ExitCode(); err == nil && code != 143 {
			err = fmt.Errorf("serve ends with %d after SIGTERM, want 143: %.2000s", code, log.String())
		}
		fmt.Printf("  %-28s %s\n", "serve", usage(c.ProcessState))
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("serve does not start: %w: %s", err, log.String())
	}
	url := strings.TrimSpace(strings.TrimPrefix(line, "status page: "))
	began := time.Now()
	for {
		wrong, took, err := w.look(ctx, url, sick)
		switch {
		case err != nil:
			return err
		case len(wrong) == 0:
			fmt.Printf("  %-28s complete %s after the start; read in %s; %d unwell tenants first, each with its reason\n",
				"status page", time.Since(began).Round(time.Second), took.Round(time.Millisecond), len(sick))
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the page is wrong about %d tenants after %s: %s", len(wrong), pageTime, strings.Join(wrong[:min(len(wrong), mostShown)], "; "))
		case <-time.After(time.Second):
		}
	}
}

// look reads the page, worst first, and returns what is not as it should be.
func (w *world) look(ctx context.Context, url string, sick patients) (wrong []string, took time.Duration, err error) {
	began := time.Now()
	text, err := read(ctx, url)
	if err != nil {
		return nil, 0, err
	}
	took = time.Since(began)
	shown := rowsOf(text)
	if len(shown) < min(w.tenants, len(sick)+1) {
		return nil, took, fmt.Errorf("the page has %d tenants: %.1000s", len(shown), text)
	}
	for i, row := range shown {
		kind := sick[row.name]
		want := illnesses[kind]
		switch {
		case kind == "" && row.state != "fresh":
			wrong = append(wrong, fmt.Sprintf("%s is well and %s (%s)", row.name, row.state, row.reason))
		case kind != "" && (!slices.Contains(want.states, row.state) || !want.reason.MatchString(row.reason)):
			wrong = append(wrong, fmt.Sprintf("%s is %s, and the page says %s: %s", row.name, kind, row.state, row.reason))
		case kind != "" && i >= len(sick):
			wrong = append(wrong, fmt.Sprintf("%s is %s and behind a tenant that is well", row.name, kind))
		}
	}
	if fresh := freshCount.FindStringSubmatch(text); fresh == nil || strings.ReplaceAll(fresh[1], ",", "") != fmt.Sprint(w.tenants-len(sick)) {
		wrong = append(wrong, fmt.Sprintf("the number of fresh tenants is %q", fresh))
	}
	return wrong, took, nil
}

// pageRow is a row of the page over all tenants.
type pageRow struct{ name, state, reason string }

var (
	tenantRow  = regexp.MustCompile(`(?s)<tr role="row"><th role="rowheader".*?</tr>`)
	rowName    = regexp.MustCompile(`id="t-([^"]+)"`)
	rowState   = regexp.MustCompile(`class="badge ([a-z]+)"`)
	rowReason  = regexp.MustCompile(`(?s)data-label="Reason">(.*?)</td>`)
	tag        = regexp.MustCompile(`<[^>]*>`)
	freshCount = regexp.MustCompile(`id="s-fresh"[^>]*><b>([^<]*)</b>`)
)

func rowsOf(page string) []pageRow {
	var out []pageRow
	for _, row := range tenantRow.FindAllString(page, -1) {
		part := func(x *regexp.Regexp) string {
			if m := x.FindStringSubmatch(row); m != nil {
				return html.UnescapeString(tag.ReplaceAllString(m[1], ""))
			}
			return ""
		}
		out = append(out, pageRow{part(rowName), part(rowState), part(rowReason)})
	}
	return out
}

// read reads a page of serve.
func read(ctx context.Context, url string) (text string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", fmt.Errorf("the status page: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the status page: %s: %.1000s", answer.Status, body)
	}
	return string(body), err
}
