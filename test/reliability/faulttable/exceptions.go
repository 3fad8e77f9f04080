package faulttable

// Why some answers cannot be wrong in some ways.
const (
	statusAlone   = "the answer of storage has no body that is read: its status counts, and what became of the upload is counted in the landing table"
	noRows        = "the answer holds no rows"
	sameTwice     = "the same document twice says the same"
	tokenAges     = "a token that is too old is refused where it is used, see the rows of those services"
	documentStays = "the document does not change while a process lives"
	notRead       = "nothing rests on rows in the answer of a command that writes: what it did is read from tags, extents or the ledger"
	noAnswer      = "a delivery has no answer: what became of it is counted by batch and line"
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
