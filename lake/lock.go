package lake

import (
	"context"
	"errors"
	"sync"

	"github.com/tvmexport/tvmexport/lake/store"
)

// locks are the locks of invocations that end with their process.
type locks struct {
	store store.Store

	mu   sync.Mutex
	held map[string]func() error // by this process, by digest of the owner
}

// hold takes the lock that ends with this process.
func (l *locks) hold(ctx context.Context, owner string) error {
	locker, ok := l.store.(store.Locker)
	if !ok {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := digest(owner)
	if l.held[key] != nil {
		return nil
	}
	unlock, locked, err := locker.Lock(ctx, controlName("locks", key))
	if err == nil && locked {
		l.held[key] = unlock
	}
	return err
}

func (l *locks) unlock(owner string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := digest(owner)
	unlock := l.held[key]
	if unlock == nil {
		return nil
	}
	delete(l.held, key)
	return unlock()
}

func (l *locks) unlockAll() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for key, unlock := range l.held {
		errs = append(errs, unlock())
		delete(l.held, key)
	}
	return errors.Join(errs...)
}

// dead says that the process of an invocation has ended. Only the machine that it ran on
// can tell.
func (l *locks) dead(ctx context.Context, owner, host string) bool {
	locker, ok := l.store.(store.Locker)
	if !ok || host == "" || host != hostname() {
		return false
	}
	l.mu.Lock()
	ours := l.held[digest(owner)] != nil
	l.mu.Unlock()
	if ours {
		return false
	}
	unlock, locked, err := locker.Lock(ctx, controlName("locks", digest(owner)))
	if err != nil || !locked {
		return false
	}
	return unlock() == nil
}
