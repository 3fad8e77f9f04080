package faulttable

import (
	"fmt"
	"net/http"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// refusals are those of Advanced Hunting
// (https://learn.microsoft.com/defender-xdr/advanced-hunting-errors,
// https://learn.microsoft.com/defender-endpoint/api/common-errors).
var refusals = []Fault{
	{Name: "hunting: 429, header in seconds", Way: Refused, Groups: hunting, Wide: true, Make: refusal(429, "", func(d Dice) map[string]string {
		return map[string]string{"Retry-After": fmt.Sprint(1 + d.IntN(300))}
	})},
	{Name: "hunting: 429, header with a date", Way: Refused, Groups: hunting, Wide: true, Make: refusal(429, "", func(d Dice) map[string]string {
		return map[string]string{"Retry-After": time.Now().Add(time.Duration(d.IntN(600)) * time.Second).UTC().Format(http.TimeFormat)}
	})},
	{Name: "hunting: 429, seconds in the text (CPU quota)", Way: Refused, Groups: hunting, Wide: true, Make: func(d Dice) faults.Rule {
		body := fmt.Sprintf(`{"error":{"code":"CpuQuotaExceeded","message":"You have exceeded processing resources allocated to this tenant. You can run queries again in %d seconds"}}`, 1+d.IntN(2871))
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, Status: 429, Body: body})
	}},
	{Name: "hunting: 429, calls a minute in the text", Way: Refused, Groups: hunting, Wide: true, Make: refusal(429, `{"error":{"code":"429","message":"API calls quota exceeded! maximum allowed 45 per 00:01:00","target":"*"}}`, nil)},
	{Name: "hunting: 429 without a hint", Way: Refused, Groups: hunting, Wide: true, Make: refusal(429, "", nil)},
	{Name: "hunting: 429 without an end", Way: Barred, Groups: toRows, Wide: true, Make: func(d Dice) faults.Rule {
		return faults.Rule{Endpoint: faults.Graph, Match: fetches, After: d.IntN(8), Status: 429}
	}},
	{Name: "hunting: 429 on the count", Way: Refused, Groups: toCounts, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, Match: counts, Status: 429})
	}},
	{Name: "hunting: 400 too large", Way: TooLarge, Groups: hunting, Wide: true, Make: refusal(400, `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again."}}`, nil)},
	{Name: "hunting: 400 too large, other wording", Way: TooLarge, Groups: hunting, Wide: true, Make: refusal(400, `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed result size. Optimize your query by limiting the amount of results and try again."}}`, nil)},
	{Name: "hunting: 400 pre-empted", Way: TooLarge, Groups: hunting, Wide: true, Make: refusal(400, `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed limits. The query execution was preempted. This could possibly be due to high CPU and/or memory resource consumption. Optimize your query by following best practices and try again."}}`, nil)},
	{Name: "hunting: 413", Way: TooLarge, Groups: hunting, Wide: true, Make: refusal(413, "", nil)},
	{Name: "hunting: 500", Way: Refused, Groups: hunting, Wide: true, Make: refusal(500, "", nil)},
	{Name: "hunting: 502 in HTML", Way: Refused, Groups: hunting, Wide: true, Make: refusal(502, "", nil)},
	{Name: "hunting: 503 with a time", Way: Refused, Groups: hunting, Wide: true, Make: refusal(503, "", func(d Dice) map[string]string {
		return map[string]string{"Retry-After": fmt.Sprint(1 + d.IntN(60))}
	})},
	{Name: "hunting: 504", Way: Refused, Groups: hunting, Wide: true, Make: refusal(504, "", nil)},
	{Name: "hunting: 504 on the count", Way: Refused, Groups: toCounts, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, Match: counts, Status: 504})
	}},
}

func refusal(status int, body string, headers func(d Dice) map[string]string) func(d Dice) faults.Rule {
	return func(d Dice) faults.Rule {
		r := faults.Rule{Endpoint: faults.Graph, Status: status, Body: body}
		if headers != nil {
			r.Headers = headers(d)
		}
		if d.IntN(3) == 0 {
			r.Match = fetches
		}
		return d.Sometimes(r)
	}
}

// answers are hunting answers that are not what they seem.
var answers = []Fault{
	{Name: "hunting: a silent cut", Way: Hidden, Groups: toRows, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, Match: fetches, DropRows: 1 + d.IntN(40)})
	}},
	{Name: "hunting: a body cut at any byte", Way: Cut, Groups: hunting, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, CutAfter: 1 + d.IntN(1<<(4+d.IntN(14)))})
	}},
	{Name: "hunting: JSON that ends early", Way: Cut, Groups: hunting, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, TruncateJSON: true})
	}},
	{Name: "hunting: gzip with a false header", Way: Retyped, Groups: hunting, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, LieGzip: true})
	}},
	{Name: "hunting: an answer of nothing", Way: Empty, Groups: toRows, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, Match: fetches, Status: 200, Body: `{"schema":[],"results":[]}`})
	}},
	{Name: "hunting: a slow answer", Way: Late, Groups: hunting, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, Delay: d.Between(time.Second, 6*time.Minute)})
	}},
}

var signIn = []Fault{
	{Name: "hunting: the token has expired", Way: Refused, Groups: hunting, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Graph, ExpireToken: true})
	}},
	{Name: "sign-in: 503", Way: Refused, Groups: toTokens, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Token, Status: 503})
	}},
	{Name: "sign-in: slow", Way: Late, Groups: toTokens, Wide: true, Make: func(d Dice) faults.Rule {
		return d.Sometimes(faults.Rule{Endpoint: faults.Token, Delay: d.Between(time.Second, 30*time.Second)})
	}},
}
