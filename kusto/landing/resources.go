package landing

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/kusto/conn"
)

// The commands that the ingestion SDK sends to the ingestion endpoint. It sends
// them from the first upload and from a timer, while it holds a mutex, without
// the caller's context, with its own retries for minutes, and reports a failure
// as text. Therefore prepareQueue sends them first, and type handed answers the
// SDK's own requests from what was received, each time: the SDK never waits for
// the endpoint and needs no credential.
const (
	AskToken     = ".get kusto identity token"
	AskResources = ".get ingestion resources"
)

// QueueLife is the age up to which uploads start with an SDK client. The SDK
// renews token and resources after an hour; an attempt to upload takes landTime
// at most.
const QueueLife = time.Hour - landTime

// OpenQueue returns the SDK client that uploads use. One upload at a time
// prepares it; the others wait, each under its own context.
func (q *Queue) OpenQueue(ctx context.Context, table string) (ingestor, error) {
	select {
	case q.preparing <- struct{}{}:
		defer func() { <-q.preparing }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	q.mu.Lock()
	queue, age := q.queue, time.Since(q.queued)
	q.mu.Unlock()
	if queue != nil && age < QueueLife {
		return queue, nil
	}
	began := time.Now()
	fresh, err := q.prepareQueue(ctx, table)
	if err != nil {
		return nil, err
	}
	q.discardQueue(queue)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue, q.queued = fresh, began
	return fresh, nil
}

// discardQueue makes the next upload prepare a fresh client, unless another
// upload has done so already. Uploads that use the old one continue: closing it
// only stops its timer.
func (q *Queue) discardQueue(queue ingestor) {
	q.mu.Lock()
	if q.queue == queue {
		q.queue = nil
	}
	q.mu.Unlock()
	if queue != nil {
		_ = queue.Close()
	}
}

// prepareQueue makes an SDK client with all that it needs from the endpoint.
func (q *Queue) prepareQueue(ctx context.Context, table string) (ingestor, error) {
	token, err := q.askIntake(ctx, conn.Statement{Op: "land", Table: table, Text: AskToken, Idempotent: true, One: true}, checkToken, "AuthorizationContext")
	if err != nil {
		return nil, err
	}
	resources, err := q.askIntake(ctx, conn.Statement{Op: "land", Table: table, Text: AskResources, Idempotent: true}, checkResources, "ResourceTypeName", "StorageRoot")
	if err != nil {
		return nil, err
	}
	queue, err := q.newQueue(map[string][]byte{AskToken: token, AskResources: resources})
	if err != nil {
		return nil, conn.Translate("land", table, q.conn.Intake, fmt.Errorf("open ingestion client: %w", err))
	}
	return queue, nil
}

// askIntake sends a command to the ingestion endpoint. It returns the rows that
// check keeps, as an answer in the service's own form.
func (q *Queue) askIntake(ctx context.Context, s conn.Statement, check func(rows [][]string) ([][]string, error), columns ...string) ([]byte, error) {
	kept, err := q.conn.AskStrings(ctx, s, check, columns...)
	if err != nil {
		return nil, err
	}
	return written(columns, kept)
}

func checkToken(rows [][]string) ([][]string, error) {
	if rows[0][0] == "" {
		return nil, errors.New("the token is empty")
	}
	return rows, nil
}

// checkResources keeps the two types that uploads need and requires both. Other
// types are left out: the SDK fails if it cannot parse the root of any row.
func checkResources(rows [][]string) (kept [][]string, err error) {
	const container, queue = "TempStorage", "SecuredReadyForAggregationQueue"
	count := map[string]int{}
	for _, row := range rows {
		if row[0] != container && row[0] != queue {
			continue
		}
		if u, err := url.Parse(row[1]); err != nil || u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") == "" {
			return nil, fmt.Errorf("the root of a %s is not an https URI with a path", row[0])
		}
		count[row[0]]++
		kept = append(kept, row)
	}
	for _, kind := range []string{container, queue} {
		if count[kind] == 0 {
			return nil, fmt.Errorf("none of its %d rows has the type %s", len(rows), kind)
		}
	}
	return kept, nil
}
