package faulttable

import (
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// Faults are all that chaos draws: those that hit requests of many kinds, and
// those that are made for each kind of a group.
func Faults() []Fault { return append(wide(), perRequest...) }

// The groups by what their answers are.
var (
	hunting  = []Group{Counts, Rows}
	tables   = []Group{Counts, Rows, Reads, Shows, Resources} // answers with rows on which something rests
	commands = []Group{Writes, Steps, Changes}                // something is done
	engines  = []Group{Reads, Shows, Writes, Steps, Changes}  // of the cluster
	inHTTP   = []Group{Counts, Rows, Tokens, Metadata, Reads, Shows, Writes, Steps, Changes, Resources, Uploads, Messages}
)

// always makes a rule apply from some request on, without an end.
func always(d Dice, r faults.Rule) faults.Rule {
	r.After = d.IntN(3)
	return r
}

// mostly makes a rule apply to most requests of a kind of which a run sends few,
// and often only to a few of them.
func mostly(d Dice, r faults.Rule) faults.Rule {
	r.Seed = d.Uint64()
	r.Probability = []float64{0.4, 0.8, 0}[d.IntN(3)]
	r.After = d.IntN(4) / 2
	if d.IntN(3) > 0 {
		r.Count = 1 + d.IntN(8)
	}
	return r
}

// some is for rules without dice of their own.
func some(r faults.Rule) func(Dice) faults.Rule {
	return func(d Dice) faults.Rule { return mostly(d, r) }
}

func status(list ...int) func(Dice) faults.Rule {
	return func(d Dice) faults.Rule { return mostly(d, faults.Rule{Status: list[d.IntN(len(list))]}) }
}

const page = "<html><head><title>Access denied</title></head><body>The proxy has blocked this page.</body></html>"

// all is more than any answer of a world has rows.
const all = 1 << 20

// perRequest are drawn for one kind of request at a time.
var perRequest = []Fault{
	{Name: "a server's error", Way: Refused, Groups: hunting, Make: status(429, 500, 502, 503, 504)},
	{Name: "a server's error", Way: Refused, Groups: []Group{Tokens, Metadata}, Make: status(429, 500, 503)},
	{Name: "a server's error", Way: Refused, Groups: append([]Group{Resources}, engines...), Make: status(429, 503, 504, 520)},
	{Name: "a server's error", Way: Refused, Groups: []Group{Uploads, Messages}, Make: status(500, 503)},

	{Name: "403", Way: Barred, Groups: append([]Group{Resources, Uploads, Messages}, append(hunting, engines...)...), Make: func(d Dice) faults.Rule {
		return always(d, faults.Rule{Status: 403})
	}},
	{Name: "the secret has expired", Way: Barred, Groups: []Group{Tokens}, Make: func(d Dice) faults.Rule {
		return always(d, faults.Rule{Status: 401, Body: `{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys for app are expired.","error_codes":[7000222]}`})
	}},
	{Name: "404", Way: Barred, Groups: []Group{Metadata}, Make: func(d Dice) faults.Rule { return always(d, faults.Rule{Status: 404}) }},

	{Name: "seconds to minutes", Way: Late, Groups: append([]Group{Resources, Uploads, Messages}, append(hunting, engines...)...), Make: func(d Dice) faults.Rule {
		return mostly(d, faults.Rule{Delay: d.Between(time.Second, 6*time.Minute)})
	}},
	{Name: "seconds", Way: Late, Groups: []Group{Tokens, Metadata}, Make: func(d Dice) faults.Rule {
		return mostly(d, faults.Rule{Delay: d.Between(time.Second, 20*time.Second)})
	}},

	{Name: "the connection breaks in the answer", Way: Cut, Groups: inHTTP, Make: func(d Dice) faults.Rule {
		return mostly(d, faults.Rule{CutAfter: 1 + d.IntN(1<<(1+d.IntN(12)))})
	}},
	{Name: "the connection breaks in the request", Way: Cut, Groups: inHTTP, Make: func(d Dice) faults.Rule {
		return mostly(d, faults.Rule{ResetAfter: 1 + d.IntN(1<<(1+d.IntN(12)))})
	}},
	{Name: "JSON that ends early", Way: Cut, Groups: append([]Group{Tokens, Metadata}, tables...), Make: some(faults.Rule{TruncateJSON: true})},

	{Name: "no rows", Way: Empty, Groups: append(tables, commands...), Make: some(faults.Rule{DropRows: all})},
	{Name: "no byte", Way: Empty, Groups: append([]Group{Counts, Rows, Reads, Shows, Resources}, commands...), Make: some(faults.Rule{Status: 204})},
	{Name: "an empty object", Way: Empty, Groups: []Group{Tokens, Metadata}, Make: some(faults.Rule{Status: 200, Body: "{}"})},

	{Name: "values", Way: Null, Groups: append(tables, commands...), Make: some(faults.Rule{Values: "null"})},
	{Name: "the answer", Way: Null, Groups: append([]Group{Tokens, Metadata}, tables...), Make: some(faults.Rule{Status: 200, Body: "null"})},
	{Name: "the rows", Way: Null, Groups: hunting, Make: some(faults.Rule{Status: 200, Body: `{"schema":null,"results":null}`})},
	{Name: "the token", Way: Null, Groups: []Group{Tokens}, Make: some(faults.Rule{Status: 200, Body: `{"token_type":"Bearer","expires_in":3599,"access_token":null}`})},

	{Name: "rows", Way: Repeated, Groups: tables, Make: func(d Dice) faults.Rule {
		return mostly(d, faults.Rule{RepeatRows: 1 + d.IntN(20)})
	}},
	{Name: "done, then an error", Way: Repeated, Groups: []Group{Writes, Steps, Changes, Uploads, Messages}, Make: some(faults.Rule{Status: 500, Apply: true})},
	{Name: "done, then 504", Way: Repeated, Groups: commands, Make: some(faults.Rule{Status: 504, Apply: true})},

	{Name: "an older answer", Way: Older, Groups: tables, Make: func(d Dice) faults.Rule {
		r := mostly(d, faults.Rule{Replay: true})
		r.After = 0 // the same text seldom comes again
		return r
	}},
	{Name: "done later", Way: Older, Groups: commands, Make: func(d Dice) faults.Rule {
		return mostly(d, faults.Rule{Status: 504, Late: d.Between(time.Second, time.Hour)})
	}},

	{Name: "values", Way: Retyped, Groups: append(tables, commands...), Make: some(faults.Rule{Values: "retyped"})},
	{Name: "a list", Way: Retyped, Groups: append([]Group{Tokens, Metadata}, tables...), Make: some(faults.Rule{Status: 200, Body: `[7]`})},

	{Name: "the last rows", Way: Hidden, Groups: tables, Make: func(d Dice) faults.Rule {
		return mostly(d, faults.Rule{DropRows: 1 + d.IntN(4)})
	}},
	// If the service silently hides rows from a count, the count is indistinguishable
	// from a real state of the source; rows are compared with it.
	{Name: "from the query", Way: Hidden, Groups: []Group{Rows}, Make: func(d Dice) faults.Rule {
		return mostly(d, faults.Rule{HideRows: 1 + d.IntN(20)})
	}},

	{Name: "of a proxy", Way: HTML, Groups: inHTTP, Make: some(faults.Rule{Status: 200, Body: page})},
	{Name: "after the command was carried out", Way: HTML, Groups: commands, Make: some(faults.Rule{Status: 200, Body: page, Apply: true})},

	{Name: "the service says so", Way: TooLarge, Groups: hunting, Make: some(faults.Rule{Status: 400, Body: tooLargeText})},
	{Name: "the query's limits", Way: TooLarge, Groups: []Group{Reads}, Make: some(faults.Rule{Status: 200, Body: inBandV2})},
	{Name: "the command's limits", Way: TooLarge, Groups: []Group{Shows, Writes, Steps, Changes, Resources}, Make: some(faults.Rule{Status: 200, Body: inBandV1})},
	{Name: "a megabyte", Way: TooLarge, Groups: []Group{Tokens, Metadata}, Make: some(faults.Rule{Status: 200, Body: fmt.Sprintf(`{"access_token":%q}`, strings.Repeat("x", 1<<20))})},
	{Name: "413", Way: TooLarge, Groups: []Group{Uploads, Messages}, Make: some(faults.Rule{Status: 413})},
}

const tooLargeText = `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed result size. Optimize your query by limiting the amount of results and try again."}}`
