package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes manual pages: one of section 1 for each command, and one of
// section 7 for each topic of help.
func (p *process) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages to a directory",
		Long: `man writes a manual page for each command (section 1) and for each help topic
(section 7) to a directory.`,
		Example: "  tvmexport man man && man ./man/tvmexport-run.1",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(fmt.Errorf("man takes exactly one argument, the directory to write to"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			return writeManual(c.Root(), args[0])
		},
	}
}

// writeManual writes the pages of a command, of its subcommands and of the topics among them.
func writeManual(c *cobra.Command, dir string) error {
	section, extra := "1", manualSections()
	if c.IsAdditionalHelpTopicCommand() {
		section, extra = "7", ""
	}
	c.DisableAutoGenTag = true
	var page bytes.Buffer
	if err := doc.GenMan(c, &doc.GenManHeader{Section: section, Source: "tvmexport " + version, Manual: "tvmexport"}, &page); err != nil {
		return err
	}
	text := page.String()
	if section == "7" {
		text = topicPage(text, c)
	}
	name := strings.ReplaceAll(c.CommandPath(), " ", "-") + "." + section
	if err := os.WriteFile(filepath.Join(dir, name), []byte(withSections(text, extra)), 0o644); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() || sub.Name() == "help" {
			continue
		}
		if err := writeManual(sub, dir); err != nil {
			return err
		}
	}
	return nil
}

// topicPage is the page of a topic: its title and its text as help shows it.
func topicPage(page string, c *cobra.Command) string {
	title, _, _ := strings.Cut(page, "\n.SH")
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	return title + "\n.SH NAME\n" + roff(name+" - "+c.Short) + "\n.SH DESCRIPTION\n" + preformatted(c.Long) + ".SH SEE ALSO\n\\fBtvmexport(1)\\fP\n"
}

// manualSections are the sections that every page of a command has.
func manualSections() string {
	var b strings.Builder
	for _, s := range []struct{ title, topic string }{{"EXIT STATUS", "exit-codes"}, {"ENVIRONMENT", "environment"}} {
		for _, t := range topics {
			if t.name == s.topic {
				fmt.Fprintf(&b, ".SH %s\n%s", s.title, preformatted(t.text))
			}
		}
	}
	fmt.Fprintf(&b, ".SH FILES\n.TP\n\\fB%s\\fP\n%s\n", roff(defaultConfig),
		roff("The configuration, if it exists in the working directory and --config names no other file. tvmexport config example prints one with every key."))
	return b.String()
}

// withSections puts sections before SEE ALSO, or at the end of a page without one.
func withSections(page, sections string) string {
	const last = "\n.SH SEE ALSO"
	if at := strings.LastIndex(page, last); at >= 0 {
		return page[:at+1] + sections + page[at+1:]
	}
	return strings.TrimRight(page, "\n") + "\n" + sections
}

// preformatted is text whose lines stay as they are.
func preformatted(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = roff(l)
	}
	return ".nf\n" + strings.Join(lines, "\n") + "\n.fi\n"
}

// roff is a line of text as the formatter of manual pages reads it.
func roff(line string) string {
	line = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(line)
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		line = `\&` + line
	}
	return line
}
