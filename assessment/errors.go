package assessment

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/defender"
)

// unknownTable is about a table that none of the APIs has.
func unknownTable(op, table string) error {
	return &tvmexport.Error{
		Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.Rejected,
		Err: errors.New("the export assessment APIs have no such table"), Hint: "the catalogue lists the tables with their sources",
	}
}

func usage(op, table, hint string, err error) error {
	return &tvmexport.Error{Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: err, Hint: hint}
}

const linkHint = "the program sends no request there; if Microsoft serves this tenant from that host, set assessment.endpoint to it"

const provisionHint = "Defender for Endpoint is not set up in this tenant, or assessment.endpoint is not its API: let an administrator open https://security.microsoft.com once"

// errInvalidInput: the service refuses a parameter.
var errInvalidInput = errors.New("a parameter was refused")

// meaningOf says what a refusal means for a table
// (https://learn.microsoft.com/defender-endpoint/api/common-errors). paged says that the
// request has a token of a page.
func meaningOf(info catalog.Info, paged bool) func(defender.Refusal) *tvmexport.Error {
	return func(r defender.Refusal) *tvmexport.Error {
		stop := func(cause tvmexport.Cause, hint string, err error) *tvmexport.Error {
			return &tvmexport.Error{Action: tvmexport.Stop, Cause: cause, Hint: hint, Err: err}
		}
		switch {
		case r.Status == http.StatusForbidden && strings.EqualFold(r.Code, "DisabledFeature"):
			licence := info.Licence
			if licence == "" {
				licence = "Microsoft Defender for Endpoint Plan 2 or Microsoft Defender Vulnerability Management"
			}
			return stop(tvmexport.Permission, "the tenant has no licence for this data: it needs "+licence+"; deactivate the table, or assign the licence", r.Reason)
		case r.Status == http.StatusNotFound:
			return stop(tvmexport.Rejected, provisionHint, r.Reason)
		case r.Status == http.StatusBadRequest && paged:
			// How long the state of a walk can be read is not documented.
			return stop(tvmexport.Rejected, "", fmt.Errorf("%w: %w", tvmexport.ErrUnitExpired, r.Reason))
		case r.Status == http.StatusBadRequest:
			return stop(tvmexport.Rejected, "", fmt.Errorf("%w: %w", errInvalidInput, r.Reason))
		}
		return nil
	}
}

// storageCode is the code in an error of storage, which is XML.
var storageCode = regexp.MustCompile(`<Code>([A-Za-z]{1,60})</Code>`)

// meaningOfStorage says what a refusal of storage means. AuthenticationFailed is what is
// published of a signature that has expired.
func meaningOfStorage(at *url.URL) func(defender.Refusal) *tvmexport.Error {
	return func(r defender.Refusal) *tvmexport.Error {
		code := ""
		if m := storageCode.FindSubmatch(r.Text); m != nil {
			code = string(m[1])
		}
		e := &tvmexport.Error{Action: tvmexport.Stop, Cause: tvmexport.Rejected, Err: fmt.Errorf("HTTP %d %s of storage", r.Status, code)}
		switch {
		case r.Status == http.StatusForbidden && code == "AuthenticationFailed", r.Status == http.StatusNotFound && code != "":
			e.Err = fmt.Errorf("%w: %w", tvmexport.ErrUnitExpired, e.Err)
		case r.Status == http.StatusForbidden || r.Status == http.StatusUnauthorized:
			e.Cause, e.Hint = tvmexport.Permission, storageHint(at)
			if code == "" {
				e.Err = r.Reason
			}
		default:
			return nil
		}
		return e
	}
}

func storageHint(at *url.URL) string {
	return "the files of the export are at " + hostName(at) + ": allow HTTPS to it in proxies and firewalls, or set assessment.via to pages"
}

// sorted says what to do after an error about an address in an answer.
func sorted(err error) error {
	if errors.Is(err, errLink) {
		return &tvmexport.Error{Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: err, Hint: linkHint}
	}
	if errors.Is(err, tvmexport.ErrUnitExpired) {
		return &tvmexport.Error{Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: err}
	}
	return err
}

// handedOver marks an error of the writer of rows for the service.
func handedOver(err error) error {
	var handed *handedOn
	if errors.As(err, &handed) {
		return defender.HandedOn(handed.err)
	}
	return err
}

// service is the one that tokens are for, as the portal lists it.
const service = "WindowsDefenderATP"

// listError says what helps if Entra gives no token because of the service that it is for.
func (c *Client) listError(err error) error {
	var e *tvmexport.Error
	if errors.As(err, &e) {
		info, _ := catalog.Lookup(e.Table)
		e.Hint = cmp.Or(defender.TokenHint(err, service, info.Role), e.Hint)
	}
	return err
}

// pageError is the error of a page: one that has expired is listed again.
func (c *Client) pageError(err error) error {
	var e *tvmexport.Error
	if !errors.As(err, &e) {
		return err
	}
	if errors.Is(err, tvmexport.ErrUnitExpired) {
		e.Action = tvmexport.Retry
	}
	return c.listError(err)
}

// fileError is the error of a file.
func (c *Client) fileError(at *url.URL, err error) error {
	var e *tvmexport.Error
	if errors.As(err, &e) && e.Cause == tvmexport.Unknown {
		e.Hint = storageHint(at)
	}
	return c.pageError(err)
}
