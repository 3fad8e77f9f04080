package assessment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// Addresses at foreign hosts are refused by name, before a request goes there.
func TestForeignHosts(t *testing.T) {
	for name, tt := range map[string]struct {
		change    func(*assessment.Options)
		old, text string
	}{
		"files": {nil, "tvmexportstrprdeus.blob.core.windows.net", "storage.evil.example"},
		"pages": {byPages, `"@odata.nextLink":"https://`, `"@odata.nextLink":"https://evil.example/`},
	} {
		t.Run(name, func(t *testing.T) {
			s, way := altered(t, replaced(tt.old, tt.text))
			_, err := s.client(t, tt.change).List(t.Context(), tableNamed(t, vulnerabilities))
			if err == nil || !strings.Contains(err.Error(), "evil.example") || strings.Contains(err.Error(), "sig=") || strings.Contains(err.Error(), "skiptoken=") {
				t.Fatal(err)
			}
			if tvmexport.CauseOf(err) != tvmexport.Integrity || tvmexport.ActionOf(err) != tvmexport.Stop || len(way.asked) != 1 {
				t.Errorf("%d requests: %v", len(way.asked), err)
			}
		})
	}
}

// Tokens go to the API and never to storage.
func TestTokensStayAtTheAPI(t *testing.T) {
	s, way := altered(t, nil)
	c := s.client(t, nil)
	walk(t, c, vulnerabilities, list(t, c, vulnerabilities))
	signed, downloads := 0, 0
	for _, r := range way.asked {
		hasToken := r.Header.Get("Authorization") != ""
		switch api := strings.HasPrefix(r.URL.Path, "/api/"); {
		case api != hasToken:
			t.Errorf("%s%s: with a token: %t", r.URL.Host, r.URL.Path, hasToken)
		case api:
			signed++
		default:
			downloads++
		}
	}
	if signed != 1 || downloads == 0 {
		t.Errorf("%d calls and %d downloads", signed, downloads)
	}
}

// What the service refuses is explained: permission, licence, and a tenant without the API.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name  string
		table string
		roles []string
		fault faults.Rule
		want  []string
		cause tvmexport.Cause
	}{
		{"role", vulnerabilities, []string{"Software.Read.All"}, faults.Rule{}, []string{"Vulnerability.Read.All on WindowsDefenderATP", "403"}, tvmexport.Permission},
		{
			"licence", "TvmCertificates", nil,
			faults.Rule{Status: 403, Body: `{"error":{"code":"DisabledFeature","message":"Tenant feature isn't enabled","target":"1"}}`},
			[]string{"licence", "Microsoft Defender Vulnerability Management", "DisabledFeature"},
			tvmexport.Permission,
		},
		{
			"licence of the others", vulnerabilities, nil,
			faults.Rule{Status: 403, Body: `{"error":{"code":"DisabledFeature","message":"Tenant feature isn't enabled"}}`},
			[]string{"licence", "Plan 2"},
			tvmexport.Permission,
		},
		{"provision", vulnerabilities, nil, faults.Rule{Status: 404}, []string{"not set up in this tenant"}, tvmexport.Rejected},
		{"input", vulnerabilities, nil, faults.Rule{Status: 400, Body: `{"error":{"code":"InvalidInput","message":"no"}}`}, []string{"InvalidInput"}, tvmexport.Rejected},
		{"page of a proxy", vulnerabilities, nil, faults.Rule{Status: 403, Body: `<html><title>Blocked</title></html>`}, []string{"Blocked", "proxy"}, tvmexport.Permission},
	} {
		for way, change := range map[string]func(*assessment.Options){"files": nil, "pages": byPages} {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				s := newService(t, emulatortest.Devices(2), emulatortest.CVEs(100))
				if tt.fault.Status > 0 {
					tt.fault.Endpoint = faults.Assessment
					if _, err := s.Inject(tt.fault); err != nil {
						t.Fatal(err)
					}
				}
				c := s.client(t, func(o *assessment.Options) {
					o.Credential = &signIn{of: s.Emulator, roles: tt.roles}
					if change != nil {
						change(o)
					}
				})
				_, err := c.List(t.Context(), tableNamed(t, tt.table))
				if err == nil || tvmexport.CauseOf(err) != tt.cause || tvmexport.ActionOf(err) != tvmexport.Stop {
					t.Fatalf("cause %d, action %d: %v", tvmexport.CauseOf(err), tvmexport.ActionOf(err), err)
				}
				for _, want := range tt.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("the error does not have %q: %v", want, err)
					}
				}
			})
		}
	}
}

// Files whose links expire, and files that storage refuses for another reason.
func TestStorageRefusals(t *testing.T) {
	const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>%s</Code><Message>secret</Message></Error>`
	for _, tt := range []struct {
		rule    faults.Rule
		expired bool
		want    string
	}{
		{faults.Rule{ExpireSAS: true}, true, "403 AuthenticationFailed"},
		{faults.Rule{Status: 403, Body: fmt.Sprintf(xml, "AuthenticationFailed")}, true, "403"},
		{faults.Rule{Status: 404, Body: fmt.Sprintf(xml, "BlobNotFound")}, true, "BlobNotFound"},
		{faults.Rule{Status: 403, Body: fmt.Sprintf(xml, "AuthorizationFailure")}, false, `"tvmexportstrprdeus.blob.core.windows.net"`},
		{faults.Rule{Status: 403, Body: `<html><title>Blocked</title>`}, false, "assessment.via"},
	} {
		s := newService(t, emulatortest.Devices(4), emulatortest.CVEs(100))
		c := s.client(t, nil)
		l := list(t, c, vulnerabilities)
		tt.rule.Endpoint = faults.Blob
		if _, err := s.Inject(tt.rule); err != nil {
			t.Fatal(err)
		}
		_, err := c.FetchUnit(t.Context(), tableNamed(t, vulnerabilities), l.Units[0], &collected{t: t})
		if err == nil || isExpired(err) != tt.expired || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sig=") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", tt.rule, err)
		}
		if tt.expired && tvmexport.ActionOf(err) != tvmexport.Retry {
			t.Errorf("the action is %d", tvmexport.ActionOf(err))
		}
	}
}
