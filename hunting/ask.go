package hunting

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
)

// question is a query to be posted.
type question struct {
	op, table string
	text      string
	handsOn   bool // rows go on as they come: an answer that breaks off cannot be taken again
	divisible bool // less can be asked for at a time: what takes too long is not repeated
}

// ask posts a question until it is answered, and lets read take the answer.
func (c *Client) ask(ctx context.Context, q question, read func(*body) error) (tvmexport.Answer, error) {
	r, err := c.service.Do(ctx, defender.Call{
		Op: q.op, Table: q.table, Budget: c.budget, HandsOn: q.handsOn, Divisible: q.divisible,
		Request: func(ctx context.Context) (*http.Request, error) { return c.request(ctx, q.text) },
		Read: func(answer *defender.Body) error {
			s, err := answer.JSON()
			if err == nil {
				err = read(&body{Stream: s})
			}
			if errors.Is(err, errTooMany) {
				return &tvmexport.Error{Action: tvmexport.Split, Cause: tvmexport.Integrity, Err: err}
			}
			return err
		},
		Meaning: meaning, Permission: c.o.API.permission(), Asked: slog.String("query", q.text),
	})
	return tvmexport.Answer{Calls: r.Calls, Request: r.Request, Bytes: r.Bytes, Took: r.Took}, err
}

func (c *Client) request(ctx context.Context, query string) (*http.Request, error) {
	text, err := json.Marshal(struct{ Query string }{query})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Accept", "application/json")
	return r, nil
}
