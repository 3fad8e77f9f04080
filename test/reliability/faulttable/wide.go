package faulttable

// The groups that wide faults are about.
var (
	toCounts    = []Group{Counts}
	toRows      = []Group{Rows}
	toTokens    = []Group{Tokens}
	toReads     = []Group{Reads}
	toShows     = []Group{Shows}
	toWrites    = []Group{Writes}
	toSteps     = []Group{Steps}
	toCommands  = []Group{Shows, Writes, Steps, Changes}
	toResources = []Group{Resources}
	toUploads   = []Group{Uploads}
	toMessages  = []Group{Messages}
	toDelivery  = []Group{Delivery}
)

// The requests that a rule can be about, by what is in their texts.
const (
	fetches = "union (answer"
	counts  = "summarize Rows = count()"
	steps   = ".set-or-append async"
	appends = ".set-or-append"
	commits = `State = "committed"`
	claims  = `State = "publishing"`
)

// wide are faults that say themselves which requests they hit.
func wide() []Fault {
	var all []Fault
	for _, list := range [][]Fault{refusals, answers, signIn, deliveries, storage, engine, publishing, records, later} {
		all = append(all, list...)
	}
	return all
}
