// Package hunting is a tvmexport.Source over Advanced Hunting: Microsoft Graph's
// runHuntingQuery, and the legacy XDR and MDE endpoints, which stop on
// 2027-01-31 (message MC1220762).
//
// Nobody documents which parts of the query language Advanced Hunting
// supports. What the package sends is therefore small (query.go,
// condition.go). If the service refuses a construct, there is a fallback without
// it (dialect.go).
//
// An answer carries its own row count in an additional row, marked by a random
// word in a string column: silent truncation at the row limit is detected, at no
// cost per row.
//
// Answers are checked, brought into one form and handed on in one pass over
// the bytes (internal/wire, normalise.go): memory is that of
// the largest row, and rows that need no change are copied as they are.
//
// Package defender makes the calls, under a budget that all tables share, and
// repeats them. What only Advanced Hunting means by a refusal is in refusal.go.
package hunting
