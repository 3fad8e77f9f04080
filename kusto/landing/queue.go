package landing

import (
	"sync"
	"time"

	"github.com/Azure/azure-kusto-go/azkustoingest"

	"github.com/tvmexport/tvmexport/kusto/conn"
)

const uploadBuffer = 4 << 20

// Queue uploads batches and queues them for ingestion. It is safe for
// concurrent use.
type Queue struct {
	conn      *conn.Conn
	uploads   chan struct{} // one token per upload under way
	preparing chan struct{} // holds one while somebody opens the queue
	newQueue  func(answers map[string][]byte) (ingestor, error)

	mu     sync.Mutex
	queue  ingestor
	queued time.Time // when its preparation began
}

// ingestor is what uploads need of the SDK.
type ingestor = azkustoingest.Ingestor

// New makes a queue for that many uploads at once, each of which
// takes one buffer of uploadBuffer bytes. Nothing is sent before the first.
func New(to *conn.Conn, concurrency int) *Queue {
	return &Queue{
		conn: to, uploads: make(chan struct{}, concurrency), preparing: make(chan struct{}, 1),
		newQueue: func(answers map[string][]byte) (ingestor, error) {
			address, hc := to.Uploading() // what needs a token is in answers
			hc.Transport = handed{answers: answers, storage: hc.Transport}
			return azkustoingest.New(address,
				azkustoingest.WithoutEndpointCorrection(), // the URI is the ingestion one already
				azkustoingest.WithHttpClient(hc),
				azkustoingest.WithDefaultDatabase(to.Database),
				azkustoingest.WithStaticBuffer(uploadBuffer, 1))
		},
	}
}

// Close ends what the SDK does in the background.
func (q *Queue) Close() error {
	q.mu.Lock()
	queue := q.queue
	q.queue = nil
	q.mu.Unlock()
	if queue == nil {
		return nil
	}
	return queue.Close()
}
