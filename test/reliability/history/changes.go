package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/test/reliability/past"
)

// course is how a table changed from day to day, as the function Changes is to
// show it.
type course struct {
	table tvmexport.Table
	key   []string          // columns of the natural key that are shown; nil: there is none
	steps []multiset        // by day: its rows without those of the day before; the first has none
	rows  map[string]series // of each row in steps
	keys  map[string]series // of each key, the first day included
	keyed map[string]string // the keys of all rows in steps
}

// series is how often something appeared, less how often it vanished, on each day on
// which that is not 0, in the order of the days. Most of it has a day or two.
type series []appearance

type appearance struct{ day, times int }

// add counts more of a day, which is the last one or a later one.
func (s series) add(day, times int) series {
	if n := len(s); n > 0 && s[n-1].day == day {
		s[n-1].times += times
		return s
	}
	return append(s, appearance{day, times})
}

// until is how often it is there on a day.
func (s series) until(day int) (n int) {
	for _, a := range s {
		if a.day <= day {
			n += a.times
		}
	}
	return n
}

// changed is the last day up to a day on which it changed how often it is there, 0 for none.
func (s series) changed(until int) (last int) {
	for _, a := range s {
		if a.day <= until && a.times != 0 {
			last = a.day
		}
	}
	return last
}

// course compares each day of a table with the one before.
func (c *chronicle) course(ctx context.Context, t tvmexport.Table) (course, error) {
	shown, err := c.shown(ctx, t.Name+"AsOf(now())")
	if err != nil {
		return course{}, err
	}
	p := course{table: t, steps: make([]multiset, len(c.entries)), rows: map[string]series{}, keys: map[string]series{}, keyed: map[string]string{}}
	if !slices.ContainsFunc(t.NaturalKey, func(k string) bool { return typeOf(shown, k) == "" }) {
		p.key = t.NaturalKey
	}
	var before multiset
	for day, e := range c.entries {
		query, err := c.query(e, t.Name, shown)
		if err != nil {
			return p, err
		}
		now, err := gather(e.state.Rows(ctx, query))
		if err != nil {
			return p, err
		}
		brought := now
		if day > 0 {
			brought = now.minus(before)
			p.steps[day] = brought
		}
		for row, n := range brought {
			key, err := p.keyOf(row)
			if err != nil {
				return p, err
			}
			p.keys[key] = p.keys[key].add(day, n)
			if day > 0 {
				p.rows[row], p.keyed[row] = p.rows[row].add(day, n), key
			}
		}
		before = now
	}
	return p, nil
}

// keyOf is the natural key of a canonical row.
func (p course) keyOf(row string) (string, error) {
	if len(p.key) == 0 {
		return "", nil
	}
	values := make([]string, len(p.key))
	err := eachMember(row, func(name, value string) {
		if i := slices.Index(p.key, name); i >= 0 {
			values[i] = value
		}
	})
	return strings.Join(values, "\x00"), err
}

// between are the rows of the day to without those of the day from.
func (p course) between(from, to int) multiset {
	m := multiset{}
	for day := from + 1; day <= to; day++ {
		for row, n := range p.steps[day] {
			if m[row] += n; m[row] == 0 {
				delete(m, row)
			}
		}
	}
	return m
}

// changes are the rows that Changes must give between two days: the kind of
// the change, the day on which it showed, the row, and what it was before.
func (p course) changes(from, to int) multiset {
	m := multiset{}
	before := map[string]string{}
	var after []string
	for row, n := range p.between(from, to) {
		key := p.keyed[row]
		paired := len(p.key) > 0 && p.keys[key].until(from) == 1 && p.keys[key].until(to) == 1
		switch {
		case paired && n < 0:
			before[key] = row
		case paired:
			after = append(after, row)
		case n > 0:
			m[changeText("added", p.rows[row].changed(to), row, "")] += n
		default:
			m[changeText("removed", p.rows[row].changed(to), row, "")] -= n
		}
	}
	for _, row := range after {
		m[changeText("modified", p.rows[row].changed(to), row, before[p.keyed[row]])]++
	}
	return m
}

func changeText(kind string, day int, row, before string) string {
	text := fmt.Sprintf("%s on day %d: %s", kind, day, row)
	if before != "" {
		text += " was " + before
	}
	return text
}

// shownChanges are the rows that Changes gives between two days.
func (c *chronicle) shownChanges(ctx context.Context, p course, from, to int) (multiset, error) {
	days := map[string]int{}
	for _, e := range c.entries {
		days[string(e.results[p.table.Name].Run.ID)] = e.day
	}
	name := p.table.Name
	call := fmt.Sprintf("%sChanges(%s, %s)", name, past.Moment(c.entries[from].at[name]), past.Moment(c.entries[to].at[name]))
	m := multiset{}
	for row, err := range c.rig.Emulator.LandedRows(ctx, "", call) {
		if err != nil {
			return nil, err
		}
		text, err := readChange(row, days)
		if err != nil {
			return nil, err
		}
		m[text]++
	}
	return m, nil
}

// readChange takes a row of Changes apart, whose members are in the order of their names.
func readChange(row []byte, days map[string]int) (string, error) {
	var change, run, before string
	var rest strings.Builder
	rest.Grow(len(row))
	rest.WriteByte('{')
	err := eachMember(string(row), func(name, value string) {
		switch name {
		case "Change":
			change = value
		case "RunId":
			run = value
		case "At":
		case "Before":
			before = value
		default:
			if rest.Len() > 1 {
				rest.WriteByte(',')
			}
			rest.WriteString(`"` + name + `":` + value)
		}
	})
	if err != nil {
		return "", err
	}
	rest.WriteByte('}')
	day, ok := days[strings.Trim(run, `"`)]
	if !ok {
		return "", fmt.Errorf("the run %s is none of the days'", run)
	}
	return changeText(strings.Trim(change, `"`), day, rest.String(), before), nil
}

// checkChanges holds Changes of a table between all days that follow each
// other, and between others chosen at random, against the difference of the two
// days.
func (c *chronicle) checkChanges(ctx context.Context, t tvmexport.Table, f *findings, more int, dice *rand.Rand) error {
	var pairs [][2]int
	for day := 1; day < len(c.entries); day++ {
		pairs = append(pairs, [2]int{day - 1, day})
	}
	for range more {
		from := dice.IntN(len(c.entries) - 1)
		pairs = append(pairs, [2]int{from, from + 1 + dice.IntN(len(c.entries)-1-from)})
	}
	p, err := c.course(ctx, t)
	if err != nil {
		return err
	}
	return f.look(len(pairs), func(i int) (string, error) { return c.checkPair(ctx, p, pairs[i][0], pairs[i][1]) })
}

// checkPair says how Changes between two days differs from the difference of the
// sources; "" if it does not.
func (c *chronicle) checkPair(ctx context.Context, p course, from, to int) (string, error) {
	want := p.changes(from, to)
	got, err := c.shownChanges(ctx, p, from, to)
	if err != nil {
		return "", fmt.Errorf("%s, days %d to %d: %w", p.table.Name, from, to, err)
	}
	if d := want.minus(got); len(d) > 0 {
		return fmt.Sprintf("%sChanges of days %d to %d%s", p.table.Name, from, to, d), nil
	}
	return "", nil
}
