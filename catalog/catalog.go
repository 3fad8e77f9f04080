// Package catalog knows the tables of Advanced Hunting and those of Defender's
// export assessment APIs: their schemas as documented and as seen on live
// tenants, their natural keys, and how they are best exported.
//
// Schemas follow Microsoft's page of each table (Info.Docs). Undocumented columns
// of live tenants follow the documented ones.
package catalog

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport"
)

// Both files have the same form: a line for each table.
var (
	//go:embed schemas.json
	schemas []byte
	//go:embed exports.json
	exports []byte
)

// Info is what is known of a table.
type Info struct {
	Name       string
	Source     Source // where its rows come from
	Role       string // application permission that reading it needs; "": that of the hunting API
	Licence    string // that it needs beyond Defender for Endpoint; "": none is known
	Docs       string // the documentation page
	Snapshot   bool   // current state rewritten in place; otherwise rows are only added
	Reference  bool   // a knowledge base: says nothing of devices
	TimeColumn string // "" if there is none
	NaturalKey []string
	Columns    []tvmexport.Column // documented ones in their order, then Observed
	Observed   int                // how many at the end are not documented
	Seen       []string           // columns that say when a row was last seen
	Trace      tvmexport.Trace    // columns that say why a row vanished
}

type entry struct {
	Kind      string      `json:"kind"`
	Role      string      `json:"role"`
	Licence   string      `json:"licence"`
	Docs      string      `json:"docs"`
	Time      string      `json:"time"`
	Key       []string    `json:"key"`
	Reference bool        `json:"reference"`
	Columns   [][2]string `json:"columns"`
	Observed  [][2]string `json:"observed"`
	Seen      []string    `json:"seen"`
	Trace     trace       `json:"trace"`
}

// trace is a [tvmexport.Trace] as the file has it.
type trace struct {
	Device     string   `json:"device"`
	Group      string   `json:"group"`
	Software   []string `json:"software"`
	Version    string   `json:"version"`
	Finding    string   `json:"finding"`
	LastSeen   string   `json:"lastSeen"`
	Paths      []string `json:"paths"`
	UserDays   int      `json:"userDays"`
	DeviceDays int      `json:"deviceDays"`
}

var tables = sync.OnceValue(func() map[string]Info {
	out := map[string]Info{}
	for source, text := range map[Source][]byte{Hunting: schemas, Assessment: exports} {
		var entries map[string]entry
		if err := json.Unmarshal(text, &entries); err != nil {
			// The files are part of the program; a test reads them.
			panic(fmt.Sprintf("catalog: embedded schemas of %s: %v", source, err))
		}
		for name, e := range entries {
			out[name] = e.info(name, source)
		}
	}
	return out
})

func (e entry) info(name string, source Source) Info {
	info := Info{
		Name: name, Source: source, Role: e.Role, Licence: e.Licence, Docs: e.Docs,
		Snapshot: e.Kind == "snapshot", Reference: e.Reference,
		TimeColumn: e.Time, NaturalKey: e.Key, Observed: len(e.Observed),
		Seen: e.Seen, Trace: tvmexport.Trace(e.Trace),
	}
	for _, c := range slices.Concat(e.Columns, e.Observed) {
		info.Columns = append(info.Columns, tvmexport.Column{Name: c[0], Type: c[1]})
	}
	return info
}

// Lookup finds a table by its name, which is case-sensitive.
func Lookup(name string) (Info, bool) {
	i, ok := tables()[name]
	return i, ok
}

// Names are all known tables, sorted.
func Names() []string { return slices.Sorted(maps.Keys(tables())) }

// Default is the tables that init configures: those that the original system exports.
func Default() []string {
	return []string{
		"DeviceTvmSoftwareInventory",
		"DeviceTvmSecureConfigurationAssessment",
		"DeviceTvmHardwareFirmware",
		"DeviceBaselineComplianceProfiles",
		"DeviceBaselineComplianceAssessmentKB",
		"DeviceBaselineComplianceAssessment",
		"DeviceTvmBrowserExtensions",
		"DeviceTvmSoftwareVulnerabilities",
		"DeviceTvmCertificateInfo",
	}
}

// Offered is the other vulnerability-management tables.
func Offered() []string {
	return slices.DeleteFunc(Names(), func(name string) bool {
		tvm := strings.HasPrefix(name, "DeviceTvm") || strings.HasPrefix(name, "DeviceBaseline")
		return !tvm || slices.Contains(Default(), name)
	})
}

// rowBytes is the size of a row as JSON that a first run assumes: the names of
// the columns, and what their values take as a rule. It agrees with the 0.5 to
// 1 KB that Microsoft states for records of the same data
// (https://learn.microsoft.com/defender-endpoint/api/get-assessment-methods-properties);
// a guess that is too high only costs a call.
func (i Info) rowBytes() int {
	size := 60
	for _, c := range i.Columns {
		switch c.Type {
		case "dynamic":
			size += len(c.Name) + 120
		case "string":
			size += len(c.Name) + 26
		default:
			size += len(c.Name) + 16
		}
	}
	return size
}

// Table is the table as it is exported unless a configuration says otherwise:
// the state of snapshot tables, the watermark of the others.
func Table(name string) (tvmexport.Table, bool) {
	i, ok := Lookup(name)
	if !ok {
		return tvmexport.Table{}, false
	}
	t := tvmexport.Table{
		Name: name, Destination: name + "Raw", LoadType: tvmexport.Snapshot,
		Columns: i.Columns, Key: i.key(), NaturalKey: i.NaturalKey, RowBytes: i.rowBytes(),
		Seen: i.Seen, Trace: i.Trace,
	}
	if !i.Snapshot {
		t.LoadType, t.Watermark = tvmexport.Incremental, i.TimeColumn
	}
	return t, true
}

// key returns the key of the table's partitions: DeviceId, which is hex digits;
// else the hash of the text columns of the natural key; else the hash of the whole
// row.
func (i Info) key() tvmexport.Key {
	if i.text("DeviceId") {
		return tvmexport.Key{Column: "DeviceId"}
	}
	var k tvmexport.Key
	for _, name := range i.NaturalKey {
		if i.text(name) {
			k.Hashed = append(k.Hashed, name)
		}
	}
	return k
}

func (i Info) text(name string) bool {
	return slices.Contains(i.Columns, tvmexport.Column{Name: name, Type: "string"})
}
