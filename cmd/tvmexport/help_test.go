package main

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func tree() *cobra.Command {
	p := &process{stdout: io.Discard, stderr: io.Discard, env: func(string) (string, bool) { return "", false }}
	return p.root()
}

// each visits the commands that people see.
func each(c *cobra.Command, visit func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		if sub.Hidden || sub.IsAdditionalHelpTopicCommand() {
			continue
		}
		visit(sub)
		each(sub, visit)
	}
}

func TestEveryCommandTeaches(t *testing.T) {
	root := tree()
	each(root, func(c *cobra.Command) {
		if c.Short == "" || c.Example == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short %q, example %q", c.CommandPath(), c.Short, c.Example)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s is not explained", c.CommandPath(), f.Name)
			}
			if name, _ := pflag.UnquoteUsage(f); strings.HasPrefix(name, "string") {
				t.Errorf("%s --%s %s: quote the word of its usage that names the value", c.CommandPath(), f.Name, name)
			}
		})
		tried(t, c.CommandPath(), c.Example)
	})
	tried(t, "tvmexport", root.Example)
	for _, topic := range topics {
		tried(t, topic.name, topic.text)
	}
}

// tried compares the examples of help with the existing commands and flags.
func tried(t *testing.T, where, text string) {
	t.Helper()
	lines := regexp.MustCompile(`(?m)^\s*(tvmexport .*)$`).FindAllStringSubmatch(text, -1)
	for _, m := range lines {
		line, _, _ := strings.Cut(m[1], "#")
		line, _, _ = strings.Cut(line, ">")
		line, _, _ = strings.Cut(line, "|")
		line, _, _ = strings.Cut(line, "&")
		args := strings.Fields(line)[1:]
		c, rest, err := tree().Find(args)
		if err != nil {
			t.Errorf("%s shows %q: %v", where, m[1], err)
			continue
		}
		if err := c.ParseFlags(rest); err != nil {
			t.Errorf("%s shows %q: %v", where, m[1], err)
		}
		if err := c.ValidateArgs(c.Flags().Args()); err != nil {
			t.Errorf("%s shows %q: %v", where, m[1], err)
		}
	}
}
