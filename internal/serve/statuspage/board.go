package statuspage

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Board collects what is shown. It is safe for concurrent use.
type Board struct {
	mu      sync.Mutex
	page    Page
	live    map[string]*Live
	failed  map[string]*Problem // by table: of runs that ended here
	quota   func() *Quota
	changed chan struct{}
	above   func() // notifies the fleet; nil: there is none
}

// mostMissed is how many records of missed schedules are kept; the log has all.
const mostMissed = 200

// NewBoard makes a board with nothing on it.
func NewBoard(s Setup) *Board {
	return &Board{page: Page{Setup: s}, live: map[string]*Live{}, failed: map[string]*Problem{}, changed: make(chan struct{})}
}

// change changes the board and notifies its readers.
func (b *Board) change(f func(p *Page)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.page)
	close(b.changed)
	b.changed = make(chan struct{})
	if b.above != nil {
		b.above()
	}
}

// Changed is closed at the next change.
func (b *Board) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// Page is what is shown now.
func (b *Board) Page() Page {
	b.mu.Lock()
	p, ask := b.shown(nil, time.Now()), b.quota
	p.Missed = slices.Clone(p.Missed)
	for i := range p.Tables {
		if l := p.Tables[i].Live; l != nil {
			shown := *l
			p.Tables[i].Live = &shown
		}
	}
	b.mu.Unlock()
	if ask != nil {
		p.Quota = ask()
	}
	return p
}

// shown is the page without the quota, with its tables in a slice of the caller's. What
// it points to belongs to the board: it is used with the lock held.
func (b *Board) shown(tables []Table, now time.Time) Page {
	p := b.page
	p.Now, p.Tables = now, append(tables[:0], p.Tables...)
	for i := range p.Tables {
		t := &p.Tables[i]
		if l, ok := b.live[t.Name]; ok {
			t.Live = l
		}
		if f := b.failed[t.Name]; f != nil {
			t.Failure = f
		}
	}
	if p.Wait != nil && !p.Wait.Until.After(p.Now) {
		p.Wait = nil
	}
	return p
}

// Tenant sets whose data it is, once that is known.
func (b *Board) Tenant(id string) { b.change(func(p *Page) { p.Tenant = id }) }

// Quota sets whom to ask how much of the quota is used.
func (b *Board) Quota(ask func() *Quota) { b.change(func(*Page) { b.quota = ask }) }

// Tables sets what the ledger says, or why it cannot be read. Schedules are
// kept.
func (b *Board) Tables(list []Table, err error) {
	b.change(func(p *Page) {
		if err != nil {
			p.Ledger.Err = ProblemOf(err, time.Now())
			return
		}
		p.Ledger = Ledger{Read: time.Now()}
		for i := range list {
			t := &list[i]
			if j := slices.IndexFunc(p.Tables, func(old Table) bool { return old.Name == t.Name }); j >= 0 {
				t.Schedule, t.Next, t.Interval = p.Tables[j].Schedule, p.Tables[j].Next, p.Tables[j].Interval
			}
			if len(t.Runs) > 0 && !t.Runs[0].Committed {
				t.Failure = t.Runs[0].Failure
			}
			if len(t.Runs) > 0 && t.Runs[0].Committed && b.failed[t.Name] != nil && t.Runs[0].At.After(b.failed[t.Name].At) {
				delete(b.failed, t.Name) // somebody else has committed since
			}
		}
		if p.Tables = list; b.above != nil {
			p.Tables = briefly(list)
		}
	})
}

// Scheduled sets when each table is due next.
func (b *Board) Scheduled(of func(table string) (schedule string, next time.Time, interval time.Duration)) {
	b.change(func(p *Page) {
		p.Next = time.Time{}
		for i := range p.Tables {
			t := &p.Tables[i]
			t.Schedule, t.Next, t.Interval = of(t.Name)
			if t.Active && !t.Next.IsZero() && (p.Next.IsZero() || t.Next.Before(p.Next)) {
				p.Next = t.Next
			}
		}
	})
}

// Exporting sets the tables that are being exported; none: the export has ended.
func (b *Board) Exporting(tables []string) {
	b.change(func(p *Page) {
		p.Exporting, p.Queued = slices.Clone(tables), time.Time{}
		if p.Wait = nil; len(tables) == 0 {
			clear(b.live)
		}
	})
}

// Missed adds scheduled times at which no run began.
func (b *Board) Missed(m Missed) {
	b.change(func(p *Page) {
		m.Told = time.Now()
		p.Missed = slices.Insert(p.Missed, 0, m)
		most := mostMissed
		if b.above != nil {
			most = mostMissedOfTenant
		}
		p.Missed = p.Missed[:min(len(p.Missed), most)]
	})
}

// Reloaded tells how reading the configuration again went.
func (b *Board) Reloaded(err error) {
	b.change(func(p *Page) {
		p.Reload = Reload{At: time.Now()}
		if err != nil {
			p.Reload.Err = err.Error()
		}
	})
}

// Queued tells that the tenant is due and waits for a worker, since a time; the zero
// time: it does not. An export ends the wait.
func (b *Board) Queued(since time.Time) { b.change(func(p *Page) { p.Queued = since }) }

// Stopping tells that the program is about to end.
func (b *Board) Stopping() { b.change(func(p *Page) { p.Stopping = true }) }

// Waiting tells that calls to the source are held back.
func (b *Board) Waiting(cause string, until time.Time) {
	b.change(func(p *Page) { p.Wait = &Wait{cause, until} })
}

// ProblemOf splits an error into its text and its hint.
func ProblemOf(err error, at time.Time) *Problem {
	p := &Problem{At: at, Text: err.Error()}
	var e *tvmexport.Error
	if errors.As(err, &e) && e.Hint != "" {
		p.Fix = e.Hint
		p.Text = strings.Replace(p.Text, " ("+e.Hint+")", "", 1)
	}
	return p
}

// ProblemOfText does the same for the text of an error, whose hint is in
// parentheses at the end.
func ProblemOfText(text string, at time.Time) *Problem {
	p := &Problem{At: at, Text: text}
	open := 0
	if !strings.HasSuffix(text, ")") {
		return p
	}
	for i := len(text) - 1; i > 0; i-- {
		switch text[i] {
		case ')':
			open++
		case '(':
			if open--; open > 0 {
				continue
			}
			inner := text[i+1 : len(text)-1]
			if text[i-1] == ' ' && len(strings.Fields(inner)) > 2 && !strings.HasPrefix(inner, "request ") {
				p.Text, p.Fix = text[:i-1], inner
			}
			return p
		}
	}
	return p
}
