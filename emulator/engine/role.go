package engine

// Role is what a principal may do in the scope of a database or of one entity
// in it. See https://learn.microsoft.com/kusto/access-control/role-based-access-control.
type Role uint8

// The roles.
const (
	Admin              Role = iota + 1 // everything in the scope
	User                               // reads all, creates tables and functions
	Viewer                             // reads all but restricted tables
	UnrestrictedViewer                 // with Viewer: reads restricted tables too
	Ingestor                           // ingests, reads nothing
	Monitor                            // .show commands
)
