package main

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/signin"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// parts are what a command is put together from.
type parts = wiring.Parts

// setup is what this process gives to the parts of a configuration.
func (p *process) setup(c config.Config) (wiring.Setup, error) {
	log, err := p.logger()
	return wiring.Setup{
		Config: c, Member: p.tenant, Env: p.env, Logger: log, Version: version,
		Clients: p.shared, Instrument: p.instrument, Advise: advise,
	}, err
}

// configured opens what the configuration names.
func (p *process) configured(ctx context.Context) (*parts, error) {
	c, err := p.configuration()
	if err != nil {
		return nil, err
	}
	return p.open(ctx, c)
}

// open prepares the sign-in to both sides and the destination. It makes no call yet.
func (p *process) open(ctx context.Context, c config.Config) (*parts, error) {
	s, err := p.setup(c)
	if err != nil {
		return nil, err
	}
	return wiring.Open(ctx, s)
}

// auth is how to sign in to both sides; one says that it is one sign-in.
func (p *process) auth(c config.Config, cloud hunting.Cloud) (defender, cluster signin.Options, one bool) {
	return wiring.Setup{Config: c, Member: p.tenant, Env: p.env}.Auth(cloud)
}

// tablesNamed are the catalogue's tables by name, the default ones if none is named.
func tablesNamed(names []string) ([]tvmexport.Table, error) {
	if len(names) == 0 {
		names = catalog.Default()
	}
	out := make([]tvmexport.Table, 0, len(names))
	for _, n := range names {
		t, ok := catalog.Table(n)
		if !ok {
			hint := "tvmexport tables lists the known tables"
			if near := catalog.Nearest(n); near != "" {
				hint = "did you mean " + near + "?"
			}
			return nil, usage(fmt.Errorf("table %q is not in the catalogue; %s", n, hint))
		}
		out = append(out, t)
	}
	return out, nil
}
