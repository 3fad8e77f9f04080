package delta

import (
	"encoding/json"
	"time"
)

// Millis is a time in milliseconds since 1970.
type Millis int64

// MillisOf is the time in milliseconds, rounded down.
func MillisOf(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Time is the time in UTC.
func (m Millis) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

// Protocol is what readers and writers of a table must support.
type Protocol struct {
	MinReader      int      `json:"minReaderVersion" parquet:"minReaderVersion"`
	MinWriter      int      `json:"minWriterVersion" parquet:"minWriterVersion"`
	ReaderFeatures []string `json:"readerFeatures,omitempty" parquet:"-"`
	WriterFeatures []string `json:"writerFeatures,omitempty" parquet:"-"`
}

// Format is the format of data files.
type Format struct {
	Provider string            `json:"provider"`
	Options  map[string]string `json:"options"`
}

// Metadata describes a table.
type Metadata struct {
	ID               string            `json:"id"`
	Name             string            `json:"name,omitempty"`
	Description      string            `json:"description,omitempty"`
	Format           Format            `json:"format"`
	Schema           string            `json:"schemaString"` // see SchemaOf
	PartitionColumns []string          `json:"partitionColumns"`
	Configuration    map[string]string `json:"configuration"`
	Created          Millis            `json:"createdTime,omitempty"`
}

// Add is a file that belongs to the table.
type Add struct {
	Path            string            `json:"path"` // in the folder of the table; escaped in the log only
	PartitionValues map[string]string `json:"partitionValues"`
	Size            int64             `json:"size"`
	Modified        Millis            `json:"modificationTime"`
	DataChange      bool              `json:"dataChange"`
	Stats           string            `json:"stats,omitempty"` // JSON; see parquet.Summary
	Tags            map[string]string `json:"tags,omitempty"`
}

// Remove is a file that no longer belongs to the table. It stays in the folder
// for readers of earlier versions.
type Remove struct {
	Path            string            `json:"path"`
	Deleted         Millis            `json:"deletionTimestamp"`
	DataChange      bool              `json:"dataChange"`
	Extended        bool              `json:"extendedFileMetadata"`
	PartitionValues map[string]string `json:"partitionValues,omitempty"`
	Size            int64             `json:"size,omitempty"`
	Tags            map[string]string `json:"tags,omitempty"`
}

// Txn is the newest version that an application has committed.
type Txn struct {
	AppID   string `json:"appId"`
	Version int64  `json:"version"`
	Updated Millis `json:"lastUpdated,omitempty"`
}

// Info is what a commit says of itself.
type Info struct {
	Time       Millis                     `json:"timestamp"`
	Operation  string                     `json:"operation"` // such as WRITE
	Parameters map[string]json.RawMessage `json:"operationParameters,omitempty"`
	Engine     string                     `json:"engineInfo,omitempty"`
	ID         string                     `json:"txnId,omitempty"`            // unique to the attempt
	Actions    int                        `json:"tvmexportActions,omitempty"` // of the commit, without this one; 0: not known
	Note       json.RawMessage            `json:"tvmexport,omitempty"`        // of the caller, such as the run
}

// Commit is one commit of the log.
type Commit struct {
	Version  int64
	Info     Info // zero if the writer left it out
	Protocol *Protocol
	Metadata *Metadata
	Txns     []Txn
	Adds     []Add
	Removes  []Remove
}

// action is one line of a commit: one of its fields is set.
type action struct {
	Info     *Info     `json:"commitInfo,omitempty"`
	Protocol *Protocol `json:"protocol,omitempty"`
	Metadata *Metadata `json:"metaData,omitempty"`
	Txn      *Txn      `json:"txn,omitempty"`
	Add      *Add      `json:"add,omitempty"`
	Remove   *Remove   `json:"remove,omitempty"`
}
