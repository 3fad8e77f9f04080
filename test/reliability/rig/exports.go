package rig

import (
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/spool"
)

// Exports makes a source of the export assessment APIs, which may use all of their quota.
// Close it before the rig.
func (r *Rig) Exports(o assessment.Options, s spool.Options) (*spool.Source, error) {
	at := r.Emulator.Endpoints()
	o.Endpoint, o.HTTPClient, o.Share = at.MDE, r.HTTP, 1
	o.Credential = &identity{emulator: r.Emulator, app: at.ClientID}
	client, err := assessment.New(o)
	if err != nil {
		return nil, err
	}
	return spool.New(client, s)
}
