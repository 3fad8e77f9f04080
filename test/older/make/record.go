package main

import (
	"encoding/json"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
)

// record is what is known of the database that was made. It is written as JSON.
type record struct {
	Revision   string    `json:"revision"`
	Devices    int       `json:"devices"` // options of the emulator
	CVEs       int       `json:"cves"`
	History    int       `json:"history"`
	Seed       uint64    `json:"seed"`
	ChangeRate float64   `json:"changeRate"`
	Started    time.Time `json:"started"` // the emulator's clock when the tenant began
	Ended      time.Time `json:"ended"`   // and when the database was written
	Config     string    `json:"config"`  // what the exporter's configuration said in addition

	Source  map[string]emulator.Digest   `json:"source"`  // of queries for all rows of a table that are exported
	Stored  map[string]emulator.Digest   `json:"stored"`  // of each table of the database: all its rows
	Queries map[string]emulator.Digest   `json:"queries"` // of functions for readers, with their arguments
	Printed map[string][]json.RawMessage `json:"printed"` // lines of commands with --json
}

// entry is a line of the database's file: at a time of the emulator's clock a command is executed, or days pass.
type entry struct {
	At      time.Time `json:"at"`
	Advance int       `json:"advance,omitempty"`
	Command string    `json:"command,omitempty"`
}
