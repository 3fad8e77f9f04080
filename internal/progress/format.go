package progress

import "github.com/tvmexport/tvmexport/internal/figures"

// Count is n with its thousands set apart: 5,012,345.
func Count(n int64) string { return figures.Count(n) }

// Size is n bytes in decimal units: 12.3 MB.
func Size(n int64) string { return figures.Size(n) }
