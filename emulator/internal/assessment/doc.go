// Package assessment emulates the export assessment APIs of Microsoft Defender
// Vulnerability Management: data sets as pages of JSON, as files of a storage account, and
// the changes of vulnerabilities.
//
//	GET /api/machines/SoftwareVulnerabilitiesByMachine        pages
//	GET /api/machines/SoftwareVulnerabilitiesExport           addresses of files
//	GET /api/machines/SoftwareVulnerabilityChangesByMachine   changes since a time
//
// and so on for ten data sets; sets.go names the page of each. The APIs read the
// snapshot that the service makes every six hours. Pages and files are the same rows: a
// walk through the pages stays with the files of the snapshot with which it began.
//
// A file has the names of members in Pascal case and leaves empty members out; a page has
// them in camel case, with null for empty ones. Forms that no page documents follow rows
// that others have published.
package assessment
