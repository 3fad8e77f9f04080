package main

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
func newExports(p *process, x *parts, credential azcore.TokenCredential, maxWait time.Duration, printer progress.Printer) (*assessment.Client, error) {
	log, err := p.logger()
	if err != nil {
		return nil, err
	}
	cloud, err := assessment.LookupCloud(x.config.Defender.Cloud)
	if err != nil {
		return nil, usage(err)
	}
	c := x.config.Assessment
	return assessment.New(assessment.Options{
		Cloud: cloud, Endpoint: c.Endpoint, Via: assessment.Via(c.Via), Share: c.Share, Credential: credential,
		HTTPClient: p.instrumented("assessment", x.client), MaxWait: maxWait, Logger: log,
		PseudonymKey: []byte(x.config.PseudonymisationKey), OnWait: printer.Wait, OnRetry: retryOf(printer),
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

// assessed is the source of each table of the export assessment APIs. Their rows are
// read into a spool and compared there with the last run.
func assessed(x *parts) (map[string]tvmexport.Source, error) {
	if x.exports == nil {
		return nil, nil
	}
	source, err := spool.New(x.exports, spool.Options{Dir: x.config.Assessment.Spool.Dir, MaxBytes: int64(x.config.Assessment.Spool.Bytes)})
	if err != nil {
		return nil, err
	}
	tables := map[string]tvmexport.Source{}
	for _, name := range catalog.Assessments() {
		tables[name] = source
	}
	return tables, nil
}
