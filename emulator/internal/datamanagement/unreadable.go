package datamanagement

import (
	"bytes"
	"encoding/json"
)

// unreadable leaves the traces of a message that ParseMessage refused: a line in the
// log, a row of .show ingestion failures, a notice in the queue of failures, and a
// status in the table that the message names. m has what could be read of it.
func (s *Service) unreadable(m Message, f *Failure) {
	s.o.Log.Warn("an ingestion message cannot be read; its blob is not ingested",
		"database", m.Database, "table", m.Table, "source", m.ID, "code", f.Code, "reason", f.Details)
	s.fail(&delivery{Message: m, unread: true}, f)
}

// addressed is what a message that cannot be read says about where it belongs,
// so that its failure is reported there. Where the message names a status table but
// no readable method, both the table and the queue receive it.
func addressed(data []byte) Message {
	members := readMembers(data)
	text := func(name string) string {
		s, _ := propertyText(members[name])
		return s
	}
	m := Message{ID: text("Id"), BlobPath: text("BlobPath"), Database: text("DatabaseName"), Table: text("TableName")}
	if m.ReportLevel.UnmarshalJSON(members["ReportLevel"]) != nil {
		m.ReportLevel = FailuresOnly
	}
	var status struct{ TableConnectionString, PartitionKey, RowKey string }
	if json.Unmarshal(members["IngestionStatusInTable"], &status) == nil {
		m.Status = StatusEntity{status.TableConnectionString, status.PartitionKey, status.RowKey}
	}
	if _, given := propertyText(members["ReportMethod"]); m.ReportMethod.UnmarshalJSON(members["ReportMethod"]) != nil || !given {
		m.ReportMethod = ToQueue
		if m.Status.Table != "" {
			m.ReportMethod = ToQueueAndTable
		}
	}
	var bag map[string]json.RawMessage
	if json.Unmarshal(members["AdditionalProperties"], &bag) == nil {
		_ = m.Properties.read(bag) // only what can be read
	}
	return m
}

// readMembers are the members of a JSON object up to the first that cannot be read: a
// message that was cut still says where it belongs.
func readMembers(data []byte) map[string]json.RawMessage {
	members := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return members
	}
	for d.More() {
		name, err := d.Token()
		key, ok := name.(string)
		if err != nil || !ok {
			return members
		}
		var v json.RawMessage
		if d.Decode(&v) != nil {
			return members
		}
		members[key] = v
	}
	return members
}
