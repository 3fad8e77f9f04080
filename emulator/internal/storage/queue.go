package storage

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// messageLife is how long a message stays if nobody says otherwise.
const messageLife = 7 * 24 * time.Hour

// Messages are those of one queue.
type Messages struct {
	now     func() time.Time
	arrived chan struct{}

	mu       sync.Mutex
	messages []*Message
}

// Message is one message of a queue. Text is what the client put in, mostly
// base64.
type Message struct {
	ID       string
	Text     string
	Receipt  string // changes whenever the message is got or updated
	Inserted time.Time
	Expires  time.Time
	Visible  time.Time // from when it can be got
	Count    int       // how often it was got
}

// Arrived gets a signal after messages were put in since the last signal.
func (q *Messages) Arrived() <-chan struct{} { return q.arrived }

// Put adds a message that is visible after delay and lives for life, 0 for
// seven days.
func (q *Messages) Put(text string, delay, life time.Duration) Message {
	if life == 0 {
		life = messageLife
	}
	now := q.now()
	m := &Message{
		ID: uuid.NewString(), Text: text, Receipt: uuid.NewString(),
		Inserted: now, Expires: now.Add(life), Visible: now.Add(delay),
	}
	made := *m // m belongs to the queue from here on
	q.mu.Lock()
	q.messages = append(q.messages, m)
	q.mu.Unlock()
	select {
	case q.arrived <- struct{}{}:
	default:
	}
	return made
}

// expire drops expired messages. The caller holds the lock.
func (q *Messages) expire(now time.Time) {
	q.messages = slices.DeleteFunc(q.messages, func(m *Message) bool { return !now.Before(m.Expires) })
}

// Get takes up to n visible messages, oldest first, and hides them for a while.
func (q *Messages) Get(n int, hidden time.Duration) []Message {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expire(now)
	var got []Message
	for _, m := range q.messages {
		if len(got) == n {
			break
		}
		if now.Before(m.Visible) {
			continue
		}
		m.Visible, m.Receipt = now.Add(hidden), uuid.NewString()
		m.Count++
		got = append(got, *m)
	}
	return got
}

// Peek shows up to n visible messages and leaves them as they are.
func (q *Messages) Peek(n int) []Message {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expire(now)
	var got []Message
	for _, m := range q.messages {
		if len(got) < n && !now.Before(m.Visible) {
			got = append(got, *m)
		}
	}
	return got
}

// Len is how many messages there are, hidden ones included.
func (q *Messages) Len() int {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expire(now)
	return len(q.messages)
}

// change calls f with the place of the message that has id and the receipt of
// its last Get. The error says which of both is wrong.
func (q *Messages) change(id, receipt string, f func(i int)) error {
	now := q.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expire(now)
	i := slices.IndexFunc(q.messages, func(m *Message) bool { return m.ID == id })
	switch {
	case i < 0:
		return failure(404, "MessageNotFound", "The specified message does not exist.")
	case q.messages[i].Receipt != receipt:
		return failure(400, "PopReceiptMismatch", "The specified pop receipt did not match the pop receipt for a dequeued message.")
	}
	f(i)
	return nil
}

// Delete removes a message that was got.
func (q *Messages) Delete(id, receipt string) error {
	return q.change(id, receipt, func(i int) { q.messages = slices.Delete(q.messages, i, i+1) })
}

// Update hides a message that was got for a while longer and, if text is not
// nil, changes its text.
func (q *Messages) Update(id, receipt string, text *string, hidden time.Duration) (Message, error) {
	var updated Message
	err := q.change(id, receipt, func(i int) {
		m := q.messages[i]
		m.Visible, m.Receipt = q.now().Add(hidden), uuid.NewString()
		if text != nil {
			m.Text = *text
		}
		updated = *m
	})
	return updated, err
}

// Clear removes all messages.
func (q *Messages) Clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = nil
}
