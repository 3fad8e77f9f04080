package storage

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Entities are those of one table.
type Entities struct {
	now func() time.Time

	mu   sync.Mutex
	rows map[entityKey]entity
}

type entityKey struct{ partition, row string }

// entity is one row. Properties are JSON texts, with their annotations
// (NAME@odata.type) next to them.
type entity struct {
	properties map[string]json.RawMessage
	etag       string
	modified   time.Time
}

func errNoEntity() error {
	return failure(http.StatusNotFound, "ResourceNotFound", "The specified resource does not exist.")
}

// insert adds a row that must not be there yet.
func (t *Entities) insert(k entityKey, properties map[string]json.RawMessage) (entity, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, there := t.rows[k]; there {
		return entity{}, failure(http.StatusConflict, "EntityAlreadyExists", "The specified entity already exists.")
	}
	return t.store(k, properties), nil
}

// store puts a row in place. The lock is held.
func (t *Entities) store(k entityKey, properties map[string]json.RawMessage) entity {
	now := t.now().UTC()
	e := entity{properties: properties, modified: now, etag: `W/"datetime'` + now.Format("2006-01-02T15%3A04%3A05.0000000Z") + `'` + uuid.NewString()[:8] + `"`}
	t.rows[k] = e
	return e
}

func (t *Entities) get(k entityKey) (entity, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.rows[k]
	if !ok {
		return entity{}, errNoEntity()
	}
	return e, nil
}

// change replaces a row or, with merge set, changes some of its properties.
// match is the If-Match header: "" allows a row that is not there.
func (t *Entities) change(k entityKey, properties map[string]json.RawMessage, merge bool, match string) (entity, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, err := t.matching(k, match)
	if err != nil {
		return entity{}, err
	}
	if merge {
		all := maps.Clone(old.properties)
		if all == nil {
			all = map[string]json.RawMessage{}
		}
		for name, v := range properties {
			if !bytes.Equal(v, []byte("null")) {
				all[name] = v
			}
		}
		properties = all
	}
	return t.store(k, properties), nil
}

func (t *Entities) remove(k entityKey, match string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.matching(k, match); err != nil {
		return err
	}
	delete(t.rows, k)
	return nil
}

// matching is the row if it fulfils match. The lock is held.
func (t *Entities) matching(k entityKey, match string) (entity, error) {
	old, there := t.rows[k]
	switch {
	case !there && match != "":
		return entity{}, errNoEntity()
	case there && match != "" && match != "*" && match != old.etag:
		return entity{}, failure(http.StatusPreconditionFailed, "UpdateConditionNotSatisfied", "The update condition specified in the request was not satisfied.")
	}
	return old, nil
}

// Merge changes properties of a row, which is made if it is not there. Values
// are strings, bools, numbers that JSON can hold, or times.
func (t *Entities) Merge(partition, row string, values map[string]any) error {
	properties := map[string]json.RawMessage{
		"PartitionKey": quote(partition), "RowKey": quote(row),
	}
	for name, v := range values {
		if at, ok := v.(time.Time); ok {
			properties[name+"@odata.type"] = quote("Edm.DateTime")
			v = at.UTC().Format("2006-01-02T15:04:05.0000000Z")
		}
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		properties[name] = text
	}
	_, err := t.change(entityKey{partition, row}, properties, true, "")
	return err
}

// Values are the properties of a row as decoded JSON; false if it is not there.
func (t *Entities) Values(partition, row string) (map[string]any, bool) {
	e, err := t.get(entityKey{partition, row})
	if err != nil {
		return nil, false
	}
	values := map[string]any{}
	for name, text := range e.properties {
		var v any
		if json.Unmarshal(text, &v) == nil {
			values[name] = v
		}
	}
	return values, true
}

func quote(text string) json.RawMessage {
	b, err := json.Marshal(text)
	if err != nil {
		return json.RawMessage(`""`)
	}
	return b
}
