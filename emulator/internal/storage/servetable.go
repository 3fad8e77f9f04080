package storage

import (
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// maxEntity is the size of an entity:
// https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model.
const maxEntity = 1 << 20

// tables is the table service of all accounts.
type tables struct {
	signer

	mu     sync.Mutex
	byName map[Resource]*Entities
}

// add creates an empty table. It keeps an existing one.
func (s *tables) add(r Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName[r] == nil {
		s.byName[r] = &Entities{now: s.now, rows: map[entityKey]entity{}}
	}
}

// resources are the tables.
func (s *tables) resources() []Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.byName))
}

func (s *tables) entities(r Resource) *Entities {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byName[r]
}

// serve is the table service for single entities:
// https://learn.microsoft.com/rest/api/storageservices/operations-on-entities.
func (s *tables) serve(w http.ResponseWriter, r *http.Request, at location) error {
	t := s.entities(at.Resource)
	q := r.URL.Query()
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Dataserviceversion", "3.0;")
	if at.rest == "" && r.Method == http.MethodPost {
		return s.insert(w, r, at, t)
	}
	k, ok := parseKey(at.rest)
	if !ok {
		return errUnsupported(r)
	}
	switch r.Method {
	case http.MethodGet:
		if err := s.authorize(at.Resource, q, "r"); err != nil {
			return err
		}
		e, err := t.get(k)
		if err != nil {
			return err
		}
		return sendEntity(w, r, entityAddress{at, k}, e, http.StatusOK)
	case http.MethodPut, http.MethodPatch, "MERGE":
		if err := s.authorize(at.Resource, q, "u"); err != nil {
			return err
		}
		properties, err := readEntity(r.Body)
		if err != nil {
			return err
		}
		properties["PartitionKey"], properties["RowKey"] = quote(k.partition), quote(k.row)
		e, err := t.change(k, properties, r.Method != http.MethodPut, r.Header.Get("If-Match"))
		if err != nil {
			return err
		}
		w.Header().Set("Etag", e.etag)
	case http.MethodDelete:
		if err := s.authorize(at.Resource, q, "d"); err != nil {
			return err
		}
		match := r.Header.Get("If-Match")
		if match == "" {
			return failure(http.StatusBadRequest, "MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified: If-Match.")
		}
		if err := t.remove(k, match); err != nil {
			return err
		}
	default:
		return errUnsupported(r)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *tables) insert(w http.ResponseWriter, r *http.Request, at location, t *Entities) error {
	if err := s.authorize(at.Resource, r.URL.Query(), "a"); err != nil {
		return err
	}
	properties, err := readEntity(r.Body)
	if err != nil {
		return err
	}
	var k entityKey
	for name, into := range map[string]*string{"PartitionKey": &k.partition, "RowKey": &k.row} {
		if json.Unmarshal(properties[name], into) != nil || properties[name] == nil {
			return failure(http.StatusBadRequest, "PropertiesNeedValue", "The values are not specified for all properties in the entity: %s must be a string.", name)
		}
	}
	e, err := t.insert(k, properties)
	if err != nil {
		return err
	}
	w.Header().Set("Etag", e.etag)
	self := entityAddress{at, k}
	w.Header().Set("Location", self.url(r))
	if r.Header.Get("Prefer") == "return-no-content" {
		w.Header().Set("Preference-Applied", "return-no-content")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return sendEntity(w, r, self, e, http.StatusCreated)
}

// readEntity reads the properties of a body, leaving out what the service sets.
func readEntity(r io.Reader) (map[string]json.RawMessage, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxEntity+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxEntity {
		return nil, failure(http.StatusBadRequest, "EntityTooLarge", "The entity is larger than the maximum size permitted, %d bytes.", maxEntity)
	}
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(body, &properties); err != nil || properties == nil {
		return nil, errInput("the body is not a JSON object.")
	}
	for name, v := range properties {
		if strings.HasPrefix(name, "odata.") || name == "Timestamp" || name == "Timestamp@odata.type" || string(v) == "null" {
			delete(properties, name)
		}
	}
	return properties, nil
}

// parseKey reads (PartitionKey='..',RowKey='..'), in which ” is one quote.
func parseKey(text string) (entityKey, bool) {
	inner, ok := strings.CutPrefix(text, "(")
	if !ok || !strings.HasSuffix(inner, ")") {
		return entityKey{}, false
	}
	inner = inner[:len(inner)-1]
	var k entityKey
	found := 0
	for inner != "" {
		name, rest, ok := strings.Cut(inner, "='")
		if !ok {
			return entityKey{}, false
		}
		end := 0
		for end < len(rest) {
			if rest[end] == '\'' {
				if strings.HasPrefix(rest[end+1:], "'") {
					end++
				} else {
					break
				}
			}
			end++
		}
		if end >= len(rest) {
			return entityKey{}, false
		}
		value := strings.ReplaceAll(rest[:end], "''", "'")
		switch name {
		case "PartitionKey":
			k.partition = value
		case "RowKey":
			k.row = value
		default:
			return entityKey{}, false
		}
		found++
		inner = strings.TrimPrefix(rest[end+1:], ",")
	}
	return k, found == 2
}

// entityAddress is where an entity is.
type entityAddress struct {
	location
	key entityKey
}

// url is the address under the host and path of a request for the entity.
func (a entityAddress) url(r *http.Request) string {
	partition, row := strings.ReplaceAll(a.key.partition, "'", "''"), strings.ReplaceAll(a.key.row, "'", "''")
	u := url.URL{Scheme: "https", Host: r.Host, Path: strings.TrimSuffix(strings.TrimSuffix(r.URL.Path, a.rest), "()") +
		"(PartitionKey='" + partition + "',RowKey='" + row + "')"}
	return u.String()
}

// sendEntity answers with a row in the amount of metadata that was asked for.
func sendEntity(w http.ResponseWriter, r *http.Request, self entityAddress, e entity, status int) error {
	level := metadataLevel(r)
	selected := strings.Split(r.URL.Query().Get("$select"), ",")
	body := map[string]any{}
	add := func(name string, v any) {
		plain, _, _ := strings.Cut(name, "@")
		if selected[0] == "" || slices.Contains(selected, plain) {
			body[name] = v
		}
	}
	for name, v := range e.properties {
		if level == "nometadata" && strings.Contains(name, "@") {
			continue
		}
		add(name, v)
	}
	add("Timestamp", e.modified.Format("2006-01-02T15:04:05.0000000Z"))
	host := "https://" + r.Host
	if level != "nometadata" {
		body["odata.metadata"] = host + "/$metadata#" + self.Name + "/@Element"
		body["odata.etag"] = e.etag
	}
	if level == "fullmetadata" {
		add("Timestamp@odata.type", "Edm.DateTime")
		body["odata.type"] = self.Account + "." + self.Name
		body["odata.id"] = self.url(r)
		body["odata.editLink"] = self.Name + "(PartitionKey='" + self.key.partition + "',RowKey='" + self.key.row + "')"
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Etag", e.etag)
	h.Set("Content-Type", "application/json;odata="+level+";streaming=true;charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client has gone
	return nil
}

// metadataLevel is the odata parameter of $format or Accept.
func metadataLevel(r *http.Request) string {
	for _, text := range []string{r.URL.Query().Get("$format"), r.Header.Get("Accept")} {
		for _, part := range strings.Split(text, ",") {
			_, parameters, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			switch level := strings.ToLower(parameters["odata"]); level {
			case "nometadata", "minimalmetadata", "fullmetadata":
				return level
			}
		}
	}
	return "minimalmetadata"
}
