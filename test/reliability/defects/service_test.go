package defects_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

func TestConfigurationWriteRefused(t *testing.T) {
	choose(t, tvmexport.Incremental, func(r *rig) {
		rows := rowsFrom("ab", 40, day(r))
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(12 * time.Hour))
		r.fault(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append MigrationConfiguration", Status: 403})
		result, err := r.try()
		if result.Err != nil || err == nil || !strings.Contains(err.Error(), "MigrationConfiguration") {
			t.Fatalf("got %v, %v; want the table committed and the refusal told", result.Err, err)
		}
		r.agrees(rows)
		r.emulator.Faults().Clear()
		rows = append(rows, rowsFrom("cd", 7, day(r).Add(13*time.Hour))...)
		r.source.Set(events, rows)
		r.source.SetNow(day(r).Add(24 * time.Hour))
		r.run() // by the ledger's watermark, not by the copy that was not written
		r.agrees(rows)
		r.audit("2 Success")
	})
}

func TestAuditWriteRefused(t *testing.T) {
	choose(t, tvmexport.Snapshot, func(r *rig) {
		rows := rowsFrom("ab", 40, day(r))
		r.source.Set(events, rows)
		r.fault(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append MigrationAuditLog", Status: 403})
		result, err := r.try()
		if result.Err != nil || err == nil || !strings.Contains(err.Error(), "MigrationAuditLog") {
			t.Fatalf("got %v, %v; want the table committed and the refusal told", result.Err, err)
		}
		r.audit()
		r.emulator.Faults().Clear()
		r.run()
		r.agrees(rows)
		r.audit("2 Success")
	})
}

// An audit that was written and answered with a time-out is not written twice.
func TestAuditWrittenAndAnsweredWithATimeout(t *testing.T) {
	choose(t, tvmexport.Snapshot, func(r *rig) {
		rows := rowsFrom("ab", 40, day(r))
		r.source.Set(events, rows)
		r.fault(faults.Rule{Endpoint: faults.KustoMgmt, Match: ".set-or-append MigrationAuditLog", Status: 504, Apply: true})
		if result, _ := r.try(); result.Err != nil {
			t.Fatal(result.Err)
		}
		r.emulator.Faults().Clear()
		r.run()
		r.agrees(rows)
		r.audit("2 Success")
	})
}

// What the services answer in the middle of a table, and what becomes of it.
func TestAnswersInMidTable(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	const rows, count = "union (answer", "summarize Rows = count()"
	for name, rule := range map[string]faults.Rule{
		"One429InMidTable":      {Match: rows, After: 2, Count: 1, Status: 429},
		"One429WithADate":       {Match: rows, After: 1, Count: 1, Status: 429, Headers: map[string]string{"Retry-After": "Sat, 01 Jan 2000 00:01:00 GMT"}},
		"CpuQuota":              {Match: rows, After: 1, Count: 2, Status: 429, Body: `{"error":{"code":"TooManyRequests","message":"You have exceeded processing resources allocated to this tenant. You can run queries again in 2871 seconds."}}`},
		"GatewayOnOneSlice":     {Match: rows, After: 3, Count: 1, Status: 502},
		"GatewayOnOneSliceLong": {Match: rows, After: 3, Count: 7, Status: 502},
		"TimeoutOnTheLastSlice": {Match: rows, After: 4, Count: 3, Status: 504},
		"CountThrottled":        {Match: count, Count: 3, Status: 429, Headers: map[string]string{"Retry-After": "90"}},
		"TooLarge":              {Match: rows, After: 1, Count: 2, Status: 413},
		"Cut":                   {Match: rows, Every: 3, CutAfter: 5000},
		"EndsEarly":             {Match: rows, Every: 4, TruncateJSON: true},
		"TokenExpired":          {Match: rows, After: 2, Count: 1, ExpireToken: true},
	} {
		t.Run(name, func(t *testing.T) {
			tenant(t, 2*time.Hour, func(r *rig) {
				rule.Endpoint = faults.Graph
				r.fault(rule)
				r.run()
				if hits := r.emulator.Faults().List()[0].Hits; hits == 0 {
					t.Error("the fault was never injected")
				}
				r.emulator.Faults().Clear()
				r.agrees(nil)
				r.audit("1 Success")
			})
		})
	}
}

// Throttled without end: the run ends in its time, what has landed is kept.
func TestPermanent429(t *testing.T) {
	tenant(t, 30*time.Minute, func(r *rig) {
		r.fault(faults.Rule{Endpoint: faults.Graph, Match: "union (answer", After: 4, Status: 429})
		began := time.Now()
		result, err := r.try()
		if err != nil || tvmexport.CauseOf(result.Err) != tvmexport.Quota {
			t.Fatalf("got %v, %v; want the cause quota", result.Err, err)
		}
		if took := time.Since(began); took > time.Hour {
			t.Errorf("it took %s", took)
		}
		r.audit("1 Failed")
		r.emulator.Faults().Clear()
		if result := r.run(); result.Resumed == 0 {
			t.Error("nothing was taken over from the run that was throttled")
		}
		r.agrees(nil)
		r.audit("1 Success", "1 Failed")
	})
}

// The service asks for a pause that is longer than a token lives.
func TestRunLongerThanATokensLife(t *testing.T) {
	tenant(t, 24*time.Hour, func(r *rig) {
		r.fault(faults.Rule{Endpoint: faults.Graph, Match: "union (answer", After: 3, Count: 1, Status: 429, Headers: map[string]string{"Retry-After": "10000"}})
		began := time.Now()
		r.run()
		if time.Since(began) < 2*time.Hour {
			t.Errorf("the run took %s, which is within a token's life", time.Since(began))
		}
		r.agrees(nil)
	})
}
