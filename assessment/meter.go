package assessment

import (
	"maps"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
)

// endpoints begins the name of each path in tvmexport.QuotaUsage.
const endpoints = "assessment/"

// Begin implements tvmexport.Meter.
func (c *Client) Begin(others []tvmexport.QuotaUsage) {
	c.learned.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.others = map[string][]tvmexport.QuotaUsage{}
	for _, u := range others {
		for name, usage := range u.Endpoints {
			if path, ours := strings.CutPrefix(name, endpoints); ours {
				c.others[path] = append(c.others[path], usage)
			}
		}
	}
	for path, b := range c.budgets {
		b.Begin(c.others[path])
	}
	c.files.Begin(nil)
}

// QuotaUsage implements tvmexport.Meter: the calls for lists and pages, by path.
func (c *Client) QuotaUsage() tvmexport.QuotaUsage {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := tvmexport.QuotaUsage{Endpoints: make(map[string]tvmexport.QuotaUsage, len(c.budgets))}
	for path, b := range c.budgets {
		out.Endpoints[endpoints+path] = b.QuotaUsage()
	}
	return out
}

// Stats says what the client has done so far, downloads included.
func (c *Client) Stats() defender.Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.service.Stats(append(slices.Collect(maps.Values(c.budgets)), c.files)...)
}
