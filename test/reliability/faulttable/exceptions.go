package faulttable

// Why some answers cannot be wrong in some ways.
const (
	statusAlone   = "the exporter reads only the status of storage's answer; the upload is counted in the landing table"
	noRows        = "the answer contains no rows"
	sameTwice     = "a repeated document has the same content"
	tokenAges     = "the services refuse an expired token, see their rows"
	documentStays = "the document does not change during the life of a process"
	notRead       = "the exporter does not use rows in the answer of a writing command; it reads the effect from tags, extents or the ledger"
	noAnswer      = "a delivery has no answer; its rows are counted by batch and line"
)

// exceptions fill the cells that chaos does not.
var exceptions = []exception{
	{way: Empty, groups: []Group{Uploads, Messages}, reason: statusAlone},
	{way: Null, groups: []Group{Uploads, Messages}, reason: statusAlone},
	{way: Retyped, groups: []Group{Uploads, Messages}, reason: statusAlone},
	{way: Hidden, groups: []Group{Uploads, Messages}, reason: statusAlone},

	{way: Repeated, groups: []Group{Tokens, Metadata}, reason: sameTwice},
	{way: Older, groups: []Group{Tokens}, reason: tokenAges},
	{way: Older, groups: []Group{Metadata}, reason: documentStays},
	{way: Hidden, groups: []Group{Tokens, Metadata}, reason: noRows},

	{way: Hidden, groups: []Group{Writes, Steps, Changes}, reason: notRead},

	{way: Null, groups: []Group{Delivery}, reason: noAnswer},
	{way: Older, groups: []Group{Delivery}, reason: noAnswer},
	{way: Retyped, groups: []Group{Delivery}, reason: noAnswer},
	{way: Hidden, groups: []Group{Delivery}, reason: noAnswer},
	{way: HTML, groups: []Group{Delivery}, reason: noAnswer},
	{way: TooLarge, groups: []Group{Delivery}, reason: noAnswer},
}
