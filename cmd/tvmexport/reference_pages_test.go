package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/metrics"
)

// settingSchema is a key in the JSON schema of the configuration.
type settingSchema struct {
	Type        any                      `json:"type"`
	Enum        []string                 `json:"enum"`
	AnyOf       []settingSchema          `json:"anyOf"`
	Default     any                      `json:"default"`
	Description string                   `json:"description"`
	Minimum     *float64                 `json:"minimum"`
	Above       *float64                 `json:"exclusiveMinimum"`
	Maximum     *float64                 `json:"maximum"`
	Pattern     string                   `json:"pattern"`
	Properties  map[string]settingSchema `json:"properties"`
	Each        json.RawMessage          `json:"additionalProperties"`
}

// at is the setting of a path.
func (s settingSchema) at(t *testing.T, path string) settingSchema {
	t.Helper()
	for name := range strings.SplitSeq(path, ".") {
		next, ok := s.Properties[name]
		if name == "*" {
			ok = json.Unmarshal(s.Each, &next) == nil
		}
		if !ok {
			t.Fatalf("the schema has no key %s", path)
		}
		s = next
	}
	return s
}

// values says which values a setting takes.
func (s settingSchema) values() string {
	if len(s.AnyOf) > 0 {
		return s.AnyOf[0].values()
	}
	switch {
	case len(s.Enum) > 0:
		words := slices.DeleteFunc(slices.Clone(s.Enum), func(w string) bool { return w == "" })
		return "`" + strings.Join(words, "` `") + "`"
	case s.Type == "string" && s.Pattern != "":
		return "duration"
	}
	kind := s.Type
	if list, ok := kind.([]any); ok {
		kind = list[0]
	}
	out := map[any]string{"string": "text", "array": "list", "object": "section", "integer": "whole number"}[kind]
	if out == "" {
		out = fmt.Sprint(kind)
	}
	for _, limit := range []struct {
		word  string
		value *float64
	}{{"at least", s.Minimum}, {"above", s.Above}, {"at most", s.Maximum}} {
		if limit.value != nil {
			out += ", " + limit.word + " " + strconv.FormatFloat(*limit.value, 'f', -1, 64)
		}
	}
	return out
}

// configurationPage has the keys of the configuration by section.
func configurationPage(t *testing.T) string {
	t.Helper()
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root settingSchema
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Configuration\n\n" + `The file is YAML and strict: an unknown key is an error that names the nearest known one.
` + "`tvmexport config example` prints a file with every key, `tvmexport config schema` the JSON schema for editors, and\n`tvmexport config validate` checks a file. " +
		"`${NAME}` inserts an environment variable.\n" + `An [environment variable](environment.md) can override each scalar: the key in capitals behind ` + "`TVMEXPORT_`, with `_` for each dot.\n" +
		"Durations are numbers with a unit, such as `90m`, `36h` or `7d`.\n")
	fields := config.Fields()
	top := func(f config.Field) string {
		section, _, nested := strings.Cut(f.Path, ".")
		if !nested {
			return ""
		}
		return section
	}
	slices.SortStableFunc(fields, func(x, y config.Field) int { // the keys of no section come first
		return min(len(top(x)), 1) - min(len(top(y)), 1)
	})
	last := "none"
	for _, f := range fields {
		section := top(f)
		if section != last {
			last = section
			if section == "" {
				b.WriteString("\n## Top level\n\n")
			} else {
				fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", section, escape(root.at(t, section).Description))
			}
			b.WriteString("| key | values | default | meaning |\n|---|---|---|---|\n")
		}
		s := root.at(t, f.Path)
		given := ""
		if s.Default != nil && s.Default != "" {
			given = "`" + fmt.Sprint(s.Default) + "`"
			if n, ok := s.Default.(float64); ok {
				given = "`" + strconv.FormatFloat(n, 'f', -1, 64) + "`"
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Path, s.values(), given, cell(s.Description))
	}
	b.WriteString("\n## tenants\n\n" + escape(root.at(t, "tenants").Description) + "\nA tenant has the keys of " +
		"`defender`, `assessment`, `auth`, `kusto`, `retention`, `tables`, `schedule` and `pseudonymisation_key_file`\n([many tenants](../fleet.md#configuration)).\n")
	return strings.ReplaceAll(b.String(), "\n\n\n", "\n\n")
}

// metricsPage lists the metrics of serve.
func metricsPage() string {
	var b strings.Builder
	shared := "`" + strings.Join(metrics.SharedLabels(), "`, `") + "`"
	fmt.Fprintf(&b, "# Metrics\n\n`tvmexport serve` has these metrics at `/metrics`. Those of a tenant also carry the labels %s, if their values are known.\n[Unattended operation](../serve.md#metrics) says how they are used, `deploy/prometheus` has alert rules, `deploy/grafana` a dashboard.\n\n", shared)
	b.WriteString("| metric | type | labels | process with | meaning |\n|---|---|---|---|---|\n")
	for _, d := range metrics.Descriptions() {
		with := "one or many tenants"
		switch {
		case !d.Fleet:
			with = "one tenant"
		case !d.Single:
			with = "many tenants"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", d.Name, d.Kind, strings.Join(d.Labels, ", "), with, cell(d.Help))
	}
	return b.String()
}

// exitCodesPage has the exit codes, and the code of each cause.
func exitCodesPage() string {
	var b strings.Builder
	b.WriteString(topicReference("exit-codes", "Errors and exit codes"))
	b.WriteString("\n## Causes\n\nEach error has a cause, which determines the code.\n\n| cause | exit code |\n|---|---|\n")
	for _, c := range []struct {
		cause tvmexport.Cause
		text  string
	}{
		{tvmexport.Usage, "bad input: configuration, names, flags"},
		{tvmexport.Permission, "sign-in, or a permission or role is missing"},
		{tvmexport.Quota, "the tenant's quota or the given time is used up"},
		{tvmexport.LeaseHeld, "another run holds the lease of the table"},
		{tvmexport.Rejected, "the service refuses the query or the command"},
		{tvmexport.Integrity, "an answer or a delivery cannot be proved to be complete"},
		{tvmexport.Unknown, "anything else"},
	} {
		fmt.Fprintf(&b, "| %s | %d |\n", c.text, codeOf(c.cause))
	}
	return b.String()
}

// tablesPage lists the known tables, and the columns of those for vulnerability management.
func tablesPage() string {
	var b strings.Builder
	b.WriteString("# Tables\n\nThe known tables. [`tvmexport tables`](commands/tables.md) lists them with what is exported. " +
		"Tables that are not listed can be exported too: tvmexport reads their columns from Defender.\n")
	ours := slices.Concat(catalog.Default(), catalog.Offered(), catalog.Assessments())
	others := slices.DeleteFunc(catalog.Names(), func(n string) bool { return slices.Contains(ours, n) })
	for _, g := range []struct {
		title, text string
		names       []string
	}{
		{"Default set", "`tvmexport init` configures these nine.", catalog.Default()},
		{"Further tables of vulnerability management", "`tvmexport tables add` adds them.", catalog.Offered()},
		{"Export assessment APIs", "Tables of the [second source](../assessment.md).", catalog.Assessments()},
		{"Other tables of Advanced Hunting", "Events, identities and other inventories.", others},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| table | load type | watermark | natural key | needs |\n|---|---|---|---|---|\n", g.title, g.text)
		for _, name := range g.names {
			i, _ := catalog.Lookup(name)
			table, _ := catalog.Table(name)
			needs := "`ThreatHunting.Read.All`"
			if i.Role != "" {
				needs = "`" + i.Role + "`"
			}
			if i.Licence != "" {
				needs += "; " + cell(i.Licence)
			}
			link := "`" + name + "`"
			if i.Docs != "" {
				link = "[" + link + "](" + i.Docs + ")"
			}
			fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s |\n", link, table.LoadType, table.Watermark, strings.Join(i.NaturalKey, ", "), needs)
		}
	}
	b.WriteString("\n## Columns\n\nThe columns of the first three groups, with their Kusto types. Columns in italics are not documented, but live tenants have them.\n")
	for _, name := range ours {
		i, _ := catalog.Lookup(name)
		fmt.Fprintf(&b, "\n### %s\n\n", name)
		for n, c := range i.Columns {
			text := "`" + c.Name + "` " + c.Type
			if n >= len(i.Columns)-i.Observed {
				text = "*" + text + "*"
			}
			if n > 0 {
				b.WriteString(",\n")
			}
			b.WriteString(text)
		}
		b.WriteString("\n")
	}
	return b.String()
}
