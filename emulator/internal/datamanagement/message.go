package datamanagement

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Message is what a client puts into a queue: which blob goes where, and how.
type Message struct {
	ID               string
	BlobPath         string // URL with its signature
	Database         string
	Table            string
	RawDataSize      int64 // uncompressed bytes; 0 if unknown
	RetainBlob       bool  // do not delete the blob once it is ingested
	FlushImmediately bool
	ReportLevel      ReportLevel
	ReportMethod     ReportMethod
	Status           StatusEntity // zero if no status is wanted in a table
	Properties       Properties
	Text             string // the JSON of all this
}

// StatusEntity says where a table holds the status of a blob.
type StatusEntity struct{ Table, PartitionKey, RowKey string }

// Properties say how to ingest a blob.
type Properties struct {
	Identity         string // authorizationContext
	Format           string // lower case, csv if not given
	Mapping          string // inline
	MappingReference string
	MappingType      string
	IgnoreFirst      bool
	Tags             []string
	IfNotExists      []string
	CreationTime     time.Time // zero if not given
}

// ReportLevel says which blobs are reported.
type ReportLevel int

// The levels.
const (
	FailuresOnly         ReportLevel = 0
	None                 ReportLevel = 1
	FailuresAndSuccesses ReportLevel = 2
)

// ReportMethod says where they are reported.
type ReportMethod int

// The methods.
const (
	ToQueue         ReportMethod = 0
	ToTable         ReportMethod = 1
	ToQueueAndTable ReportMethod = 2
)

// UnmarshalJSON reads a level as a number or by its name: the Java SDK writes
// names (https://learn.microsoft.com/kusto/api/netfx/kusto-ingest-client-rest).
func (l *ReportLevel) UnmarshalJSON(text []byte) error {
	return enumeration(text, (*int)(l), []string{"FailuresOnly", "None", "FailuresAndSuccesses"})
}

// UnmarshalJSON reads a method as a number or by its name.
func (m *ReportMethod) UnmarshalJSON(text []byte) error {
	return enumeration(text, (*int)(m), []string{"Queue", "Table", "QueueAndTable"})
}

// flag is true or false, or the text of it: the service's reader takes both.
type flag bool

// UnmarshalJSON leaves the flag as it is for null and the empty text.
func (f *flag) UnmarshalJSON(text []byte) error {
	word, given := propertyText(text)
	if !given {
		return nil
	}
	on, err := strconv.ParseBool(strings.ToLower(word))
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", word)
	}
	*f = flag(on)
	return nil
}

// wholeNumber is a whole number, or the text of one.
type wholeNumber int64

// UnmarshalJSON leaves the number as it is for null and the empty text.
func (n *wholeNumber) UnmarshalJSON(text []byte) error {
	word, given := propertyText(text)
	if !given {
		return nil
	}
	i, err := strconv.ParseInt(strings.TrimSuffix(word, ".0"), 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a whole number", word)
	}
	*n = wholeNumber(i)
	return nil
}

// enumeration reads a number, the text of one, or one of the names, in any case.
func enumeration(text []byte, n *int, names []string) error {
	word, given := propertyText(text)
	if !given {
		return nil
	}
	if i := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, word) }); i >= 0 {
		*n = i
		return nil
	}
	i, err := strconv.Atoi(word)
	if err != nil || i < 0 || i >= len(names) {
		return fmt.Errorf("%q is none of %s", word, strings.Join(names, ", "))
	}
	*n = i
	return nil
}

// maxMessage bounds a message. The service's queues take 64 KiB.
const maxMessage = 1 << 20

// ParseMessage reads a message: JSON, usually in base64. The error is a *Failure;
// ParseMessage then also returns the fields that it could read.
func ParseMessage(text string) (Message, error) {
	data := []byte(strings.TrimSpace(text))
	if len(data) > maxMessage {
		return Message{}, corrupted("it is larger than %d bytes", maxMessage)
	}
	if decoded, err := base64.StdEncoding.DecodeString(string(data)); err == nil {
		data = decoded
	}
	var raw struct {
		ID                     string `json:"Id"`
		BlobPath               string
		DatabaseName           string
		TableName              string
		RawDataSize            wholeNumber
		RetainBlobOnSuccess    flag
		FlushImmediately       flag
		ReportLevel            ReportLevel
		ReportMethod           ReportMethod
		IngestionStatusInTable *struct{ TableConnectionString, PartitionKey, RowKey string }
		AdditionalProperties   map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return addressed(data), corrupted("it is not the JSON object of an ingestion message: %v", err)
	}
	m := Message{
		ID: raw.ID, BlobPath: raw.BlobPath, Database: raw.DatabaseName, Table: raw.TableName,
		RawDataSize: max(0, int64(raw.RawDataSize)), RetainBlob: bool(raw.RetainBlobOnSuccess), FlushImmediately: bool(raw.FlushImmediately),
		ReportLevel: raw.ReportLevel, ReportMethod: raw.ReportMethod, Text: string(data),
	}
	if t := raw.IngestionStatusInTable; t != nil {
		m.Status = StatusEntity{t.TableConnectionString, t.PartitionKey, t.RowKey}
	}
	switch {
	case m.BlobPath == "":
		return m, &Failure{Code: "BadRequest_EmptyBlobUri", Permanent: true, Details: "The ingestion message names no blob."}
	case m.Database == "":
		return m, &Failure{Code: "BadRequest_EmptyDatabaseName", Permanent: true, Details: "The ingestion message names no database."}
	case m.Table == "":
		return m, &Failure{Code: "BadRequest_InvalidOrEmptyTableName", Permanent: true, Details: "The ingestion message names no table."}
	}
	return m, m.Properties.read(raw.AdditionalProperties)
}

func corrupted(format string, args ...any) *Failure {
	return &Failure{Code: "BadRequest_CorruptedMessage", Permanent: true, Details: "The ingestion message is corrupted: " + fmt.Sprintf(format, args...) + "."}
}

func malformed(name, format string, args ...any) *Failure {
	return &Failure{
		Code: "BadRequest_MalformedIngestionProperty", Permanent: true,
		Details: fmt.Sprintf("The ingestion property %s is malformed: %s.", name, fmt.Sprintf(format, args...)),
	}
}

// unsupported are properties that would change what is ingested.
var unsupported = []string{"extend_schema", "recreate_schema", "zippattern", "policy_ingestiontime"}

// read takes the properties over. Case of their names does not matter, and values
// may be of their type or the text of it. Unknown ones are ignored, as the service
// does with those of newer clients.
func (p *Properties) read(bag map[string]json.RawMessage) error {
	p.Format = "csv"
	for _, key := range slices.Sorted(maps.Keys(bag)) {
		raw := bag[key]
		name := strings.ToLower(key)
		text, given := propertyText(raw)
		if !given {
			continue
		}
		var err error
		switch name {
		case "authorizationcontext":
			p.Identity = text
		case "format":
			p.Format = strings.ToLower(text)
		case "ingestionmapping":
			p.Mapping = text
		case "ingestionmappingreference":
			p.MappingReference = text
		case "ingestionmappingtype":
			p.MappingType = text
		case "ignorefirstrecord":
			p.IgnoreFirst, err = strconv.ParseBool(strings.ToLower(text))
		case "tags":
			p.Tags, err = stringList(text)
		case "ingestifnotexists":
			p.IfNotExists, err = stringList(text)
		case "creationtime":
			p.CreationTime, err = creationTime(text)
		default:
			if slices.Contains(unsupported, name) {
				return &Failure{
					Code: "BadRequest_NotSupported", Permanent: true,
					Details: fmt.Sprintf("The ingestion property %s is not supported by this emulator.", key),
				}
			}
		}
		if err != nil {
			return malformed(key, "%v", err)
		}
	}
	if p.Mapping != "" && p.MappingReference != "" {
		return &Failure{
			Code: "BadRequest_DuplicateMapping", Permanent: true,
			Details: "The ingestion properties hold both ingestionMapping and ingestionMappingReference; give one of them.",
		}
	}
	return nil
}

// propertyText is a property as text; false if it is null or empty.
func propertyText(raw json.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	text := string(raw)
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) != nil {
		return "", false
	}
	return text, text != "" && text != "null"
}

// stringList reads a JSON array of strings.
func stringList(text string) ([]string, error) {
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("%q is not a JSON array of strings such as [\"a\"]", text)
	}
	return list, nil
}

// creationTime reads a time. The year 1 is what clients send for none.
func creationTime(text string) (time.Time, error) {
	v, ok := value.ParseDateTime(text)
	if !ok {
		return time.Time{}, fmt.Errorf("%q is not a datetime", text)
	}
	if t := v.Time(); t.Year() > 1 {
		return t, nil
	}
	return time.Time{}, nil
}
