// Package figures carries what a program of test/reliability has counted to the program
// that started it.
package figures

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// Figures are what trials of the exporter counted. The zero value is that of no trial.
type Figures struct {
	Kills     int            `json:"kills,omitempty"`
	Races     int            `json:"races,omitempty"`
	Faults    map[string]int `json:"faults,omitempty"` // injected, by kind
	Runs      int            `json:"runs,omitempty"`   // under faults
	Histories int            `json:"histories,omitempty"`
	Worlds    int            `json:"worlds,omitempty"`   // of the export assessment APIs
	Failures  []string       `json:"failures,omitempty"` // each names its seed
}

// Injected is the number of faults of all kinds.
func (f Figures) Injected() (n int) {
	for _, hits := range f.Faults {
		n += hits
	}
	return n
}

// Add adds the figures of another trial to these.
func (f *Figures) Add(o Figures) {
	f.Kills += o.Kills
	f.Races += o.Races
	f.Runs += o.Runs
	f.Histories += o.Histories
	f.Worlds += o.Worlds
	f.Failures = append(f.Failures, o.Failures...)
	for kind, n := range o.Faults {
		if f.Faults == nil {
			f.Faults = map[string]int{}
		}
		f.Faults[kind] += n
	}
}

// Sorted counts failures by what readers would notice. One that speaks of lost
// and of duplicated rows counts as both.
func (f Figures) Sorted() (lost, duplicated, other int) {
	for _, text := range f.Failures {
		l, d := strings.Contains(text, "lost"), strings.Contains(text, "duplicated")
		switch {
		case l && d:
			lost, duplicated = lost+1, duplicated+1
		case l:
			lost++
		case d:
			duplicated++
		default:
			other++
		}
	}
	return lost, duplicated, other
}

// Write stores figures in a file for the program that asked for them. It does
// nothing without a name.
func (f Figures) Write(name string) error {
	if name == "" {
		return nil
	}
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	return os.WriteFile(name, text, 0o600)
}

// Read is what Write stored.
func Read(name string) (f Figures, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, fmt.Errorf("figures: %s: %w", name, err)
	}
	return f, nil
}
