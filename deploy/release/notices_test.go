// Package release_test checks what a release consists of besides the program: notices, packages, the image.
package release_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write THIRD_PARTY_NOTICES.txt again")

// module is a module whose code is in the program.
type module struct{ Path, Version, Dir string }

// linked returns the modules whose packages any released program contains.
func linked(t *testing.T) []module {
	t.Helper()
	found := map[string]module{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		c := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/tvmexport")
		c.Dir, c.Stderr = "../..", os.Stderr
		c.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct{ Module *module }
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if p.Module != nil && p.Module.Version != "" {
				found[p.Module.Path] = *p.Module
			}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b module) int { return strings.Compare(a.Path, b.Path) })
}

// licences are those that a dependency may have, by words of their text. None of them asks
// for more than its text in what is distributed.
var licences = []struct {
	name  string
	words *regexp.Regexp
}{
	{"Apache-2.0", regexp.MustCompile(`Apache License\s+Version 2\.0`)},
	{"MIT", regexp.MustCompile(`Permission is hereby granted, free of charge`)},
	{"BSD", regexp.MustCompile(`Redistribution and use in source and binary forms, with or\s+without`)},
	{"ISC", regexp.MustCompile(`Permission to use, copy, modify, and/?(or)? ?distribute this software`)},
	{"Unlicense", regexp.MustCompile(`This is free and unencumbered software released into the public domain`)},
}

// licenceOf names the licence of a text; "" if none of those that a dependency may have.
func licenceOf(text string) string {
	for _, l := range licences {
		if l.words.MatchString(text) && !regexp.MustCompile(`GNU (LESSER |AFFERO )?GENERAL PUBLIC`).MatchString(text) {
			return l.name
		}
	}
	return ""
}

var noticeFile = regexp.MustCompile(`(?i)^(licen[sc]e|unlicense|copying|notice|patents)(\.(txt|md))?$`)

// TestNotices compares THIRD_PARTY_NOTICES.txt with the modules that the program contains, and
// checks the licence of each.
func TestNotices(t *testing.T) {
	var b strings.Builder
	b.WriteString("tvmexport contains the following software. Each part has its own licence. The Go standard library has the licence of golang.org/x/sys.\n")
	modules := linked(t)
	if len(modules) < 30 {
		t.Fatalf("the program has %d modules only", len(modules))
	}
	for _, m := range modules {
		files, err := os.ReadDir(m.Dir)
		if err != nil {
			t.Fatalf("%s: %v; run go mod download", m.Path, err)
		}
		licence, texts := "", ""
		for _, f := range files {
			if !noticeFile.MatchString(f.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(m.Dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			licence = strings.Trim(licence+" "+licenceOf(string(text)), " ")
			texts += fmt.Sprintf("\n---- %s ----\n\n%s\n", f.Name(), strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
		}
		if licence == "" {
			t.Errorf("%s %s has no licence that a dependency may have; see the list in this test", m.Path, m.Version)
		}
		fmt.Fprintf(&b, "\n%s\n%s %s (%s)\n%s", strings.Repeat("=", 80), m.Path, m.Version, licence, texts)
	}
	const file = "THIRD_PARTY_NOTICES.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found, err := os.ReadFile(file)
	if err != nil || string(found) != b.String() {
		t.Errorf("%s is not of the modules that the program contains (%v); run go test ./deploy/release -update", file, err)
	}
}

// Licences that are not in the list are found.
func TestLicenceOf(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n   Version 2.0, January 2004": "Apache-2.0",
		"GNU GENERAL PUBLIC LICENSE Version 3":         "",
		"Mozilla Public License Version 2.0":           "",
		"All rights reserved.":                         "",
	} {
		if got := licenceOf(text); got != want {
			t.Errorf("%q is taken as %q, want %q", text, got, want)
		}
	}
}
