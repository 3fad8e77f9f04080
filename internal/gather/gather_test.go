package gather_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport/internal/gather"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service answers with the item in capitals, after a second. It writes down what it is asked.
type service struct {
	mu     sync.Mutex
	asked  []string
	refuse func(items []string) []gather.Reply[string] // of joint requests; nil: all are answered
	ended  []error                                     // of the contexts of joint requests
}

func (s *service) note(items ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, strings.Join(items, "+"))
}

func (s *service) alone(ctx context.Context, item string) (string, error) {
	s.note(item)
	select {
	case <-time.After(time.Second):
		return strings.ToUpper(item), nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (s *service) together(ctx context.Context, items []string) []gather.Reply[string] {
	s.note(items...)
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.ended = append(s.ended, ctx.Err())
	s.mu.Unlock()
	if s.refuse != nil {
		return s.refuse(items)
	}
	var out []gather.Reply[string]
	for _, item := range items {
		out = append(out, gather.Done(strings.ToUpper(item)))
	}
	return out
}

func (s *service) group() *gather.Group[string, string] {
	return &gather.Group[string, string]{
		Alone: s.alone, Together: s.together, Compare: cmp.Compare[string],
		Linger: 10 * time.Millisecond, Patience: 10 * time.Second,
	}
}

// answers are those to items that are asked at the given times.
type answers struct {
	mu  sync.Mutex
	by  map[string]string
	wg  sync.WaitGroup
	all *gather.Group[string, string]
}

func ask(g *gather.Group[string, string]) *answers {
	return &answers{by: map[string]string{}, all: g}
}

func (a *answers) at(ctx context.Context, after time.Duration, items ...string) {
	for _, item := range items {
		a.wg.Go(func() {
			time.Sleep(after)
			value, err := a.all.Ask(ctx, item)
			if err != nil {
				value = err.Error()
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			a.by[item] += value // twice: an item was answered twice
		})
	}
}

func (a *answers) want(t *testing.T, want map[string]string) {
	t.Helper()
	a.wg.Wait()
	for item, value := range want {
		if a.by[item] != value {
			t.Errorf("%s: got %q, want %q", item, a.by[item], value)
		}
	}
	if len(a.by) != len(want) {
		t.Errorf("answers %v, want %v", a.by, want)
	}
}

func (s *service) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(s.asked)
	slices.Sort(want)
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked %q, want %q", s.asked, want)
	}
}

func TestWhoAsksAtOneTimeShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{}
		a := ask(s.group())
		a.at(t.Context(), 0, "c", "a")
		a.at(t.Context(), 9*time.Millisecond, "b")
		a.want(t, map[string]string{"a": "A", "b": "B", "c": "C"})
		s.wantAsked(t, "a+b+c")
	})
}

func TestOneItemIsAskedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{}
		a := ask(s.group())
		a.at(t.Context(), 0, "a")
		a.want(t, map[string]string{"a": "A"})
		s.wantAsked(t, "a")
	})
}

// While a request is under way, others gather; also behind a request for one item.
func TestLaterItemsShareTheNextRequest(t *testing.T) {
	for _, first := range [][]string{{"a"}, {"a", "b"}} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{}
			began := time.Now()
			a := ask(s.group())
			a.at(t.Context(), 0, first...)
			a.at(t.Context(), 100*time.Millisecond, "x")
			a.at(t.Context(), 900*time.Millisecond, "y")
			a.wg.Wait()
			s.wantAsked(t, strings.Join(first, "+"), "x+y")
			if took := time.Since(began); took != 2010*time.Millisecond {
				t.Errorf("took %s", took)
			}
		})
	}
}

// A slow request does not keep others waiting for longer than the patience.
func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{}
		g := s.group()
		g.Patience = 200 * time.Millisecond
		began := time.Now()
		a := ask(g)
		a.at(t.Context(), 0, "a", "b")
		a.at(t.Context(), 100*time.Millisecond, "x", "y")
		a.wg.Wait()
		s.wantAsked(t, "a+b", "x+y")
		if took := time.Since(began); took != 1300*time.Millisecond {
			t.Errorf("took %s", took)
		}
	})
}

func TestRequestsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{}
		g := s.group()
		g.Most = 2
		a := ask(g)
		a.at(t.Context(), 0, "a", "b", "c", "d", "e")
		a.want(t, map[string]string{"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"})
		s.wantAsked(t, "a+b", "c+d", "e")
	})
	synctest.Test(t, func(t *testing.T) {
		s := &service{}
		g := s.group()
		g.Size, g.Largest = func(item string) int { return len(item) }, 5
		a := ask(g)
		a.at(t.Context(), 0, "a", "bb", "cc", "dddddddd", "e")
		a.want(t, map[string]string{"a": "A", "bb": "BB", "cc": "CC", "dddddddd": "DDDDDDDD", "e": "E"})
		s.wantAsked(t, "a+bb+cc", "dddddddd", "e")
	})
}

// A joint request says what it knows: an error concerns its item only, and what it
// says nothing about is asked alone.
func TestEachItemHasItsOwnReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{refuse: func([]string) []gather.Reply[string] {
			return []gather.Reply[string]{gather.Done("1"), gather.Failed[string](errors.New("broken")), {}}
		}}
		a := ask(s.group())
		a.at(t.Context(), 0, "a", "b", "c", "d")
		a.want(t, map[string]string{"a": "1", "b": "broken", "c": "C", "d": "D"})
		s.wantAsked(t, "a+b+c+d", "c", "d")
	})
}

func TestAnErrorOfTheWholeRequest(t *testing.T) {
	refused, down := errors.New("refused"), errors.New("down")
	for _, test := range []struct {
		err   error
		want  map[string]string
		asked []string
	}{
		{refused, map[string]string{"a": "A", "b": "B"}, []string{"a+b", "a", "b"}},
		{down, map[string]string{"a": "down", "b": "down"}, []string{"a+b"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{refuse: func(items []string) []gather.Reply[string] {
				return gather.Same[string](len(items), test.err, func(err error) bool { return errors.Is(err, refused) })
			}}
			a := ask(s.group())
			a.at(t.Context(), 0, "a", "b")
			a.want(t, test.want)
			s.wantAsked(t, test.asked...)
		})
	}
}

// A caller that is cancelled returns at once and disturbs nobody. Its item is not sent
// if it was not sent before. A request ends when nobody waits for it any more.
func TestCancelledCallers(t *testing.T) {
	gone := errors.New("gone")
	for _, test := range []struct {
		name   string
		after  time.Duration
		cancel []string
		asked  []string
		ended  []error
	}{
		{"before the request", 5 * time.Millisecond, []string{"a"}, []string{"b+c"}, []error{nil}},
		{"all but one before the request", 5 * time.Millisecond, []string{"a", "b"}, []string{"c"}, nil},
		{"during the request", 500 * time.Millisecond, []string{"a"}, []string{"a+b+c"}, []error{nil}},
		{"all before the request", 5 * time.Millisecond, []string{"a", "b", "c"}, nil, nil},
		{"all during the request", 500 * time.Millisecond, []string{"a", "b", "c"}, []string{"a+b+c"}, []error{context.Canceled}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{}
				a := ask(s.group())
				ctx, cancel := context.WithCancelCause(t.Context())
				want := map[string]string{}
				for _, item := range []string{"a", "b", "c"} {
					if slices.Contains(test.cancel, item) {
						a.at(ctx, 0, item)
						want[item] = "gone"
						continue
					}
					a.at(t.Context(), 0, item)
					want[item] = strings.ToUpper(item)
				}
				time.Sleep(test.after)
				began := time.Now()
				cancel(gone)
				if len(test.cancel) == 3 {
					a.wg.Wait()
					if took := time.Since(began); took != 0 {
						t.Errorf("cancelled callers waited %s", took)
					}
				}
				a.want(t, want)
				synctest.Wait()
				s.wantAsked(t, test.asked...)
				if !slices.Equal(s.ended, test.ended) {
					t.Errorf("the requests ended with %v, want %v", s.ended, test.ended)
				}
			})
		})
	}
}

func TestWhoIsCancelledBeforeAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("gone"))
		if _, err := s.group().Ask(ctx, "a"); err == nil || err.Error() != "gone" {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		s.wantAsked(t)
	})
}

// Each item is answered once, and only by its own answer, in any order of arrivals, also if
// callers leave.
func TestNothingIsLostOrDoubled(t *testing.T) {
	for seed := range 50 {
		synctest.Test(t, func(t *testing.T) {
			random := uint64(seed)*0x9E3779B97F4A7C15 + 1
			next := func(n uint64) uint64 {
				random ^= random << 13
				random ^= random >> 7
				random ^= random << 17
				return random % n
			}
			s := &service{}
			s.refuse = func(items []string) []gather.Reply[string] {
				out := make([]gather.Reply[string], len(items))
				for i, item := range items {
					if !strings.HasSuffix(item, "7") { // those are asked alone
						out[i] = gather.Done(strings.ToUpper(item))
					}
				}
				return out
			}
			g := s.group()
			g.Most, g.Patience = int(next(7)), time.Duration(next(2000))*time.Millisecond
			a := ask(g)
			want := map[string]string{}
			for i := range 60 {
				item, ctx := fmt.Sprintf("x%d", i), t.Context()
				want[item] = strings.ToUpper(item)
				if next(5) == 0 {
					limited, cancel := context.WithTimeoutCause(ctx, time.Duration(next(3000))*time.Millisecond, errors.New("late"))
					defer cancel()
					ctx = limited
					want[item] = ""
				}
				a.at(ctx, time.Duration(next(4000))*time.Millisecond, item)
			}
			a.wg.Wait()
			for item, value := range want {
				if got := a.by[item]; got != value && (value != "" || got != "late" && got != strings.ToUpper(item)) {
					t.Errorf("seed %d: %s: got %q, want %q", seed, item, got, value)
				}
			}
			sent := map[string]int{}
			for _, request := range s.asked {
				for item := range strings.SplitSeq(request, "+") {
					sent[item]++
				}
			}
			for item, n := range sent {
				if n > 1 && !strings.HasSuffix(item, "7") || n > 2 {
					t.Errorf("seed %d: %s was sent %d times", seed, item, n)
				}
			}
		})
	}
}
