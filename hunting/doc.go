// Package hunting is a tvmexport.Source over Advanced Hunting: Microsoft Graph's
// runHuntingQuery, and the legacy XDR and MDE endpoints, which stop on
// 2027-01-31 (message MC1220762).
//
// Nobody documents which parts of the query language Advanced Hunting
// supports. What the package sends is therefore small (see query.go), and where
// the service refuses a construct there is a poorer way that does without it.
//
// An answer carries its own row count, as one more row that a random word in a
// string column tells apart from the data: a silent cut at the row limit shows,
// and costs no byte per row.
package hunting
