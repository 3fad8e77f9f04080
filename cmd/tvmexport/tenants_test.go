package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/internal/config"
)

func TestLinesNameTheirTenant(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"TABLE  ROWS\nDeviceInfo  3\n", "contoso: TABLE  ROWS\ncontoso: DeviceInfo  3\n"},
		{`{"table":"DeviceInfo","rows":3}` + "\n" + `{"a":{}}` + "\n", `{"tenant":"contoso","table":"DeviceInfo","rows":3}` + "\n" + `{"tenant":"contoso","a":{}}` + "\n"},
		{"{}\n", `{"tenant":"contoso"}` + "\n"},
		{"{ }\n", `{"tenant":"contoso" }` + "\n"},
		{"{not JSON}\n", "contoso: {not JSON}\n"},
		{"\n", "\n"},
		{"without an end", "contoso: without an end"},
	} {
		if got := string(named("contoso", []byte(tt.in))); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
}

// Lines of standard error are complete, also if the writer writes parts of them.
func TestLinesOfSeveralTenantsDoNotMix(t *testing.T) {
	var stdout, stderr bytes.Buffer
	g := &gathered{stdout: &stdout, stderr: &stderr}
	a, b := g.of("a", false, true), g.of("b", true, true)
	ea, eb := a.errors(), b.errors()
	for _, part := range []struct {
		to   io.Writer
		text string
	}{{ea, "first "}, {eb, "x\ny"}, {ea, "half\nsecond"}, {eb, " and z\n"}, {ea, "\n"}, {a, "result of a\n"}, {b, "{\"rows\":1}\n"}} {
		if _, err := io.WriteString(part.to, part.text); err != nil {
			t.Fatal(err)
		}
	}
	b.flush()
	a.flush()
	if want := "b: x\na: first half\nb: y and z\na: second\n"; stderr.String() != want {
		t.Errorf("standard error %q, want %q", stderr.String(), want)
	}
	if want := "{\"tenant\":\"b\",\"rows\":1}\na: result of a\n"; stdout.String() != want {
		t.Errorf("standard output %q, want %q", stdout.String(), want)
	}
}

// A tenant without a result is one in JSON: the reader of the results sees it.
func TestAFailureIsAResult(t *testing.T) {
	for _, tt := range []struct {
		asJSON  bool
		printed string
		want    string
	}{
		{true, "", `{"tenant":"a","status":"failed","error":"no sign-in"}` + "\n"},
		{true, "{\"table\":\"T\"}\n", `{"tenant":"a","table":"T"}` + "\n"},
		{false, "", ""},
	} {
		var stdout, stderr bytes.Buffer
		out := (&gathered{stdout: &stdout, stderr: &stderr}).of("a", tt.asJSON, true)
		_, _ = io.WriteString(out, tt.printed)
		out.failed(errors.New("no\n sign-in"))
		out.flush()
		if stdout.String() != tt.want || stderr.String() != "tvmexport: a: no sign-in\n" {
			t.Errorf("%+v: %q and %q", tt, stdout.String(), stderr.String())
		}
	}
}

// What a command has printed last to standard error is a line, although it does not end as one.
func TestLastLineWithoutAnEnd(t *testing.T) {
	var stdout, stderr bytes.Buffer
	out := (&gathered{stdout: &stdout, stderr: &stderr}).of("a", false, true)
	lines, logs := out.errors(), out.logs()
	_, _ = io.WriteString(lines, "whole\nhal")
	_, _ = io.WriteString(lines, "f")
	_, _ = io.WriteString(logs, "level=INFO")
	out.flush()
	out.flush() // once is enough
	if got, want := stderr.String(), "a: whole\na: half\nlevel=INFO\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSelectedTenants(t *testing.T) {
	var members []config.Member
	for _, name := range []string{"contoso", "fabrikam", "tailspin"} {
		members = append(members, config.Member{Name: name})
	}
	for _, tt := range []struct {
		s    selection
		kind tenancy
		want string // names, or the beginning of the error
	}{
		{selection{}, allTenants, "[contoso fabrikam tailspin]"},
		{selection{}, namedTenants, "this changes data of tenants"},
		{selection{all: true}, namedTenants, "[contoso fabrikam tailspin]"},
		{selection{all: true}, allTenants, "[contoso fabrikam tailspin]"},
		{selection{names: []string{"tailspin", "contoso"}}, namedTenants, "[tailspin contoso]"},
		{selection{names: []string{"fabricam"}}, allTenants, `the configuration has no tenant "fabricam"; did you mean fabrikam?`},
		{selection{names: []string{""}}, allTenants, `the configuration has no tenant ""; tvmexport config validate lists`},
		{selection{names: []string{"contoso", "contoso"}}, allTenants, "--tenant contoso is given twice"},
		{selection{names: []string{"contoso"}, all: true}, allTenants, "--tenant and --all-tenants exclude each other"},
	} {
		list, err := tt.s.of(members, tt.kind)
		var names []string
		for _, m := range list {
			names = append(names, m.Name)
		}
		got := fmt.Sprint(names)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tt.want) {
			t.Errorf("%+v: %s, want %s", tt, got, tt.want)
		}
	}
}

// Every command that is to work for tenants exists and has their flags.
func TestCommandsOverTenants(t *testing.T) {
	p := &process{stdout: io.Discard, stderr: io.Discard}
	root := p.root()
	paths := []string{"serve"}
	for path := range tenancies {
		paths = append(paths, path)
	}
	for _, path := range paths {
		c, _, err := root.Find(strings.Fields(path))
		if err != nil || c.CommandPath() != "tvmexport "+path {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if c.Flags().Lookup("tenant") == nil || c.Flags().Lookup("all-tenants") == nil {
			t.Errorf("%s has no --tenant or no --all-tenants", path)
		}
	}
}
