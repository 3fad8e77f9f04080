package emulator

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/assessment"
)

// openAssessment makes the export assessment APIs. Their files are in the storage that
// ingestion uses too.
func (e *Emulator) openAssessment(at addresses) (err error) {
	quota := assessment.Documented()
	switch {
	case e.o.ExportQuota != nil:
		quota = *e.o.ExportQuota
	case e.o.Quota != nil && *e.o.Quota == NoQuota():
		quota = ExportQuota{}
	}
	host, hostForm := strings.CutPrefix(at.storage, hostForm)
	e.assessment, err = assessment.New(assessment.Options{
		Tenant: e.tenant, TenantID: e.o.TenantID, Verify: e.verify, Quota: quota, Now: e.o.Now,
		Storage: e.kusto.accounts, Base: "https://" + host, HostForm: hostForm,
	})
	return err
}
