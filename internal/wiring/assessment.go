package wiring

import (
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/spool"
)

// newExports makes the source of the export assessment APIs. It makes no call, so that
// who has no table of it notices nothing.
func (x *Parts) newExports(credential azcore.TokenCredential, maxWait time.Duration, printer progress.Printer) (*assessment.Client, error) {
	cloud, err := assessment.LookupCloud(x.Config.Defender.Cloud)
	if err != nil {
		return nil, Usage(err)
	}
	c := x.Config.Assessment
	return assessment.New(assessment.Options{
		Cloud: cloud, Endpoint: c.Endpoint, Via: assessment.Via(c.Via), Share: c.Share, Credential: credential,
		HTTPClient: x.setup.instrumented("assessment", x.Client), MaxWait: maxWait, Logger: x.setup.Logger,
		PseudonymKey: []byte(x.Config.PseudonymisationKey), OnWait: printer.Wait, OnRetry: retryOf(printer),
	})
}

// retryOf is what a printer wants to know of calls that are repeated; nil if nothing.
func retryOf(printer progress.Printer) func(table, op string, in time.Duration, why error) {
	if r, ok := printer.(interface {
		Retry(table, op string, in time.Duration, why error)
	}); ok {
		return r.Retry
	}
	return nil
}

// spooled is the source of each table of the export assessment APIs. Their rows are
// read into a spool and compared there with the last run.
func (x *Parts) spooled() (map[string]tvmexport.Source, error) {
	if x.Exports == nil {
		return nil, nil
	}
	spools := x.Config.Assessment.Spool
	source, err := spool.New(x.Exports, spool.Options{Dir: spools.Dir, MaxBytes: int64(spools.Bytes)})
	if err != nil {
		return nil, err
	}
	tables := map[string]tvmexport.Source{}
	for _, name := range catalog.Assessments() {
		tables[name] = source
	}
	return tables, nil
}
