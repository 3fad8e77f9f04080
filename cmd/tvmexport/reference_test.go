package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "write docs/reference")

// referenceFolder has the pages that TestReference makes.
var referenceFolder = filepath.Join("..", "..", "docs", "reference")

// generated is the last line of each page.
const generated = "\n<!-- generated from the program: make reference -->\n"

// TestReference compares the reference pages of the documentation with what the program
// says of its commands, configuration, metrics, tables and errors. With -update it writes them.
func TestReference(t *testing.T) {
	pages := map[string]string{
		"configuration.md": configurationPage(t), "environment.md": topicReference("environment", "Environment variables"),
		"exit-codes.md": exitCodesPage(), "load-types.md": topicReference("load-types", "Load types"),
		"metrics.md": metricsPage(), "tables.md": tablesPage(),
	}
	root := tree()
	commands := []*cobra.Command{}
	for _, c := range root.Commands() {
		if !c.Hidden && !c.IsAdditionalHelpTopicCommand() && c.Name() != "help" {
			commands = append(commands, c)
			pages[filepath.Join("commands", c.Name()+".md")] = commandPage(c)
		}
	}
	pages[filepath.Join("commands", "index.md")] = commandsPage(root, commands)
	if *update {
		if err := os.RemoveAll(referenceFolder); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range pages {
		path := filepath.Join(referenceFolder, name)
		if text += generated; *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // a page of the documentation
				t.Fatal(err)
			}
			continue
		}
		there, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		} else if d := cmp.Diff(string(there), text); d != "" {
			t.Errorf("docs/reference/%s differs from the program; make reference writes it (-page +program)\n%s", name, d)
		}
	}
	for _, pattern := range []string{"*.md", "commands/*.md"} {
		files, err := filepath.Glob(filepath.Join(referenceFolder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			name, err := filepath.Rel(referenceFolder, f)
			if err != nil {
				t.Fatal(err)
			}
			if pages[name] == "" {
				t.Errorf("docs/reference/%s is about nothing that the program has; make reference removes it", name)
			}
		}
	}
}

// commandsPage lists the commands in the groups of help.
func commandsPage(root *cobra.Command, commands []*cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\n" + prose(root.Long) + "\n")
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| command | meaning |\n|---|---|\n", strings.TrimSuffix(g.Title, ":"))
		for _, c := range commands {
			if c.GroupID == g.ID {
				fmt.Fprintf(&b, "| [`%s`](%s.md) | %s |\n", c.Name(), c.Name(), cell(c.Short))
			}
		}
	}
	b.WriteString("\n## Flags of all commands\n\n")
	b.WriteString(flagTable(root.PersistentFlags()))
	b.WriteString("\nCommands end with an [exit code](../exit-codes.md).\n")
	return b.String()
}

// commandPage is the help of a command and of its subcommands.
func commandPage(c *cobra.Command) string {
	var b strings.Builder
	describeCommand(&b, c, "#")
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			b.WriteString("\n")
			describeCommand(&b, sub, "##")
		}
	}
	b.WriteString("\n[All commands](index.md) · [Flags of all commands](index.md#flags-of-all-commands) · [Exit codes](../exit-codes.md)\n")
	return b.String()
}

func describeCommand(b *strings.Builder, c *cobra.Command, heading string) {
	fmt.Fprintf(b, "%s %s\n\n%s.\n\n```\n%s\n```\n\n%s\n", heading, c.CommandPath(), cell(c.Short), c.UseLine(), prose(c.Long))
	if table := flagTable(c.LocalNonPersistentFlags()); table != "" {
		fmt.Fprintf(b, "\n**Flags**\n\n%s", table)
	}
	if table := flagTable(c.PersistentFlags()); table != "" && c.HasParent() {
		fmt.Fprintf(b, "\n**Flags, also of its subcommands**\n\n%s", table)
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n**Examples**\n\n%s\n", fenced(c.Example))
	}
}

// flagTable has a row for each flag; it is "" without flags.
func flagTable(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, text := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			name += " " + value
		}
		given := f.DefValue
		if slices.Contains([]string{"", "false", "[]", "0", "0s"}, given) {
			given = ""
		} else {
			given = "`" + given + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, given, cell(text))
	})
	if b.Len() == 0 {
		return ""
	}
	return "| flag | default | meaning |\n|---|---|---|\n" + b.String()
}

// topicReference is a topic of help as a page.
func topicReference(name, title string) string {
	for _, t := range topics {
		if t.name == name {
			return "# " + title + "\n\n" + fenced(t.text) + "\n"
		}
	}
	return ""
}

// prose is text of help as Markdown: what is indented in it stays as it is.
func prose(text string) string {
	var out bytes.Buffer
	block := []string{}
	flush := func() {
		for len(block) > 0 && block[len(block)-1] == "" {
			block = block[:len(block)-1]
		}
		if len(block) > 0 {
			out.WriteString("\n" + fenced(strings.Join(block, "\n")) + "\n\n")
		}
		block = nil
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		indented := strings.HasPrefix(line, "  ")
		if indented || line == "" && len(block) > 0 {
			block = append(block, line)
			continue
		}
		flush()
		out.WriteString(escape(line) + "\n")
	}
	flush()
	return strings.ReplaceAll(strings.TrimSpace(out.String()), "\n\n\n", "\n\n")
}

// fenced is text whose lines stay as they are, without the indentation that they share.
func fenced(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	shared := -1
	for _, l := range lines {
		if n := len(l) - len(strings.TrimLeft(l, " ")); l != "" && (shared < 0 || n < shared) {
			shared = n
		}
	}
	for i, l := range lines {
		if l != "" {
			lines[i] = l[shared:]
		}
	}
	return "```text\n" + strings.Join(lines, "\n") + "\n```"
}

// escape keeps Markdown from reading text as markup.
func escape(text string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "[", `\[`).Replace(text)
}

// cell is text in a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(escape(text), "|", `\|`), "\n", " ")
}
