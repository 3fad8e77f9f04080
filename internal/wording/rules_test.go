package wording_test

import "regexp"

// rule is a word or phrase to avoid, and the plain term for it.
type rule struct {
	find   *regexp.Regexp
	after  *regexp.Regexp // text after the match that makes it acceptable; nil for none
	better string
}

func avoid(pattern, better string) rule {
	return rule{find: regexp.MustCompile(`(?i)\b(?:` + pattern + `)\b`), better: better}
}

func (r rule) unless(after string) rule {
	r.after = regexp.MustCompile(`(?i)^\s+(?:` + after + `)\b`)
	return r
}

// rules lists words that are archaic, or that readers of English do not
// understand at the first reading.
var rules = []rule{
	avoid(`mend|mends|mended|mending`, "fix"),
	avoid(`anew`, "again; rebuild, restart, refetch"),
	avoid(`whoever|whomever`, "the process that, users who"),
	avoid(`whatever|whichever|wherever`, "regardless of; any; if"),
	avoid(`beside`, "next to, with, in addition to"),
	avoid(`upon`, "on"),
	avoid(`lies|lie (?:in|on|at|below|behind|within|outside|before|between|beyond)`, "is, is in").unless(`after to`), // published functions contain this text
	avoid(`stands?`, "is, is in, contains").unless(`for|in for|still|alone`),
	avoid(`(?:tell|tells|told) (?:[\w']+ ){0,4}apart|take[sn]? (?:[\w']+ ){0,3}apart|taken apart`, "distinguish; split, parse"),
	avoid(`(?:is|are|was|were) over`, "has ended, has passed").unless(`\d|a|an|the|https?`),
	avoid(`meets?`, "has, sees, handles, satisfies").unless(`(?:all |the |its )?(?:conditions?|requirements?)`),
	avoid(`in force`, "active, in effect"),
	avoid(`(?:take[sn]?|took|taking) (?:[\w']+ ){0,2}for (?:a|an|the|what|one|those)`, "treat as, mistake for"),
	avoid(`left alone`, "not changed"),
	avoid(`(?:made|makes?|making) good`, "caught up on, repaired"),
	avoid(`(?:bring|brings|brought|bringing) (?:[\w']+ ){0,3}forward`, "export"),
	avoid(`age[sd]? out`, "expire"),
	avoid(`doubled|doubles rows`, "duplicated"),
	avoid(`poorer`, "simpler"),
	avoid(`lacking`, "missing"),
	avoid(`bears? (?:it )?out|bore out`, "confirm"),
	avoid(`rests? on`, "depends on"),
	avoid(`without a word|nothing says so`, "silently"),
	avoid(`(?:is|are|was|were|be) told`, "is notified, receives"),
	avoid(`spoil|spoils|spoiled|spoilt|spoiling`, "corrupt"),
	avoid(`(?:is|are|not|be) sound|sound (?:configuration|answer|one|ones|text)`, "valid"),
	avoid(`strikes?|struck`, "occurs, is injected"),
	avoid(`farewells?`, "grace period"),
	avoid(`go by|goes by|went by`, "use, follow"),
	avoid(`mere|merely`, "only"),
	avoid(`there already`, "already exists"),
	avoid(`(?:after|of|for|by|most|to|than|until) so (?:many|much|long|few)`, "n, this many, this long"),
	avoid(`(?:is|are|was|not|landed|lands|written|fetched|arrived) whole`, "complete, completely"),
	avoid(`their kin|and kin`, "similar ones"),
	avoid(`lest|whence|thence|aught|naught|amiss|ere|thereof|hereof|befalls?|befell|dwells?|wanders?`, "modern English"),
	avoid(`rehearsals?|rehearse[sd]?`, "trial run, dry run"),
	avoid(`local double|double of (?:the|a|both|Defender)`, "emulator"),
	avoid(`that that`, "two sentences"),
	avoid(`asks? for anything`, "starts, sends a request"),
	avoid(`(?:hold|holds|held|holding) (?:[\w']+ ){0,4}against`, "compare with"),
	avoid(`(?:its|their) like`, "similar ones"),
	avoid(`fail(?:s|ed)? for good`, "permanently"),
	avoid(`but for`, "except for, only"),
	avoid(`as far as`, "if, as long as, the ones that").unless(`possible`),
	avoid(`(?:is|are|was|were) (?:not )?to (?:be|go|have|come|see|stay|take)`, "must, should, will"),
	avoid(`had it been|were it not|should it ever`, "if"),
}

// byStart finds rules by the beginning of their matches.
var byStart = newIndex(rules)

// hits counts the matches of all rules in text and reports each.
func hits(text string, report func(match, better string)) int {
	n := 0
	for _, i := range byStart.candidates(text) {
		r := rules[i]
		for _, at := range r.find.FindAllStringIndex(text, -1) {
			if r.after != nil && r.after.MatchString(text[at[1]:]) {
				continue
			}
			n++
			report(text[at[0]:at[1]], r.better)
		}
	}
	return n
}
