package hunting

import (
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
)

// QuotaUsage implements tvmexport.Meter.
func (c *Client) QuotaUsage() tvmexport.QuotaUsage { return c.budget.QuotaUsage() }

// Begin implements tvmexport.Meter.
func (c *Client) Begin(others []tvmexport.QuotaUsage) { c.budget.Begin(others) }

// Usage says how much of the quota is used now.
func (c *Client) Usage() defender.Usage { return c.budget.Usage() }

// Quota is what this client may call, its share of the tenant's.
func (c *Client) Quota() defender.Quota { return c.budget.Quota() }

// Forecast estimates the duration of calls, as defender.Budget.Forecast does.
func (c *Client) Forecast(calls, chain, atOnce int, each time.Duration) defender.Forecast {
	return c.budget.Forecast(calls, chain, atOnce, each)
}

// Mean is how long the calls of this client have taken on the average.
func (c *Client) Mean() time.Duration { return c.service.Mean() }

// Stats says what the client has done so far.
func (c *Client) Stats() defender.Stats { return c.service.Stats(c.budget) }
