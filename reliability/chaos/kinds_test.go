package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// kind is a way in which a service fails.
type kind struct {
	name string
	rule func(d dice) faults.Rule
}

// dice decide what happens in a world.
type dice struct{ *rand.Rand }

// between is from least to most.
func (d dice) between(least, most time.Duration) faults.Duration {
	return faults.Duration(least + time.Duration(d.Int64N(int64(most-least)+1)))
}

// sometimes lets a rule strike by chance, after a few requests that pass, and
// often not for long.
func (d dice) sometimes(r faults.Rule) faults.Rule {
	r.Seed = d.Uint64()
	r.Probability = []float64{0.1, 0.3, 0.6}[d.IntN(3)]
	r.After = d.IntN(4)
	if d.IntN(3) > 0 {
		r.Count = 1 + d.IntN(8)
	}
	return r
}

// The requests that a rule can be about, by what is in their texts.
const (
	fetches = "union (answer"
	counts  = "summarize Rows = count()"
	steps   = ".set-or-append async"
	appends = ".set-or-append"
	commits = `State = "committed"`
	claims  = `State = "publishing"`
)

func kinds() []kind {
	var all []kind
	for _, list := range [][]kind{refusals, answers, signIn, deliveries, storage, engine, publishing, records} {
		all = append(all, list...)
	}
	return all
}

// refusals are those of Advanced Hunting
// (https://learn.microsoft.com/defender-xdr/advanced-hunting-errors,
// https://learn.microsoft.com/defender-endpoint/api/common-errors).
var refusals = []kind{
	{"hunting: 429, header in seconds", refusal(429, "", func(d dice) map[string]string {
		return map[string]string{"Retry-After": fmt.Sprint(1 + d.IntN(300))}
	})},
	{"hunting: 429, header with a date", refusal(429, "", func(d dice) map[string]string {
		return map[string]string{"Retry-After": time.Now().Add(time.Duration(d.IntN(600)) * time.Second).UTC().Format(http.TimeFormat)}
	})},
	{"hunting: 429, seconds in the text (CPU quota)", func(d dice) faults.Rule {
		body := fmt.Sprintf(`{"error":{"code":"CpuQuotaExceeded","message":"You have exceeded processing resources allocated to this tenant. You can run queries again in %d seconds"}}`, 1+d.IntN(2871))
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, Status: 429, Body: body})
	}},
	{"hunting: 429, calls a minute in the text", refusal(429, `{"error":{"code":"429","message":"API calls quota exceeded! maximum allowed 45 per 00:01:00","target":"*"}}`, nil)},
	{"hunting: 429 without a hint", refusal(429, "", nil)},
	{"hunting: 429 without an end", func(d dice) faults.Rule {
		return faults.Rule{Endpoint: faults.Graph, Match: fetches, After: d.IntN(8), Status: 429}
	}},
	{"hunting: 429 on the count", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, Match: counts, Status: 429})
	}},
	{"hunting: 400 too large", refusal(400, `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again."}}`, nil)},
	{"hunting: 400 too large, other wording", refusal(400, `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed result size. Optimize your query by limiting the amount of results and try again."}}`, nil)},
	{"hunting: 400 pre-empted", refusal(400, `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed limits. The query execution was preempted. This could possibly be due to high CPU and/or memory resource consumption. Optimize your query by following best practices and try again."}}`, nil)},
	{"hunting: 413", refusal(413, "", nil)},
	{"hunting: 500", refusal(500, "", nil)},
	{"hunting: 502 in HTML", refusal(502, "", nil)},
	{"hunting: 503 with a time", refusal(503, "", func(d dice) map[string]string {
		return map[string]string{"Retry-After": fmt.Sprint(1 + d.IntN(60))}
	})},
	{"hunting: 504", refusal(504, "", nil)},
	{"hunting: 504 on the count", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, Match: counts, Status: 504})
	}},
}

func refusal(status int, body string, headers func(d dice) map[string]string) func(d dice) faults.Rule {
	return func(d dice) faults.Rule {
		r := faults.Rule{Endpoint: faults.Graph, Status: status, Body: body}
		if headers != nil {
			r.Headers = headers(d)
		}
		if d.IntN(3) == 0 {
			r.Match = fetches
		}
		return d.sometimes(r)
	}
}

// answers are hunting answers that are not what they seem.
var answers = []kind{
	{"hunting: a silent cut", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, Match: fetches, DropRows: 1 + d.IntN(40)})
	}},
	{"hunting: a body cut at any byte", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, CutAfter: 1 + d.IntN(1<<(4+d.IntN(14)))})
	}},
	{"hunting: JSON that ends early", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, TruncateJSON: true})
	}},
	{"hunting: gzip that lies", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, LieGzip: true})
	}},
	{"hunting: an answer of nothing", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, Match: fetches, Status: 200, Body: `{"schema":[],"results":[]}`})
	}},
	{"hunting: a slow answer", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, Delay: d.between(time.Second, 6*time.Minute)})
	}},
}

var signIn = []kind{
	{"hunting: the token has expired", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Graph, ExpireToken: true})
	}},
	{"sign-in: 503", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Token, Status: 503})
	}},
	{"sign-in: slow", func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Token, Delay: d.between(time.Second, 30*time.Second)})
	}},
}

// deliveries are what becomes of messages of queued ingestion, which come at
// least once and without a bound in time.
var deliveries = []kind{
	{"delivery: lost", delivery(func(dice) string { return "lost" })},
	{"delivery: twice", delivery(func(dice) string { return "duplicate" })},
	{"delivery: again later", delivery(func(d dice) string {
		return "duplicate:" + time.Duration(d.between(time.Second, 30*time.Hour)).String()
	})},
	{"delivery: late", delivery(func(d dice) string { return "late:" + time.Duration(d.between(time.Second, 40*time.Minute)).String() })},
	{"delivery: late by hours", delivery(func(d dice) string {
		return "late:" + time.Duration(d.between(time.Hour, 50*time.Hour)).String()
	})},
	{"delivery: a part", delivery(func(d dice) string { return fmt.Sprintf("partial:%d", 1+d.IntN(60)) })},
	{"delivery: a part, later the whole", delivery(func(d dice) string {
		return fmt.Sprintf("partial:%d:%s", 1+d.IntN(60), time.Duration(d.between(time.Second, 2*time.Hour)))
	})},
	{"delivery: fails at first", delivery(func(dice) string { return "transient" })},
}

func delivery(fate func(d dice) string) func(d dice) faults.Rule {
	return func(d dice) faults.Rule {
		return d.sometimes(faults.Rule{Endpoint: faults.Delivery, Delivery: fate(d)})
	}
}
