package storage

import (
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxMessage is the size of a message on the wire:
// https://learn.microsoft.com/rest/api/storageservices/put-message.
const maxMessage = 64 << 10

// The bodies of the queue service.
type (
	xmlPut struct {
		XMLName xml.Name `xml:"QueueMessage"`
		Text    *string  `xml:"MessageText"`
	}
	xmlMessages struct {
		XMLName  xml.Name `xml:"QueueMessagesList"`
		Messages []xmlMessage
	}
	xmlMessage struct {
		XMLName         xml.Name `xml:"QueueMessage"`
		MessageID       string   `xml:"MessageId"`
		InsertionTime   string
		ExpirationTime  string
		PopReceipt      string `xml:",omitempty"`
		TimeNextVisible string `xml:",omitempty"`
		DequeueCount    *int
		MessageText     *string
	}
)

// queues is the queue service of all accounts.
type queues struct {
	signer
	received atomic.Int64 // messages that clients put

	mu     sync.Mutex
	byName map[Resource]*Messages
}

// add creates an empty queue. It keeps an existing one.
func (s *queues) add(r Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName[r] == nil {
		s.byName[r] = &Messages{now: s.now, arrived: make(chan struct{}, 1)}
	}
}

// resources are the queues.
func (s *queues) resources() []Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.byName))
}

func (s *queues) messages(r Resource) *Messages {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byName[r]
}

// serve is the queue service:
// https://learn.microsoft.com/rest/api/storageservices/operations-on-messages.
func (s *queues) serve(w http.ResponseWriter, r *http.Request, at location) error {
	q := r.URL.Query()
	messages := s.messages(at.Resource)
	if at.rest == "" {
		return s.properties(w, r, at, messages)
	}
	id, of := strings.CutPrefix(at.rest, "messages/")
	switch {
	case at.rest == "messages" && r.Method == http.MethodPost:
		return s.putMessage(w, r, at, messages)
	case at.rest == "messages" && r.Method == http.MethodGet && q.Get("peekonly") == "true":
		return s.getMessages(w, r, at, messages, true)
	case at.rest == "messages" && r.Method == http.MethodGet:
		return s.getMessages(w, r, at, messages, false)
	case at.rest == "messages" && r.Method == http.MethodDelete:
		if err := s.authorize(at.Resource, q, "p"); err != nil {
			return err
		}
		messages.Clear()
	case of && r.Method == http.MethodDelete:
		if err := s.authorize(at.Resource, q, "p"); err != nil {
			return err
		}
		if err := messages.Delete(id, q.Get("popreceipt")); err != nil {
			return err
		}
	case of && r.Method == http.MethodPut:
		return s.updateMessage(w, r, at, messages, id)
	default:
		return errUnsupported(r)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *queues) properties(w http.ResponseWriter, r *http.Request, at location, messages *Messages) error {
	q := r.URL.Query()
	if q.Get("comp") != "metadata" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return errUnsupported(r)
	}
	if err := s.authorize(at.Resource, q, "r"); err != nil {
		return err
	}
	w.Header().Set("X-Ms-Approximate-Messages-Count", strconv.Itoa(messages.Len()))
	w.WriteHeader(http.StatusOK)
	return nil
}

// putMessage adds the message of the body.
func (s *queues) putMessage(w http.ResponseWriter, r *http.Request, at location, messages *Messages) error {
	q := r.URL.Query()
	if err := s.authorize(at.Resource, q, "a"); err != nil {
		return err
	}
	text, err := readMessage(r.Body)
	if err != nil {
		return err
	}
	if text == nil {
		return failure(http.StatusBadRequest, "RequiredXmlNodeNotFound", "A required XML node was not specified in the request body: MessageText.")
	}
	delay, err := seconds(q, "visibilitytimeout", 0, 0, messageLife)
	if err != nil {
		return err
	}
	life, err := seconds(q, "messagettl", messageLife, time.Second, 100*365*24*time.Hour)
	if q.Get("messagettl") == "-1" {
		life, err = 100*365*24*time.Hour, nil
	}
	if err != nil {
		return err
	}
	m := messages.Put(*text, delay, life)
	s.received.Add(1)
	shown := show(m)
	shown.PopReceipt, shown.TimeNextVisible = m.Receipt, m.Visible.UTC().Format(http.TimeFormat)
	return sendXML(w, http.StatusCreated, xmlMessages{Messages: []xmlMessage{shown}})
}

func readMessage(r io.Reader) (*string, error) {
	body, err := io.ReadAll(io.LimitReader(r, 2*maxMessage))
	if err != nil {
		return nil, err
	}
	var m xmlPut
	if err := xml.Unmarshal(body, &m); err != nil {
		return nil, failure(http.StatusBadRequest, "InvalidXmlDocument", "XML specified is not syntactically valid: %v", err)
	}
	if m.Text != nil && len(*m.Text) > maxMessage {
		return nil, failure(http.StatusBadRequest, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit of %d bytes.", maxMessage)
	}
	return m.Text, nil
}

func show(m Message) xmlMessage {
	return xmlMessage{
		MessageID:      m.ID,
		InsertionTime:  m.Inserted.UTC().Format(http.TimeFormat),
		ExpirationTime: m.Expires.UTC().Format(http.TimeFormat),
	}
}

// getMessages takes or shows messages.
func (s *queues) getMessages(w http.ResponseWriter, r *http.Request, at location, messages *Messages, peek bool) error {
	q := r.URL.Query()
	permissions := "p"
	if peek {
		permissions = "r"
	}
	if err := s.authorize(at.Resource, q, permissions); err != nil {
		return err
	}
	n := 1
	if text := q.Get("numofmessages"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > 32 {
			return errOutOfRange("numofmessages", text, "1", "32")
		}
	}
	hidden, err := seconds(q, "visibilitytimeout", 30*time.Second, time.Second, messageLife)
	if err != nil {
		return err
	}
	var got []Message
	if peek {
		got = messages.Peek(n)
	} else {
		got = messages.Get(n, hidden)
	}
	list := xmlMessages{Messages: []xmlMessage{}}
	for _, m := range got {
		shown := show(m)
		shown.DequeueCount, shown.MessageText = &m.Count, &m.Text
		if !peek {
			shown.PopReceipt, shown.TimeNextVisible = m.Receipt, m.Visible.UTC().Format(http.TimeFormat)
		}
		list.Messages = append(list.Messages, shown)
	}
	return sendXML(w, http.StatusOK, list)
}

// updateMessage hides a message for longer and may change its text.
func (s *queues) updateMessage(w http.ResponseWriter, r *http.Request, at location, messages *Messages, id string) error {
	q := r.URL.Query()
	if err := s.authorize(at.Resource, q, "u"); err != nil {
		return err
	}
	hidden, err := seconds(q, "visibilitytimeout", 0, 0, messageLife)
	if err != nil {
		return err
	}
	var text *string
	if r.ContentLength != 0 {
		if text, err = readMessage(r.Body); err != nil {
			return err
		}
	}
	m, err := messages.Update(id, q.Get("popreceipt"), text, hidden)
	if err != nil {
		return err
	}
	w.Header().Set("X-Ms-Popreceipt", m.Receipt)
	w.Header().Set("X-Ms-Time-Next-Visible", m.Visible.UTC().Format(http.TimeFormat))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// seconds reads a query parameter that is a number of seconds.
func seconds(q url.Values, name string, otherwise, least, most time.Duration) (time.Duration, error) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < int64(least/time.Second) || n > int64(most/time.Second) {
		return 0, errOutOfRange(name, text, strconv.Itoa(int(least/time.Second)), strconv.Itoa(int(most/time.Second)))
	}
	return time.Duration(n) * time.Second, nil
}

func errOutOfRange(name, text, least, most string) error {
	return failure(http.StatusBadRequest, "OutOfRangeQueryParameterValue",
		"One of the query parameters specified in the request URI is outside the permissible range: %s is %q, not from %s to %s.", name, text, least, most)
}

func sendXML(w http.ResponseWriter, status int, body any) error {
	text, err := xml.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, xml.Header[:len(xml.Header)-1]+string(text)) // the client has gone
	return nil
}
