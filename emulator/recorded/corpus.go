package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// recordedCase is a query and the answer that the real engine gave to it.
type recordedCase struct {
	ID       string
	KQL      string
	Expected answer
}

// answer is a table: the names and .NET types of its columns, and its rows as
// JSON values.
type answer struct {
	Columns []string
	Types   []string `json:"column_types"`
	Rows    [][]any
}

// String lists the columns and at most ten rows.
func (a answer) String() string {
	var b strings.Builder
	for i, c := range a.Columns {
		fmt.Fprintf(&b, "%s:%s ", c, a.Types[i])
	}
	for i, r := range a.Rows {
		if i == 10 {
			fmt.Fprintf(&b, "\n... %d rows", len(a.Rows))
			break
		}
		text, err := json.Marshal(r)
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintf(&b, "\n%s", text)
	}
	return b.String()
}

// readCorpus reads a file {"cases": [{"id", "kql", "expected": {"columns",
// "column_types", "rows"}}]}. Numbers keep all their digits.
func readCorpus(file string) ([]recordedCase, error) {
	if file == "" {
		return nil, errors.New("-corpus names no file")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var corpus struct{ Cases []recordedCase }
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&corpus); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(corpus.Cases) == 0 {
		return nil, fmt.Errorf("%s holds no cases", file)
	}
	return corpus.Cases, nil
}
