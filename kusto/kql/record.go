package kql

// SpoiledRecord holds for a landed record that is not what was sent: nothing, or a
// text that the service has cut.
const SpoiledRecord = `not(Records startswith_cs "{" and Records endswith_cs "}")`

// UnreadRecord holds for a landed record that parse_json does not make a bag of: it
// gives text back that it does not read, so that every column made of it would
// be empty (https://learn.microsoft.com/kusto/query/parse-json-function). Only
// the service knows what it reads; how deep values may be nested, for one, is
// not documented. So it is asked, in the query that counts what has landed.
const UnreadRecord = `Line > 0 and Records startswith_cs "{" and Records endswith_cs "}" and gettype(parse_json(Records)) != "dictionary"`
