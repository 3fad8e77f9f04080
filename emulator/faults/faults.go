// Package faults injects faults into the emulated services: it answers with errors in
// their place, delays and cuts answers, changes rows, and loses, duplicates or delays
// the messages of queued ingestion.
//
// Faults are rules, in Go or as JSON. A rule names an endpoint, selects requests there,
// and says what happens to them:
//
//	{"endpoint": "graph", "match": "DeviceTvm", "after": 3, "count": 2, "status": 429,
//	 "headers": {"Retry-After": "7"}}
//
// This rule lets three hunting queries on Graph that contain DeviceTvm pass, answers the
// next two with 429, and lets all later ones pass.
package faults

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Endpoint is a place where faults can happen.
type Endpoint string

// The endpoints. Delivery is not an HTTP endpoint: its rules apply when the ingestion
// service reads a message.
const (
	Graph       Endpoint = "graph"        // hunting on Microsoft Graph
	XDR         Endpoint = "xdr"          // hunting on the Defender XDR API
	MDE         Endpoint = "mde"          // hunting on the Defender for Endpoint API
	Assessment  Endpoint = "assessment"   // the export assessment APIs; their files are on blob
	Token       Endpoint = "token"        // token requests, also of managed identities
	Discovery   Endpoint = "discovery"    // metadata of the sign-in endpoint
	KustoQuery  Endpoint = "kusto-query"  // queries
	KustoMgmt   Endpoint = "kusto-mgmt"   // management commands
	KustoIngest Endpoint = "kusto-ingest" // streaming ingestion
	KustoAuth   Endpoint = "kusto-auth"   // sign-in metadata of a cluster
	IngestMgmt  Endpoint = "ingest-mgmt"  // commands of the ingestion service
	Blob        Endpoint = "blob"         // storage: queued ingestion, and files of the export APIs
	Queue       Endpoint = "queue"
	Table       Endpoint = "table"
	Delivery    Endpoint = "delivery"
)

// Endpoints are all of them.
func Endpoints() []Endpoint {
	return []Endpoint{
		Graph, XDR, MDE, Assessment, Token, Discovery, KustoQuery, KustoMgmt, KustoIngest, KustoAuth, IngestMgmt, Blob, Queue, Table, Delivery,
	}
}

// Rule is one fault. The first group of fields selects requests, the second one says
// what happens to them. If several rules select a request, the oldest one applies.
type Rule struct {
	Endpoint    Endpoint `json:"endpoint"`
	Tenant      string   `json:"tenant,omitempty"`      // only what this tenant does; "" means all
	Match       string   `json:"match,omitempty"`       // text that the query, command, path or message contains; "" matches all
	After       int      `json:"after,omitempty"`       // the first After matching requests pass
	Count       int      `json:"count,omitempty"`       // at most Count requests are hit; 0 means no limit
	Every       int      `json:"every,omitempty"`       // only every n-th request is hit; 0 and 1 mean all
	Probability float64  `json:"probability,omitempty"` // share of the requests that are hit, at random; 0 means all
	Seed        uint64   `json:"seed,omitempty"`        // of Probability

	Status       int                        `json:"status,omitempty"`       // answer with this status, 200 to 599
	Body         string                     `json:"body,omitempty"`         // and this body; "" means the service's own error for the status
	Headers      map[string]string          `json:"headers,omitempty"`      // and these headers
	Apply        bool                       `json:"apply,omitempty"`        // execute the request before answering Status
	Delay        Duration                   `json:"delay,omitempty"`        // wait first
	CutAfter     int                        `json:"cutAfter,omitempty"`     // close the connection after this many bytes of the answer's body
	TruncateJSON bool                       `json:"truncateJSON,omitempty"` // end the answer's body early, as if it were complete
	DropRows     int                        `json:"dropRows,omitempty"`     // omit this many rows at the end of an answer; its JSON stays valid
	RepeatRows   int                        `json:"repeatRows,omitempty"`   // repeat this many rows at the end of an answer
	HideRows     int                        `json:"hideRows,omitempty"`     // hide this many rows of each table from a hunting query
	Values       string                     `json:"values,omitempty"`       // of the answer's rows: "null", or "retyped" (texts become numbers, others texts)
	Set          map[string]json.RawMessage `json:"set,omitempty"`          // by column: JSON that replaces the values in rows of a hunting answer
	Rows         int                        `json:"rows,omitempty"`         // with Set: only in the first Rows rows; 0 means all
	Replay       bool                       `json:"replay,omitempty"`       // answer as the same text was answered first since the rule is active
	ResetAfter   int                        `json:"resetAfter,omitempty"`   // reset the connection after this many bytes of the request's body
	LieGzip      bool                       `json:"lieGzip,omitempty"`      // declare the body as compressed, which it is not
	Late         Duration                   `json:"late,omitempty"`         // with Status: execute the request this long after the answer
	ExpireToken  bool                       `json:"expireToken,omitempty"`  // treat the bearer token as expired
	RevokeToken  bool                       `json:"revokeToken,omitempty"`  // refuse the bearer token from now on at all endpoints
	ExpireSAS    bool                       `json:"expireSAS,omitempty"`    // treat the shared access signature as expired
	Delivery     string                     `json:"delivery,omitempty"`     // of a message: lost, duplicate, duplicate:2h, late:30s, transient, failed, partial:3, partial:3:30s
}

// withAnswers are the endpoints whose answers have rows.
var withAnswers = []Endpoint{Graph, XDR, MDE, KustoQuery, KustoMgmt, IngestMgmt}

// Duration is a time.Duration that is text in JSON, such as "1.5s".
type Duration time.Duration

// MarshalText is the form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads Go's form of a duration. A negative one is refused.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as \"1.5s\"", text)
	}
	if parsed < 0 {
		return fmt.Errorf("%q is negative", text)
	}
	*d = Duration(parsed)
	return nil
}

// Parse reads one rule or a list of rules. An unknown field is an error that
// names it, and so is a rule that could never do anything.
func Parse(text []byte) ([]Rule, error) {
	trimmed := strings.TrimLeft(string(text), " \t\r\n")
	var rules []Rule
	if strings.HasPrefix(trimmed, "[") {
		if err := decode(trimmed, &rules); err != nil {
			return nil, err
		}
	} else {
		var one Rule
		if err := decode(trimmed, &one); err != nil {
			return nil, err
		}
		rules = []Rule{one}
	}
	for i, r := range rules {
		if err := r.Validate(); err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
	}
	return rules, nil
}

// decode reads exactly one JSON value into target, without unknown fields.
func decode(text string, target any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(target); err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	if d.More() {
		return fmt.Errorf("read the rules: something follows the JSON value; send one rule or one list")
	}
	return nil
}

// Validate says what is wrong with the rule, or nil.
func (rule Rule) Validate() error {
	if !slices.Contains(Endpoints(), rule.Endpoint) {
		return fmt.Errorf("endpoint %q is not known; it is one of %v", rule.Endpoint, Endpoints())
	}
	for name, n := range map[string]int{
		"after": rule.After, "count": rule.Count, "every": rule.Every, "cutAfter": rule.CutAfter, "dropRows": rule.DropRows,
		"repeatRows": rule.RepeatRows, "hideRows": rule.HideRows, "resetAfter": rule.ResetAfter, "rows": rule.Rows,
	} {
		if n < 0 {
			return fmt.Errorf("%s is %d; it must not be negative", name, n)
		}
	}
	if rule.Probability < 0 || rule.Probability > 1 {
		return fmt.Errorf("probability is %v; it must be between 0 and 1", rule.Probability)
	}
	if rule.Status != 0 && (rule.Status < 200 || rule.Status > 599) {
		return fmt.Errorf("status is %d; it must be between 200 and 599", rule.Status)
	}
	if rule.Tenant != "" && slices.Contains([]Endpoint{Blob, Queue, Table}, rule.Endpoint) {
		return fmt.Errorf("tenant does not apply to endpoint %q: tenants share the storage; files of the export APIs have OrgId=TENANT_ID in their path, for match", rule.Endpoint)
	}
	if rule.Status == 0 && (rule.Body != "" || rule.Apply || rule.Late > 0) {
		return fmt.Errorf("body, apply and late need a status")
	}
	if rule.Apply && rule.Late > 0 {
		return fmt.Errorf("apply and late exclude each other")
	}
	if rule.Endpoint == Delivery {
		if _, err := parseDelivery(rule.Delivery); err != nil {
			return err
		}
		if rule.isHTTP() {
			return fmt.Errorf("endpoint %q takes only the action delivery", Delivery)
		}
		return nil
	}
	switch {
	case rule.Delivery != "":
		return fmt.Errorf("the action delivery needs endpoint %q", Delivery)
	case !rule.isHTTP():
		return fmt.Errorf("it says nothing to do; give status, delay, cutAfter, truncateJSON, resetAfter, dropRows, repeatRows, hideRows, values, set, replay, lieGzip, expireToken, revokeToken or expireSAS")
	case rule.DropRows > 0 && !slices.Contains(withAnswers, rule.Endpoint):
		return fmt.Errorf("dropRows needs an endpoint whose answers have rows, one of %v, not %q", withAnswers, rule.Endpoint)
	case rule.RepeatRows > 0 && !slices.Contains(withAnswers, rule.Endpoint):
		return fmt.Errorf("repeatRows needs an endpoint whose answers have rows, one of %v, not %q", withAnswers, rule.Endpoint)
	case rule.Values != "" && !slices.Contains(withAnswers, rule.Endpoint):
		return fmt.Errorf("values needs an endpoint whose answers have rows, one of %v, not %q", withAnswers, rule.Endpoint)
	case rule.Values != "" && rule.Values != nullValues && rule.Values != retypedValues:
		return fmt.Errorf("values is %q; it is %s or %s", rule.Values, nullValues, retypedValues)
	case len(rule.Set) > 0 && !slices.Contains([]Endpoint{Graph, XDR, MDE}, rule.Endpoint):
		return fmt.Errorf("set needs endpoint graph, xdr or mde, not %q", rule.Endpoint)
	case rule.Rows > 0 && len(rule.Set) == 0:
		return fmt.Errorf("rows needs set")
	case rule.HideRows > 0 && !slices.Contains([]Endpoint{Graph, XDR, MDE}, rule.Endpoint):
		return fmt.Errorf("hideRows needs endpoint graph, xdr or mde, not %q", rule.Endpoint)
	case rule.Replay && !slices.Contains(withAnswers, rule.Endpoint):
		return fmt.Errorf("replay needs an endpoint whose answers have rows, one of %v, not %q", withAnswers, rule.Endpoint)
	case rule.ExpireSAS && !slices.Contains([]Endpoint{Blob, Queue, Table}, rule.Endpoint):
		return fmt.Errorf("expireSAS needs endpoint blob, queue or table, not %q", rule.Endpoint)
	case rule.ExpireToken && slices.Contains([]Endpoint{Blob, Queue, Table, Token, Discovery, KustoAuth}, rule.Endpoint):
		return fmt.Errorf("expireToken needs an endpoint that takes a bearer token, not %q", rule.Endpoint)
	case rule.RevokeToken && slices.Contains([]Endpoint{Blob, Queue, Table, Token, Discovery, KustoAuth}, rule.Endpoint):
		return fmt.Errorf("revokeToken needs an endpoint that takes a bearer token, not %q", rule.Endpoint)
	}
	return nil
}

// isHTTP says whether the rule has an action on HTTP requests.
func (rule Rule) isHTTP() bool {
	return rule.Status != 0 || len(rule.Headers) > 0 || rule.Delay != 0 || rule.CutAfter != 0 || rule.ResetAfter > 0 ||
		rule.TruncateJSON || rule.LieGzip || rule.ExpireToken || rule.RevokeToken || rule.ExpireSAS ||
		rule.rewrites() || rule.HideRows > 0 || rule.Replay
}

// rewrites says whether the rule changes the rows of answers.
func (rule Rule) rewrites() bool {
	return rule.DropRows > 0 || rule.RepeatRows > 0 || rule.Values != "" || len(rule.Set) > 0
}
