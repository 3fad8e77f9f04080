package statuspage

import "sync"

// mostRecords is how many records are kept. What is committed does not change
// any more, so that one question to the ledger is enough.
const mostRecords = 32

// records keeps what was read of runs.
type records struct {
	mu    sync.Mutex
	order []string
	by    map[string]Record
}

// get reads one at a time: many readers are one question.
func (k *records) get(key string, read func() (Record, error)) (Record, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r, ok := k.by[key]; ok {
		return r, nil
	}
	r, err := read()
	if err != nil || len(r.Rows) == 0 {
		return r, err
	}
	if k.by == nil {
		k.by = map[string]Record{}
	}
	k.by[key] = r
	if k.order = append(k.order, key); len(k.order) > mostRecords {
		delete(k.by, k.order[0])
		k.order = k.order[1:]
	}
	return r, nil
}
