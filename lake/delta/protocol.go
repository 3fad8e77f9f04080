package delta

import (
	"fmt"
	"slices"
	"strings"
)

// written is the protocol of tables that this package creates.
var written = Protocol{MinReader: 1, MinWriter: 2}

// Features of reader version 3 that change nothing for a reader of files and
// statistics.
var readable = []string{"vacuumProtocolCheck"}

// Features of writer version 7 that this package keeps.
var writable = []string{"appendOnly", "invariants", "vacuumProtocolCheck"}

// readErr says why a table cannot be read; nil if it can.
func (p Protocol) readErr() error {
	switch {
	case p.MinReader <= 1:
		return nil
	case p.MinReader == 3:
		return missing("read", p, p.ReaderFeatures, readable)
	}
	return fmt.Errorf("the table has the protocol (reader %d, writer %d); this program reads tables of reader version 1: "+
		"reader version %d needs the feature columnMapping, or a newer one", p.MinReader, p.MinWriter, p.MinReader)
}

// writerFeatures are what each writer version adds.
var writerFeatures = map[int]string{3: "checkConstraints", 4: "changeDataFeed and generatedColumns", 5: "columnMapping", 6: "identityColumns"}

// writeErr says why a table cannot be written; nil if it can.
func (p Protocol) writeErr(m *Metadata) error {
	switch {
	case p.MinWriter == 7:
		if err := missing("write", p, p.WriterFeatures, writable); err != nil {
			return err
		}
	case p.MinWriter > 2:
		why := writerFeatures[p.MinWriter]
		if why == "" {
			why = "features that this program does not know"
		}
		return fmt.Errorf("the table has the protocol (reader %d, writer %d); this program writes tables of writer version 2: version %d adds %s",
			p.MinReader, p.MinWriter, p.MinWriter, why)
	}
	if m == nil {
		return nil
	}
	s, err := m.parse()
	if err != nil {
		return err
	}
	for _, f := range s.Fields {
		if f.Metadata["delta.invariants"] != nil {
			return fmt.Errorf("the column %s has an invariant (delta.invariants), which this program does not check", f.Name)
		}
	}
	return nil
}

// missing says which features of a list this package does not support.
func missing(op string, p Protocol, need, have []string) error {
	var lack []string
	for _, f := range need {
		if !slices.Contains(have, f) {
			lack = append(lack, f)
		}
	}
	if len(lack) == 0 {
		return nil
	}
	return fmt.Errorf("the table has the protocol (reader %d, writer %d); this program does not %s tables with the feature %s",
		p.MinReader, p.MinWriter, op, strings.Join(lack, ", "))
}
