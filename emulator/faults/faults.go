// Package faults disturbs the emulated services on purpose: it answers errors in
// their place, delays and cuts answers, and loses, doubles or delays the messages
// of queued ingestion.
//
// Faults are rules, given as JSON. A rule names an endpoint, says which of the
// requests there it is about, and what happens to them:
//
//	{"endpoint": "graph", "match": "DeviceTvm", "after": 3, "count": 2, "status": 429,
//	 "headers": {"Retry-After": "7"}}
//
// is: of the hunting queries on Graph that mention DeviceTvm, let three pass, then
// answer two with 429, then let all pass.
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

// The endpoints. Delivery is not an HTTP endpoint but the moment when a message
// of queued ingestion is read.
const (
	Graph       Endpoint = "graph"
	XDR         Endpoint = "xdr"
	MDE         Endpoint = "mde"
	Token       Endpoint = "token"
	Discovery   Endpoint = "discovery" // of the sign-in endpoint's metadata
	KustoQuery  Endpoint = "kusto-query"
	KustoMgmt   Endpoint = "kusto-mgmt"
	KustoIngest Endpoint = "kusto-ingest" // streaming ingestion
	KustoAuth   Endpoint = "kusto-auth"   // how to sign in to a cluster
	IngestMgmt  Endpoint = "ingest-mgmt"
	Blob        Endpoint = "blob"
	Queue       Endpoint = "queue"
	Table       Endpoint = "table"
	Delivery    Endpoint = "delivery"
)

// Endpoints are all of them.
func Endpoints() []Endpoint {
	return []Endpoint{
		Graph, XDR, MDE, Token, Discovery, KustoQuery, KustoMgmt, KustoIngest, KustoAuth, IngestMgmt, Blob, Queue, Table, Delivery,
	}
}

// Rule is one fault. The first group of fields selects requests, the second says
// what happens. A request that several rules select gets the first of them.
type Rule struct {
	Endpoint    Endpoint `json:"endpoint"`
	Match       string   `json:"match,omitempty"`       // text in the query, command, path or message; "" matches all
	After       int      `json:"after,omitempty"`       // this many matching requests pass first
	Count       int      `json:"count,omitempty"`       // then at most this many are hit; 0 means no bound
	Every       int      `json:"every,omitempty"`       // of these only each n-th; 0 and 1 mean each
	Probability float64  `json:"probability,omitempty"` // of these only this share, by chance; 0 means all
	Seed        uint64   `json:"seed,omitempty"`        // of the chance

	Status       int                        `json:"status,omitempty"`       // answer this status
	Body         string                     `json:"body,omitempty"`         // with this body; "" means the service's own shape
	Headers      map[string]string          `json:"headers,omitempty"`      // and these headers
	Apply        bool                       `json:"apply,omitempty"`        // do what was asked before answering Status
	Delay        Duration                   `json:"delay,omitempty"`        // wait before anything else
	CutAfter     int                        `json:"cutAfter,omitempty"`     // break the connection after so many bytes of the body
	TruncateJSON bool                       `json:"truncateJSON,omitempty"` // end the body early, but as if it were complete
	DropRows     int                        `json:"dropRows,omitempty"`     // leave so many rows at the end of an answer out; the JSON stays valid
	RepeatRows   int                        `json:"repeatRows,omitempty"`   // answer so many rows at the end twice
	HideRows     int                        `json:"hideRows,omitempty"`     // let a hunting query see so many rows of each table less
	Values       string                     `json:"values,omitempty"`       // of the answer's rows: null, retyped
	Set          map[string]json.RawMessage `json:"set,omitempty"`          // in rows of a hunting answer, by column: the JSON that stands there
	Rows         int                        `json:"rows,omitempty"`         // with set: of the first so many rows; 0 means of all
	Replay       bool                       `json:"replay,omitempty"`       // answer what the same text was answered first since the rule is in force
	ResetAfter   int                        `json:"resetAfter,omitempty"`   // break the connection when so many bytes of the request's body have come
	LieGzip      bool                       `json:"lieGzip,omitempty"`      // say that the body is compressed, which it is not
	Late         Duration                   `json:"late,omitempty"`         // with status: do what was asked so long after the answer
	ExpireToken  bool                       `json:"expireToken,omitempty"`  // treat the bearer token as expired
	RevokeToken  bool                       `json:"revokeToken,omitempty"`  // refuse the bearer token from now on, wherever it is used
	ExpireSAS    bool                       `json:"expireSAS,omitempty"`    // treat the shared access signature as expired
	Delivery     string                     `json:"delivery,omitempty"`     // lost, duplicate, late:30s, transient, failed
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
		return fmt.Errorf("probability is %v; it lies between 0 and 1", rule.Probability)
	}
	if rule.Status != 0 && (rule.Status < 200 || rule.Status > 599) {
		return fmt.Errorf("status is %d; it lies between 200 and 599", rule.Status)
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
