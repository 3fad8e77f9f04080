package emulator

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/assessment"
)

// openAssessment makes the export assessment APIs. Their files are in the storage that
// ingestion uses too.
func openAssessment(e *Emulator, at addresses) (err error) {
	quota := assessment.Documented()
	switch {
	case e.o.ExportQuota != nil:
		quota = *e.o.ExportQuota
	case e.o.Quota != nil && *e.o.Quota == NoQuota():
		quota = ExportQuota{}
	}
	host, hostForm := strings.CutPrefix(at.storage, hostForm)
	for _, o := range e.tenants.list {
		o.assessment, err = assessment.New(assessment.Options{
			Tenant: o.data, TenantID: o.ID, Verify: e.verify, Quota: quota, Now: e.o.Now,
			Storage: e.kusto.accounts, Base: "https://" + host, HostForm: hostForm,
		})
		if err != nil {
			return err
		}
	}
	assessment.Serve(e.kusto.accounts, func(tenantID string) *assessment.Service {
		if o, ok := e.tenants.byID[strings.ToLower(tenantID)]; ok {
			return o.assessment
		}
		return nil
	})
	return nil
}
