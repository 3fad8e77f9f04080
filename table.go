package tvmexport

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Table is an Advanced Hunting table and how it is exported.
type Table struct {
	Name        string       // at the source: DeviceTvmSoftwareInventory
	Destination string       // published table: DeviceTvmSoftwareInventoryRaw
	LoadType    LoadType     // how it is exported
	Watermark   string       // datetime column that Incremental loads follow; IngestionTime for ingestion_time(); "" if none
	Columns     []Column     // known schema in catalogue order; empty if the table is not in the catalogue
	Key         Key          // what partitions are made of
	RowBytes    int          // first guess of one row's JSON size; 0 is DefaultRowBytes
	Layout      Layout       // where rows are published; "" is Both
	Drift       Drift        // what becomes of columns that appear; "" is Evolve
	Shown       []Column     // of the typed table and the read functions; nil is Columns
	NaturalKey  []string     // columns that name a row to people; Changes tells by it what was modified
	Volatile    []string     // columns whose changes alone are not worth a fetch: fingerprints leave them out
	Policy      ColumnPolicy // which columns are published; Columns are those already
	Seen        []string     // columns that say when a row was last seen: a change in them alone is landed, and is no modification
	Trace       Trace        // columns by which Changes says why a row vanished
}

// Trace names the columns by which Changes says why a row of a Snapshot vanished, and
// how long what is not reported is shown. The zero Trace says nothing.
type Trace struct {
	Device     string   // identifies the device
	Group      string   // of the device: a part of the natural key
	Software   []string // identify the program
	Version    string   // of the program
	Finding    string   // what was found in the version; empty if nothing was
	LastSeen   string   // when the row was last seen
	Paths      []string // arrays of the places where the program was found
	UserDays   int      // of silence after which what was found for a user alone is not shown
	DeviceDays int      // of silence after which nothing of a device is shown
}

// IsZero says whether nothing is known of why rows vanish.
func (t Trace) IsZero() bool { return t.Device == "" }

// Layout says in which tables a table's rows are published.
type Layout string

// The layouts.
const (
	RawOnly   Layout = "raw"   // Destination: one dynamic column of records
	TypedOnly Layout = "typed" // Typed: Defender's columns
	Both      Layout = "both"
)

// Raw says whether rows are published as records.
func (l Layout) Raw() bool { return l != TypedOnly }

// Typed says whether rows are published in Defender's columns.
func (l Layout) Typed() bool { return l != RawOnly }

// Drift says what becomes of columns that appear at the source.
type Drift string

// The ways to handle drift. Records hold every column in each of them.
const (
	Evolve    Drift = "evolve" // shown from then on
	Freeze    Drift = "freeze" // neither shown nor looked at: a change in them alone is not worth a fetch
	KeepInRaw Drift = "raw"    // not shown
)

// IngestionTime as a Watermark stands for the function ingestion_time().
const IngestionTime = "ingestion_time()"

// Key is what the partitions of a table are prefixes of. Exactly one form is
// set; the zero Key is the hash of the whole row.
type Key struct {
	Column string   // a string column of hex digits, such as DeviceId
	Hashed []string // string columns whose joint hash_sha256 is the key
}

// IsRow says whether the key is the hash of the whole row.
func (k Key) IsRow() bool { return k.Column == "" && len(k.Hashed) == 0 }

// Landing is the name of the table's landing table.
func (t Table) Landing() string { return t.Name + "Landing" }

// Refilling is the name of the table in which a refill makes rows.
func (t Table) Refilling() string { return t.Name + "Refill" }

// Typed is the name of the table that holds rows in Defender's columns.
func (t Table) Typed() string { return t.Name + "Typed" }

// Visible are the columns that readers see.
func (t Table) Visible() []Column {
	if t.Shown == nil {
		return t.Columns
	}
	return t.Shown
}

// FingerprintColumns are the columns that fingerprints are made of, which both sides can
// name.
func (t Table) FingerprintColumns() []Column {
	columns := NameableColumns(t.Columns)
	if len(t.Volatile) == 0 {
		return columns
	}
	return slices.DeleteFunc(slices.Clone(columns), func(c Column) bool { return slices.Contains(t.Volatile, c.Name) })
}

// LoadType says how a table is exported.
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
	return "", fmt.Errorf("load type %q is unknown; use Snapshot, Incr or FullThenIncr (or Full)", s)
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
// columns, key, load type, watermark, and where they are published.
func (t Table) Definition() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s|%s|%s|%v|%v", t.Name, t.LoadType, t.Watermark, t.Columns, t.Key)
	fmt.Fprintf(h, "|%v|%t|%t|%v", t.Volatile, t.Layout.Raw(), t.Layout.Typed(), t.Visible())
	if !t.Policy.IsZero() {
		fmt.Fprintf(h, "|%v", t.Policy)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
