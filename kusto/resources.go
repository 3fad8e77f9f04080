package kusto

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata/query"

	"github.com/tvmexport/tvmexport"
)

// The commands that the ingestion SDK sends to the ingestion endpoint. It sends
// them from the first upload and from a timer, while it holds a mutex, without
// the caller's context, with its own retries for minutes, and reports a failure
// as text. Therefore prepareQueue sends them first, and type handed answers the
// SDK's own requests from what was received, each time: the SDK never waits for
// the endpoint and needs no credential.
const (
	askToken     = ".get kusto identity token"
	askResources = ".get ingestion resources"
)

// queueLife is the age up to which uploads start with an SDK client. The SDK
// renews token and resources after an hour; an attempt to upload takes landTime
// at most.
const queueLife = time.Hour - landTime

// openQueue returns the SDK client that uploads use. One upload at a time
// prepares it; the others wait, each under its own context.
func (c *Client) openQueue(ctx context.Context, table string) (ingestor, error) {
	select {
	case c.preparing <- struct{}{}:
		defer func() { <-c.preparing }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c.mu.Lock()
	queue, age := c.queue, time.Since(c.queued)
	c.mu.Unlock()
	if queue != nil && age < queueLife {
		return queue, nil
	}
	began := time.Now()
	fresh, err := c.prepareQueue(ctx, table)
	if err != nil {
		return nil, err
	}
	c.discardQueue(queue)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue, c.queued = fresh, began
	return fresh, nil
}

// discardQueue makes the next upload prepare a fresh client, unless another
// upload has done so already. Uploads that use the old one continue: closing it
// only stops its timer.
func (c *Client) discardQueue(queue ingestor) {
	c.mu.Lock()
	if c.queue == queue {
		c.queue = nil
	}
	c.mu.Unlock()
	if queue != nil {
		_ = queue.Close()
	}
}

// prepareQueue makes an SDK client with all that it needs from the endpoint.
func (c *Client) prepareQueue(ctx context.Context, table string) (ingestor, error) {
	token, err := c.askIntake(ctx, statement{op: "land", table: table, text: askToken, again: true, one: true}, checkToken, "AuthorizationContext")
	if err != nil {
		return nil, err
	}
	resources, err := c.askIntake(ctx, statement{op: "land", table: table, text: askResources, again: true}, checkResources, "ResourceTypeName", "StorageRoot")
	if err != nil {
		return nil, err
	}
	queue, err := c.newQueue(map[string][]byte{askToken: token, askResources: resources})
	if err != nil {
		return nil, translate("land", table, c.intake, fmt.Errorf("open ingestion client: %w", err))
	}
	return queue, nil
}

// askIntake sends a command to the ingestion endpoint and reads string columns.
// It returns the rows that check keeps, as an answer in the service's own form.
// An answer that check refuses is requested again, like one that failed.
func (c *Client) askIntake(ctx context.Context, s statement, check func(rows [][]string) ([][]string, error), columns ...string) (answer []byte, err error) {
	_, err = c.execute(ctx, c.intake, s, func(ctx context.Context) ([]query.Row, error) {
		data, err := c.intake.client.Mgmt(ctx, "NetDefaultDB", stmt(s.text))
		if err != nil {
			return nil, err
		}
		rows, err := s.rows(data.Tables())
		if err != nil {
			return nil, err
		}
		kept, err := texts(rows, columns)
		if err == nil {
			kept, err = check(kept)
		}
		if err != nil { // values are secrets: none is quoted
			return nil, &tvmexport.Error{
				Op: s.op, Table: s.table, Action: tvmexport.Retry,
				Err:  fmt.Errorf("the answer of %s %s to %s cannot be used for uploads: %w", c.intake.setting, c.intake.uri, s.text, err),
				Hint: "check that kusto.ingest is the ingestion URI from the cluster's page in the portal, not the query URI, and that no proxy or gateway alters answers",
			}
		}
		answer, err = written(columns, kept)
		return nil, err
	})
	return answer, err
}

// texts are the values of string columns.
func texts(rows []query.Row, columns []string) ([][]string, error) {
	out := make([][]string, len(rows))
	for i, row := range rows {
		for _, name := range columns {
			v, err := row.StringByName(name)
			if err != nil {
				return nil, fmt.Errorf("column %s is missing or is not a string", name)
			}
			out[i] = append(out[i], v)
		}
	}
	return out, nil
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
