package aggregate

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// maxElements is how many elements make_list() and similar functions collect by
// default (https://learn.microsoft.com/kusto/query/make-list-aggregation-function).
const maxElements = 1 << 20

var (
	makeList = collector("make_list", "list", func(limit int) Accumulator { return &list{limit: limit} })
	makeSet  = collector("make_set", "set", func(limit int) Accumulator { return &set{list: list{limit: limit}} })
	makeBag  = Aggregate{Name: "make_bag", MinArgs: 1, MaxArgs: 2, bind: func(c call) (Bound, error) {
		if err := c.check(0, dynamic, "a dynamic expression"); err != nil {
			return Bound{}, err
		}
		return bindCollector("bag", func(limit int) Accumulator { return &bag{limit: limit} })(c)
	}}
)

// collections gather values into dynamics. All but make_list_with_nulls omit
// nulls. Without values the result is the empty array, as the summarize page
// says, also for make_bag.
var collections = []Aggregate{
	makeList, alias("makelist", makeList), conditional("make_list_if", "list_", makeList),
	collector("make_list_with_nulls", "list", func(limit int) Accumulator { return &list{limit: limit, nulls: true} }),
	makeSet, alias("makeset", makeSet), conditional("make_set_if", "set_", makeSet),
	makeBag, conditional("make_bag_if", "bag_", makeBag),
}

func alias(name string, a Aggregate) Aggregate {
	a.Name = name
	return a
}

// collector makes an aggregate (expression [, maxSize]) with a dynamic result.
func collector(name, prefix string, make func(limit int) Accumulator) Aggregate {
	return Aggregate{Name: name, MinArgs: 1, MaxArgs: 2, bind: bindCollector(prefix, make)}
}

func bindCollector(prefix string, make func(limit int) Accumulator) func(call) (Bound, error) {
	return func(c call) (Bound, error) {
		size, err := c.number(1, maxElements)
		if err != nil {
			return Bound{}, err
		}
		limit := int(min(max(size, 0), maxElements))
		return Bound{Results: one(value.Dynamic, prefix), New: func() Accumulator { return make(limit) }}, nil
	}
}

type list struct {
	elements []value.Value
	limit    int
	nulls    bool
}

func (l *list) Add(args []value.Value) error {
	if (l.nulls || !args[0].IsNull()) && len(l.elements) < l.limit {
		l.elements = append(l.elements, value.NewDynamic(args[0]))
	}
	return nil
}

func (l *list) AppendResults(to []value.Value) []value.Value {
	return append(to, value.NewArray(l.elements[:len(l.elements):len(l.elements)]))
}

// set keeps the elements in the order of their first appearance. Of an array
// its elements are added, not the array.
type set struct {
	list
	seen keys
}

func (s *set) Add(args []value.Value) error {
	if elements, ok := args[0].Array(); ok {
		for _, e := range elements {
			if err := s.addOne(e); err != nil {
				return err
			}
		}
		return nil
	}
	return s.addOne(args[0])
}

func (s *set) addOne(v value.Value) error {
	if v.IsNull() || len(s.elements) >= s.limit || !s.seen.add(v) {
		return nil
	}
	return s.list.Add([]value.Value{v})
}

// bag merges property bags; of a repeated name the first slot counts.
type bag struct {
	slots []value.Property
	seen  map[string]struct{}
	limit int
}

func (b *bag) Add(args []value.Value) error {
	slots, _ := args[0].Bag()
	for _, p := range slots {
		if _, ok := b.seen[p.Name]; ok || len(b.slots) >= b.limit {
			continue
		}
		if b.seen == nil {
			b.seen = map[string]struct{}{}
		}
		b.seen[p.Name] = struct{}{}
		b.slots = append(b.slots, p)
	}
	return nil
}

func (b *bag) AppendResults(to []value.Value) []value.Value {
	if b.slots == nil {
		return append(to, value.NewArray(nil))
	}
	return append(to, value.NewBag(b.slots[:len(b.slots):len(b.slots)]))
}
