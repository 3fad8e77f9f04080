package main

import (
	"github.com/tvmexport/tvmexport/fleet"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// shares are what the tenants of a serve have in common.
type shares struct {
	exports *fleet.Pool // tenants that are exported
	reads   *fleet.Pool // tenants whose ledger is read
	clients *wiring.Clients
}
