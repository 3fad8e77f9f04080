package tvmexport

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// Table is an Advanced Hunting table and how it is exported.
type Table struct {
	Name        string   // at the source: DeviceTvmSoftwareInventory
	Destination string   // published table: DeviceTvmSoftwareInventoryRaw
	LoadType    LoadType // how it is brought forward
	Watermark   string   // datetime column that Incremental loads follow; IngestionTime for ingestion_time(); "" if none
	Columns     []Column // known schema in catalogue order; empty if the table is not in the catalogue
	Key         Key      // what partitions are made of
	RowBytes    int      // first guess of one row's JSON size; 0 is DefaultRowBytes
}

// Column is a column at the source; Type is the canonical Kusto type.
type Column struct {
	Name string
	Type string // bool int long real decimal datetime timespan string guid dynamic
}

// IngestionTime as a Watermark stands for the function ingestion_time().
const IngestionTime = "ingestion_time()"

// Key is what the partitions of a table are prefixes of. Exactly one form is
// set; the zero Key is the hash of the whole row.
type Key struct {
	Column string   // a string column of hex digits, such as DeviceId
	Hashed []string // string columns whose joint hash_sha256 is the key
}

// isRow says whether the key is the hash of the whole row.
func (k Key) isRow() bool { return k.Column == "" && len(k.Hashed) == 0 }

// Landing is the name of the table's landing table.
func (t Table) Landing() string { return t.Name + "Landing" }

// LoadType says how a table is brought forward.
type LoadType string

// The load types. The original system's "Full" is FullThenIncr.
const (
	Snapshot     LoadType = "Snapshot"     // the full state, each run
	Incremental  LoadType = "Incr"         // what the watermark has passed since
	FullThenIncr LoadType = "FullThenIncr" // everything once, then Incremental
)

// ParseLoadType reads a load type as a configuration row spells it.
func ParseLoadType(s string) (LoadType, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "snapshot":
		return Snapshot, nil
	case "incr", "incremental":
		return Incremental, nil
	case "fullthenincr", "full":
		return FullThenIncr, nil
	}
	return "", fmt.Errorf("load type %q is none of Snapshot, Incr, FullThenIncr (or Full)", s)
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// CheckIdentifier refuses what cannot be a table or column name of ours: it is
// quoted nowhere that it could change a query, but a name that is not an
// identifier is an error or an attack, never a table.
func CheckIdentifier(what, name string) error {
	if !identifier.MatchString(name) {
		return fmt.Errorf("%s %q is not an identifier (a letter or _, then letters, digits or _, 128 at most)", what, name)
	}
	return nil
}

// Definition names what makes rows of a run comparable with those of another:
// columns, key, load type and watermark.
func (t Table) Definition() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s|%s|%s|%v|%v", t.Name, t.LoadType, t.Watermark, t.Columns, t.Key)
	return hex.EncodeToString(h.Sum(nil)[:8])
}
