package main

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// moreVariables are the variables that do not set a key.
var moreVariables = []string{
	"TVMEXPORT_CPUPROFILE", "TVMEXPORT_RECORD_KQL",
	wiring.KustoSecret, wiring.KustoSecret + "_FILE", wiring.KustoPassword, wiring.KustoPassword + "_FILE",
}

// azureVariables are those of azidentity whose values are no placeholders.
var azureVariables = []string{
	"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_SECRET_FILE", "AZURE_AUTHORITY_HOST",
	"AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD_FILE", "AZURE_FEDERATED_TOKEN_FILE",
	wiring.KustoSecret, wiring.KustoSecret + "_FILE", wiring.KustoPassword, wiring.KustoPassword + "_FILE",
}

// validate finds what is wrong with the configuration without a call.
func (p *process) validate() error {
	c, err := p.configuration()
	var found config.Mistakes
	if err != nil && !errors.As(err, &found) {
		found = config.Mistakes{err}
	}
	variables := moreVariables
	if err == nil {
		_, members, merr := config.Load(p.configFile(), p.env)
		found = append(found, unread(merr)...)
		for _, m := range members {
			found = append(found, validateMember(p, m)...)
			variables = slices.Concat(variables, m.Variables(), wiring.SecretVariables(m))
		}
	}
	found = append(found, config.UnknownVariables(p.environment, variables)...)
	found = append(found, config.Placeholders(p.env, azureVariables)...)
	if err == nil {
		if err := p.validateServe(c); err != nil {
			found = append(found, err)
		}
	}
	switch {
	case len(found) > 1:
		return found
	case err != nil:
		return err
	case len(found) == 1:
		return usage(found[0])
	}
	return nil
}

// unread is an error as a list, empty if there is none.
func unread(err error) config.Mistakes {
	if err == nil {
		return nil
	}
	return config.Mistakes{err}
}

// validateMember finds what is wrong with the settings of a tenant.
func validateMember(p *process, m config.Member) config.Mistakes {
	t := *p
	t.tenant = &m
	if _, err := t.configuration(); err != nil {
		var several config.Mistakes
		if errors.As(err, &several) {
			return several
		}
		return config.Mistakes{err}
	}
	return nil
}

// validateServe checks what serve alone looks at. That it would not listen
// without a guard is only said: the token may be set where serve runs.
func (p *process) validateServe(c config.Config) error {
	o := listenOptions(c)
	err := o.Check()
	if _, port, serr := net.SplitHostPort(o.Listen); err != nil && serr == nil && o.Token == "" && o.ClientCA == "" {
		o.Listen = net.JoinHostPort("127.0.0.1", port)
		if local := o.Check(); local != nil {
			return local
		}
		fmt.Fprintf(p.stderr, "note: %s\n", oneLine(err.Error()))
		return nil
	}
	return err
}
