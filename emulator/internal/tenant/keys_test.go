package tenant

// ExportKeys are the documented keys of the data sets, for tests of other packages.
var ExportKeys = keys
