package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The example of the page, by append.
func TestUpdateTableByAppend(t *testing.T) {
	b := newBench(t)
	b.run(".create table T (Id: long, Color: string)")
	b.run(`.set-or-append T with (tags = '["drop-by:x"]') <| range i from 1 to 4 step 1 | project Id = i, Color = iff(i % 2 == 0, "Blue", "Red")`)
	const update = `.update table T delete D append A %s <|
let D = T | where Color == "Blue";
let A = D | extend Color = "Green";`
	if d := cmp.Diff([]string{"Delete | 2", "Create | 2"}, b.cells(fmt.Sprintf(update, "with (whatif=true)"), "Action", "RowCount")); d != "" {
		b.Error(d)
	}
	b.want("T | where Color == 'Green' | count", "0")
	b.run(fmt.Sprintf(update, ""))
	b.want("T | order by Id asc", "1 | Red", "2 | Green", "3 | Red", "4 | Green")
	b.want(".show table T extents where tags has 'drop-by:x' | summarize sum(RowCount), sum(DeletedRowCount)", "4 | 2")
}

// Both predicates see the tables as they were before the command.
func TestUpdateTableSeesOneState(t *testing.T) {
	b := newBench(t)
	b.run(".set-or-append T <| range a from 1 to 3 step 1")
	b.run(".update table T delete D append A with (distributed=true) <| let D = T | where a > 0; let A = T | project a = a + 10")
	b.want("T | order by a asc", "11", "12", "13")
}

// Extents move with their tags; only those that carry a tag, where tags are named.
func TestUpdateTableByMove(t *testing.T) {
	b := newBench(t)
	b.run(".set-or-append T with (tags = '[\"drop-by:run\"]') <| range a from 1 to 3 step 1")
	b.run(".create table S (a: long)")
	b.run(".set-or-append S with (tags = '[\"drop-by:one\"]') <| range a from 1 to 2 step 1")
	b.run(".set-or-append S with (tags = '[\"drop-by:two\"]') <| range a from 7 to 9 step 1")
	replaced := `.update table T delete D move S with (extentTagsToMove = '["drop-by:one"]') <|
let D = T | where a in (S | where extent_tags() has "drop-by:one" | project a);`
	b.run(replaced)
	b.want("T | order by a asc", "1", "2", "3")
	b.want("T | where extent_tags() has 'drop-by:one' | order by a asc", "1", "2")
	b.want("S | order by a asc", "7", "8", "9")
	b.run(replaced) // nothing is left to move, so the predicate matches nothing
	b.want("T | order by a asc", "1", "2", "3")
	b.run(".update table T delete D move S <| let D = T | where a < 3")
	b.want("T | order by a asc", "3", "7", "8", "9")
	b.want("S | count", "0")
}

func TestUpdateTableRefusals(t *testing.T) {
	b := newBench(t)
	b.run(".create table T (a: long, b: string)")
	b.run(".create table S (a: long)")
	b.run(".create table Q (b: string, a: long)")
	for csl, want := range map[string]string{
		".update table N delete D append A <| let D = N | where a > 1; let A = D":                                   "N",
		".update table T delete D move N <| let D = T | where a > 1":                                                "N",
		".update table T delete D move T <| let D = T | where a > 1":                                                "itself",
		".update table T delete D move S <| let D = T | where a > 1":                                                "same schema",
		".update table T delete D append A <| let D = T | where a > 1; let A = print 1":                             "Invalid query for update",
		".update table T delete D append A <| let D = T | summarize count(); let A = T":                             "only filter",
		".update table T delete D append A <| let D = T | where a > 1":                                              "A",
		".update table T delete D append A with (extentTagsToMove='[\"x\"]') <| let D = T | where a > 1; let A = T": "extenttagstomove",
		".update table T on a <| T | where a > 1":                                                                   "deprecated",
		".update table T delete D <| let D = T":                                                                     "append",
	} {
		if _, _, err := b.try(root, csl); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", csl, err, want)
		}
	}
	b.run(".update table T delete D move Q <| let D = T | where a > 1") // columns are found by their names
}
