package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/internal/nearest"
)

// prefix begins the names of our variables.
const prefix = "TVMEXPORT"

// serviceLink matches the variables that Kubernetes sets in each container for
// a service that is named tvmexport.
var serviceLink = regexp.MustCompile(`^TVMEXPORT_(SERVICE_(HOST|PORT(_.*)?)|PORT(_\d+_(TCP|UDP|SCTP).*)?)$`)

// UnknownVariables lists what the environment holds under our prefix and no key
// reads, with the nearest name. more are the names that others read. The values
// are not looked at.
func UnknownVariables(environment, more []string) Mistakes {
	known := slices.Concat(Variables(), more)
	var out Mistakes
	for _, entry := range slices.Sorted(slices.Values(environment)) {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(strings.ToUpper(name), prefix+"_") || slices.Contains(known, name) || serviceLink.MatchString(name) {
			continue
		}
		message := "this variable does not set a configuration key"
		if near := nearestVariable(strings.ToUpper(name), known); near != "" {
			message += "; did you mean " + near + "?"
		} else {
			message += " (tvmexport help environment lists the supported variables)"
		}
		out = append(out, &Error{File: shown(name, mostShown), Message: message})
	}
	return out
}

// nearestVariable compares names without their common prefix.
func nearestVariable(name string, known []string) string {
	if len(name) > 2*mostShown {
		return ""
	}
	rests := make([]string, len(known))
	for i, k := range known {
		rests[i] = strings.TrimPrefix(k, prefix+"_")
	}
	rest := strings.TrimPrefix(name, prefix+"_")
	if near := nearest.Of(rest, rests, len(rest)/3); near != "" {
		return prefix + "_" + near
	}
	return ""
}

// Variables are the names of the variables that set keys.
func Variables() []string {
	var out []string
	for _, f := range Fields() {
		if strings.Contains(f.Path, "*") {
			continue // the names of tables are not part of variables
		}
		out = append(out, prefix+"_"+strings.ToUpper(strings.ReplaceAll(f.Path, ".", "_")))
	}
	return out
}

// placeholder matches what looks like a reference that something should have
// replaced.
var placeholder = regexp.MustCompile(`\$\{[^}]*\}?`)

// unresolved says that a value still holds a placeholder. Secrets may hold any
// character, so that only one that is nothing else counts. They are not quoted.
func unresolved(path, value string, secret bool) error {
	found := placeholder.FindString(value)
	switch {
	case found == "":
		return nil
	case secret && found != strings.TrimSpace(value):
		return nil
	case secret:
		return fmt.Errorf("%s is a placeholder of the form ${NAME} that was not replaced", path)
	}
	return fmt.Errorf("%s contains the placeholder %q, which was not replaced; ${NAME} is replaced only in the configuration file", path, shown(found, mostShown))
}

// Placeholders lists variables that others read, such as those of azidentity,
// whose whole value is a placeholder that nothing has replaced.
func Placeholders(env Lookup, names []string) Mistakes {
	var out Mistakes
	for _, name := range names {
		if v, ok := env(name); ok {
			if err := unresolved(name, v, true); err != nil {
				out = append(out, err)
			}
		}
	}
	return out
}
