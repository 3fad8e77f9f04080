package delta

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport/lake/parquet"
)

// checkpointRow is one row of a checkpoint: one of its fields is set.
type checkpointRow struct {
	Txn      *txnRow      `parquet:"txn,optional"`
	Add      *addRow      `parquet:"add,optional"`
	Remove   *removeRow   `parquet:"remove,optional"`
	Metadata *metadataRow `parquet:"metaData,optional"`
	Protocol *protocolRow `parquet:"protocol,optional"`
}

type txnRow struct {
	AppID   string `parquet:"appId"`
	Version int64  `parquet:"version"`
	Updated *int64 `parquet:"lastUpdated,optional"`
}

type addRow struct {
	Path            string            `parquet:"path"`
	PartitionValues map[string]string `parquet:"partitionValues"`
	Size            int64             `parquet:"size"`
	Modified        int64             `parquet:"modificationTime"`
	DataChange      bool              `parquet:"dataChange"`
	Tags            map[string]string `parquet:"tags,optional"`
	Stats           *string           `parquet:"stats,optional"`
}

type removeRow struct {
	Path            string            `parquet:"path"`
	Deleted         int64             `parquet:"deletionTimestamp"`
	DataChange      bool              `parquet:"dataChange"`
	Extended        bool              `parquet:"extendedFileMetadata"`
	PartitionValues map[string]string `parquet:"partitionValues,optional"`
	Size            int64             `parquet:"size"`
}

type metadataRow struct {
	ID               string            `parquet:"id"`
	Name             *string           `parquet:"name,optional"`
	Description      *string           `parquet:"description,optional"`
	Format           formatRow         `parquet:"format"`
	Schema           string            `parquet:"schemaString"`
	PartitionColumns []string          `parquet:"partitionColumns,list"`
	Configuration    map[string]string `parquet:"configuration"`
	Created          *int64            `parquet:"createdTime,optional"`
}

type formatRow struct {
	Provider string            `parquet:"provider"`
	Options  map[string]string `parquet:"options"`
}

type protocolRow struct {
	MinReader int32 `parquet:"minReaderVersion"`
	MinWriter int32 `parquet:"minWriterVersion"`
}

// optional is a pointer to a value; nil if it is zero.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func addRowOf(a Add) *addRow {
	return &addRow{
		Path: escape(a.Path), PartitionValues: a.PartitionValues, Size: a.Size, Modified: int64(a.Modified),
		Stats: optional(a.Stats), Tags: a.Tags, // dataChange is false: a checkpoint changes nothing
	}
}

func removeRowOf(r Remove) *removeRow {
	return &removeRow{Path: escape(r.Path), Deleted: int64(r.Deleted), Extended: r.Extended, PartitionValues: r.PartitionValues, Size: r.Size}
}

func metadataRowOf(m *Metadata) *metadataRow {
	return &metadataRow{
		ID: m.ID, Name: optional(m.Name), Description: optional(m.Description), Format: formatRow(m.Format), Schema: m.Schema,
		PartitionColumns: m.PartitionColumns, Configuration: m.Configuration, Created: optional(int64(m.Created)),
	}
}

// The leaves of checkpoints that are read, in the order of the constants.
var leaves = []string{
	"protocol.minReaderVersion", "protocol.minWriterVersion", "protocol.readerFeatures", "protocol.writerFeatures",
	"metaData.id", "metaData.name", "metaData.description", "metaData.format.provider", "metaData.schemaString",
	"metaData.partitionColumns", "metaData.configuration.key", "metaData.configuration.value", "metaData.createdTime",
	"txn.appId", "txn.version", "txn.lastUpdated",
	"add.path", "add.partitionValues.key", "add.partitionValues.value", "add.size", "add.modificationTime", "add.stats", "add.tags.key", "add.tags.value",
	"remove.path", "remove.deletionTimestamp", "remove.partitionValues.key", "remove.partitionValues.value", "remove.size",
	"add.deletionVector.storageType",
}

const (
	minReader = iota
	minWriter
	readerFeatures
	writerFeatureList
	metaID
	metaName
	metaDescription
	metaProvider
	metaSchema
	metaPartitions
	metaKeys
	metaValues
	metaCreated
	txnApp
	txnVersion
	txnUpdated
	addPath
	addKeys
	addValues
	addSize
	addModified
	addStats
	addTagKeys
	addTagValues
	removePath
	removeDeleted
	removeKeys
	removeValues
	removeSize
	addVector
)

// fields are the values of a row of a checkpoint.
type fields [][]parquet.Value

func (f fields) has(i int) bool { return len(f[i]) > 0 }

func (f fields) text(i int) string {
	if len(f[i]) == 0 {
		return ""
	}
	return string(f[i][0].Text())
}

func (f fields) number(i int) int64 {
	if len(f[i]) == 0 {
		return 0
	}
	return f[i][0].Int()
}

func (f fields) list(i int) []string {
	out := []string{}
	for _, v := range f[i] {
		out = append(out, string(v.Text()))
	}
	return out
}

func (f fields) table(keys, values int) map[string]string {
	out := make(map[string]string, len(f[keys]))
	for i, k := range f[keys] {
		v := ""
		if i < len(f[values]) {
			v = string(f[values][i].Text())
		}
		out[string(k.Text())] = v
	}
	return out
}

// take reads the rows of a checkpoint, or of a part of one.
func (s *Snapshot) take(ctx context.Context, r *parquet.Nested) error {
	n := 0
	for row, err := range r.Rows(ctx, leaves) {
		if err != nil {
			return err
		}
		n++
		if err := s.takeRow(fields(row)); err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
	}
	return nil
}

func (s *Snapshot) takeRow(f fields) (err error) {
	switch {
	case f.has(addPath):
		a := Add{
			PartitionValues: f.table(addKeys, addValues), Size: f.number(addSize), Modified: Millis(f.number(addModified)),
			Stats: f.text(addStats),
		}
		if f.has(addVector) {
			return fmt.Errorf("a file has a deletion vector, which this program does not read")
		}
		if f.has(addTagKeys) {
			a.Tags = f.table(addTagKeys, addTagValues)
		}
		if a.Path, err = unescape(f.text(addPath)); err != nil {
			return err
		}
		s.files[a.Path] = a
	case f.has(removePath):
		r := Remove{Deleted: Millis(f.number(removeDeleted)), Size: f.number(removeSize), Extended: f.has(removeSize)}
		if f.has(removeKeys) {
			r.PartitionValues = f.table(removeKeys, removeValues)
		}
		if r.Path, err = unescape(f.text(removePath)); err != nil {
			return err
		}
		s.removed[r.Path] = r
	case f.has(txnApp):
		x := Txn{AppID: f.text(txnApp), Version: f.number(txnVersion), Updated: Millis(f.number(txnUpdated))}
		s.txns[x.AppID] = x
	case f.has(metaSchema):
		s.Metadata = &Metadata{
			ID: f.text(metaID), Name: f.text(metaName), Description: f.text(metaDescription), Schema: f.text(metaSchema),
			Format:           Format{Provider: f.text(metaProvider), Options: map[string]string{}},
			PartitionColumns: f.list(metaPartitions), Configuration: f.table(metaKeys, metaValues), Created: Millis(f.number(metaCreated)),
		}
	case f.has(minReader):
		s.Protocol = Protocol{MinReader: int(f.number(minReader)), MinWriter: int(f.number(minWriter))}
		if f.has(readerFeatures) {
			s.Protocol.ReaderFeatures = f.list(readerFeatures)
		}
		if f.has(writerFeatureList) {
			s.Protocol.WriterFeatures = f.list(writerFeatureList)
		}
		return s.Protocol.readErr()
	}
	return nil
}
