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

// What the ingestion SDK asks the ingestion endpoint for. It does so from the
// first upload and from a timer, while it holds a mutex, not under the caller's
// context, and with repetitions of its own for minutes; it reports a failure as
// text. So prepareQueue asks in its place, and handed gives the SDK the answers
// as often as it asks: the SDK never waits for the endpoint, and needs no token.
const (
	askToken     = ".get kusto identity token"
	askResources = ".get ingestion resources"
)

// queueLife is how long uploads may begin with one SDK client. Its token and
// resources are good for an hour, as the SDK takes them; an upload ends within
// landTime.
const queueLife = time.Hour - landTime

// openQueue gives the SDK client that uploads go through. One upload at a time
// prepares it; the others wait for it under their own contexts.
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

// discardQueue lets the next upload prepare a fresh client, unless that has
// happened already. Uploads that use the old one go on: closing it only ends
// its timer.
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

// prepareQueue makes an SDK client that has all it needs of the endpoint.
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

// askIntake asks the ingestion endpoint for text columns and makes of the rows
// that check keeps an answer in the service's own form. An answer that check
// refuses is asked for again like one that failed.
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
		if err != nil { // it quotes no value: they are secrets
			return nil, &tvmexport.Error{
				Op: s.op, Table: s.table, Action: tvmexport.Retry,
				Err:  fmt.Errorf("%s %s answered %s with what no upload can use: %w", c.intake.setting, c.intake.uri, s.text, err),
				Hint: "kusto.ingest may be another address than the cluster's ingestion URI, as its page in the portal shows it, or a proxy or gateway may alter the answer",
			}
		}
		answer, err = written(columns, kept)
		return nil, err
	})
	return answer, err
}

// texts are the values of text columns.
func texts(rows []query.Row, columns []string) ([][]string, error) {
	out := make([][]string, len(rows))
	for i, row := range rows {
		for _, name := range columns {
			v, err := row.StringByName(name)
			if err != nil {
				return nil, fmt.Errorf("it has no text in column %s", name)
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

// checkResources keeps the two types that uploads need, and demands both. The
// SDK would fail at a root of any type that it cannot read.
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
			return nil, fmt.Errorf("none of its %d rows is a %s", len(rows), kind)
		}
	}
	return kept, nil
}
