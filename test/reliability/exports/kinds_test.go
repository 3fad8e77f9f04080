package exports_test

import (
	"fmt"

	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/test/reliability/faulttable"
)

// ofFiles is in the path of each file of an export, and in no upload.
const ofFiles = "OrgId="

// fault is one that is injected.
type fault struct {
	name string
	via  assessment.Via // injected where tables are read in this way; "": in any world
	rule faults.Rule
	// hides: rows are not in the answer, and nothing shows that they should be. Readers
	// may lack them until the next run, and a note says so.
	hides bool
}

const (
	disabled = `{"error":{"code":"DisabledFeature","message":"Tenant feature is not enabled","target":"1"}}`
	byCPU    = `{"error":{"code":"TooManyRequests","message":"API calls quota exceeded by CPU time. You can run again in 40 seconds","target":"1"}}`
	noBlob   = `<Error><Code>BlobNotFound</Code></Error>`
	noInput  = `{"error":{"code":"InvalidInput","message":"The $skiptoken is not valid.","target":"1"}}`

	foreignPage = `{"value":[],"@odata.nextLink":"https://foreign.example/api/machines/SoftwareInventoryByMachine?$skiptoken=x"}`
	foreignFile = `{"exportFiles":["https://foreign.example/tvm-export/2026-11-20/0601/VaExport/json/OrgId=1/part-00000-1.c000.json.gz?sig=x"],"generatedTime":"2026-11-20T06:01:00Z"}`
)

// kinds are the faults of the source.
var kinds = []fault{
	ofFile("a file's signature has expired", faults.Rule{ExpireSAS: true, Count: 2}),
	ofFile("all signatures expire at first", faults.Rule{ExpireSAS: true, Count: 9}),
	ofFile("an empty file, once", faults.Rule{Status: 200, Count: 1}),
	{name: "empty files", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, Status: 200}, hides: true},
	ofFile("a file breaks off", faults.Rule{CutAfter: 100, Count: 2}),
	ofFile("a file ends early", faults.Rule{TruncateJSON: true, Count: 2}),
	ofFile("every third file breaks off", faults.Rule{CutAfter: 50, Every: 3}),
	ofFile("a file is another one", faults.Rule{Status: 200, Body: `{"DeviceId":"x"`, Count: 1}),
	ofFile("a page of a proxy for a file", faults.Rule{Status: 200, Body: "<html><title>Sign in</title></html>", Count: 1}),
	ofFile("503 of a file", faults.Rule{Status: 503, Count: 2}),
	ofFile("404 of a file", faults.Rule{Status: 404, Body: noBlob, Count: 1}),
	ofCall("429", faults.Rule{Status: 429, Headers: map[string]string{"Retry-After": "20"}, Count: 3}),
	ofCall("429 for CPU", faults.Rule{Status: 429, Body: byCPU, Headers: map[string]string{"Retry-After": "40"}, Count: 2}),
	ofCall("InternalServerError", faults.Rule{Status: 500, Every: 2}),
	ofCall("502", faults.Rule{Status: 502, Count: 1}),
	ofCall("DisabledFeature", faults.Rule{Status: 403, Body: disabled, Count: 1}),
	ofCall("404", faults.Rule{Status: 404, Count: 1}),
	ofCall("a page of a proxy", faults.Rule{Status: 200, Body: "<html><title>Sign in</title></html>", Count: 1}),
	ofCall("an answer breaks off", faults.Rule{CutAfter: 200, Count: 2}),
	ofCall("an answer ends early", faults.Rule{TruncateJSON: true, Every: 2}),
	ofCall("a token has expired", faults.Rule{ExpireToken: true, Count: 1}),
	ofCall("tokens are revoked", faults.Rule{RevokeToken: true, Count: 2}),
	ofPage("a link leads to a foreign host", faults.Rule{Status: 200, Body: foreignPage, Count: 1}),
	ofPage("a walk cannot go on", faults.Rule{Match: "skiptoken", Status: 400, Body: noInput, Count: 1}),
	{name: "files are on a foreign host", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Assessment, Match: "Export", Status: 200, Body: foreignFile, Count: 1}},
}

func ofFile(name string, rule faults.Rule) fault {
	rule.Endpoint, rule.Match = faults.Blob, ofFiles
	return fault{name: name, via: assessment.Files, rule: rule}
}

func ofCall(name string, rule faults.Rule) fault {
	rule.Endpoint = faults.Assessment
	return fault{name: name, rule: rule}
}

func ofPage(name string, rule faults.Rule) fault {
	rule.Endpoint = faults.Assessment
	return fault{name: name, via: assessment.Pages, rule: rule}
}

// draw chooses the faults of a run: some of the source, now and then one of the
// destination.
func (w *world) draw() []fault {
	var out []fault
	for _, i := range w.Perm(len(kinds))[:w.IntN(4)] {
		if k := kinds[i]; k.via == "" || w.reads(k.via) {
			if !k.hides { // or some tables would have no empty file
				k.rule.After = w.IntN(4)
			}
			out = append(out, k)
		}
	}
	if w.IntN(3) == 0 {
		d := faulttable.Draw(faulttable.Dice{Rand: w.Rand})
		if d.Rule.Endpoint != faults.Graph && !d.Rule.Replay {
			out = append(out, fault{name: d.Name, rule: d.Rule})
		}
	}
	return out
}

// disturb injects faults. settle ends them, and returns whether rows were hidden.
func (w *world) disturb() (settle func() (hidden bool), err error) {
	active := map[int]fault{}
	for _, f := range w.draw() {
		ids, err := w.rig.Emulator.Faults().Add(f.rule)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		w.said("next run: %s", f.name)
		active[ids[0]] = f
	}
	return func() (hidden bool) {
		for _, r := range w.rig.Emulator.Faults().List() {
			f := active[r.ID]
			if r.Hits > 0 {
				w.tally.struck(f.name, r.Hits)
			}
			hidden = hidden || f.hides && r.Hits > 0
			w.rig.Emulator.Faults().Remove(r.ID)
		}
		return hidden
	}, nil
}
