package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Names of the policies that mean something here. The others are stored and
// shown.
const (
	policyRetention  = "retention"
	policyCaching    = "caching"
	policyBatching   = "ingestionbatching"
	policyStreaming  = "streamingingestion"
	policyMerge      = "merge"
	policyUpdate     = "update"
	policyRestricted = "restricted_view_access"
	policyRowLevel   = "row_level_security"
)

// policyTitles are the names under which .show ... policy shows them.
var policyTitles = map[string]string{
	policyRetention: "RetentionPolicy", policyCaching: "CachingPolicy", policyBatching: "IngestionBatchingPolicy",
	policyStreaming: "StreamingIngestionPolicy", policyMerge: "ExtentsMergePolicy", policyUpdate: "UpdatePolicy",
	policyRestricted: "RestrictedViewAccessPolicy", policyRowLevel: "RowLevelSecurityPolicy", "extent_tags_retention": "ExtentTagsRetentionPolicy",
	"auto_delete": "AutoDeletePolicy", "encoding": "EncodingPolicy", "roworder": "RowOrderPolicy",
	"partitioning": "PartitioningPolicy", "ingestiontime": "IngestionTimePolicy", "sharding": "ShardingPolicy",
}

// The policies that hold where none is set, by the pages of
// https://learn.microsoft.com/kusto/management/policies.
var policyDefaults = map[string]string{
	policyRetention: `{"SoftDeletePeriod":"36500.00:00:00","Recoverability":"Enabled"}`,
	policyCaching:   `{"DataHotSpan":{"Value":"36500.00:00:00"},"IndexHotSpan":{"Value":"36500.00:00:00"}}`,
	policyBatching:  `{"MaximumBatchingTimeSpan":"00:05:00","MaximumNumberOfItems":500,"MaximumRawDataSizeMB":1024}`,
	policyMerge: `{"RowCountUpperBoundForMerge":16000000,"OriginalSizeMBUpperBoundForMerge":30000,"MaxExtentsToMerge":100,` +
		`"AllowRebuild":true,"AllowMerge":true,"MaxRangeInHours":24,"Lookback":{"Kind":"Default","CustomPeriod":null}}`,
	"sharding": `{"MaxRowCount":1048576,"MaxExtentSizeInMb":8192,"MaxOriginalSizeInMb":3072,"ShardEngineMaxRowCount":1048576,` +
		`"ShardEngineMaxExtentSizeInMb":8192,"ShardEngineMaxOriginalSizeInMb":3072}`,
}

// policy returns the effective policy of t: its own, else the database's, else the default.
func (s *state) policy(t *table, name string) string {
	if p, ok := t.policies[name]; ok {
		return p
	}
	if p, ok := s.policies[name]; ok {
		return p
	}
	return policyDefaults[name]
}

// BatchingPolicy says when a batch of blobs is sealed. See
// https://learn.microsoft.com/kusto/management/batching-policy.
type BatchingPolicy struct {
	MaximumBatchingTimeSpan time.Duration // default 5 min
	MaximumNumberOfItems    int           // default 500
	MaximumRawDataSizeMB    int           // default 1024
}

// BatchingPolicy returns the effective policy of a table: its own, else the
// database's, else the service's defaults. The defaults also replace values
// that a policy omits.
func (e *Engine) BatchingPolicy(db, table string) BatchingPolicy {
	b := BatchingPolicy{5 * time.Minute, 500, 1024}
	s, t, err := e.databases.table(db, table)
	if err != nil {
		return b
	}
	var p struct {
		MaximumBatchingTimeSpan string
		MaximumNumberOfItems    int
		MaximumRawDataSizeMB    int
	}
	if json.Unmarshal([]byte(s.policy(t, policyBatching)), &p) != nil {
		return b
	}
	b.MaximumBatchingTimeSpan = span(p.MaximumBatchingTimeSpan, b.MaximumBatchingTimeSpan)
	if p.MaximumNumberOfItems > 0 {
		b.MaximumNumberOfItems = p.MaximumNumberOfItems
	}
	if p.MaximumRawDataSizeMB > 0 {
		b.MaximumRawDataSizeMB = p.MaximumRawDataSizeMB
	}
	return b
}

// StreamingEnabled says whether the table, or else its database, has a
// streaming ingestion policy that is enabled.
func (e *Engine) StreamingEnabled(db, table string) bool {
	s, t, err := e.databases.table(db, table)
	if err != nil {
		return false
	}
	if e.o.Eventhouse {
		return true // and no command can turn it off
	}
	var p struct{ IsEnabled bool }
	return json.Unmarshal([]byte(s.policy(t, policyStreaming)), &p) == nil && p.IsEnabled
}

func (t *table) restricted() bool { return restrictedBy(t.policies[policyRestricted]) }

// restrictedBy says whether a restricted_view_access policy is on.
func restrictedBy(text string) bool {
	var on bool
	var p struct{ IsEnabled bool }
	return json.Unmarshal([]byte(text), &on) == nil && on || json.Unmarshal([]byte(text), &p) == nil && p.IsEnabled
}

// untimed says whether the ingestiontime policy, which is on where none is set,
// is off: ingestion_time() is null for rows that come then. See
// https://learn.microsoft.com/kusto/management/ingestion-time-policy.
func (t *table) untimed() bool { return untimedBy(t.policies["ingestiontime"]) }

// untimedBy says whether an ingestiontime policy is off.
func untimedBy(text string) bool {
	p := struct{ IsEnabled bool }{true}
	return text != "" && json.Unmarshal([]byte(text), &p) == nil && !p.IsEnabled
}

// keepsRows says whether the retention policy lets rows live at all.
func (s *state) keepsRows(t *table) bool {
	var p struct{ SoftDeletePeriod string }
	if json.Unmarshal([]byte(s.policy(t, policyRetention)), &p) != nil || p.SoftDeletePeriod == "" {
		return true
	}
	v, ok := value.ParseTimeSpan(p.SoftDeletePeriod)
	return !ok || v.Ticks() > 0
}

func (s *state) mayMerge(t *table) bool {
	p := struct{ AllowMerge bool }{true}
	return json.Unmarshal([]byte(s.policy(t, policyMerge)), &p) != nil || p.AllowMerge
}

// updatePolicy is one object of the array that an update policy is. See
// https://learn.microsoft.com/kusto/management/update-policy.
type updatePolicy struct {
	IsEnabled                    bool
	Source                       string
	SourceIsWildCard             bool
	Query                        string
	IsTransactional              bool
	PropagateIngestionProperties bool
	ManagedIdentity              *string
}

func (t *table) updatePolicies() []updatePolicy {
	var p []updatePolicy
	if json.Unmarshal([]byte(t.policies[policyUpdate]), &p) != nil {
		return nil // checked when it was set
	}
	return p
}

func (p updatePolicy) reads(source string) bool {
	if !p.IsEnabled {
		return false
	}
	if p.SourceIsWildCard {
		prefix, wild := strings.CutSuffix(p.Source, "*")
		return wild && strings.HasPrefix(source, prefix)
	}
	return p.Source == source
}

// Merging. Every load looks whether the table has become small-grained.
const (
	mergeAt      = 20        // so many small extents become one
	smallRows    = 1 << 16   // an extent with fewer rows is small
	mergeTagText = 1_000_000 // characters of tags that an extent may have (merge policy page)
)

// merge joins small extents of t whose drop-by tags are the same, as the merge
// policy's page describes it. t is one that editTable gave.
func (w *loader) merge(s *state, t *table) {
	if w.o.NoMerge || len(t.extents) < mergeAt || !s.mayMerge(t) {
		return
	}
	groups := map[string][]*extent.Extent{}
	for _, x := range t.extents {
		if x.RowCount() < smallRows {
			k := dropByKey(x.Tags)
			groups[k] = append(groups[k], x)
		}
	}
	gone := map[*extent.Extent]bool{}
	var merged []*extent.Extent
	for _, group := range groups {
		for len(group) >= mergeAt {
			n, rows, text := 0, int64(0), 0
			for n < len(group) {
				for _, tag := range group[n].Tags {
					text += len(tag)
				}
				rows += group[n].RowCount()
				if rows > extent.MaxRows || text > mergeTagText {
					break
				}
				n++
			}
			if n < 2 {
				break
			}
			for _, x := range group[:n] {
				gone[x] = true
			}
			merged = append(merged, extent.Merge(newID(), group[:n]))
			group = group[n:]
		}
	}
	if len(merged) == 0 {
		return
	}
	t.extents = slices.DeleteFunc(slices.Clone(t.extents), func(x *extent.Extent) bool { return gone[x] })
	t.extents = append(t.extents, merged...)
}

// Prefixes of the tags that mean something.
const (
	ingestBy = "ingest-by:"
	dropBy   = "drop-by:"
)

func dropByKey(tags []string) string {
	var keys []string
	for _, t := range tags {
		if strings.HasPrefix(t, dropBy) {
			keys = append(keys, t)
		}
	}
	slices.Sort(keys)
	return strings.Join(keys, "\n")
}

// checkBatching refuses values outside of what the batching policy page
// allows: 10 s to 30 min, 1 to 25,000 items, 100 to 4096 MB.
func checkBatching(span string, items, size int) error {
	if span != "" {
		v, ok := value.ParseTimeSpan(span)
		if d := time.Duration(v.Ticks()) * 100; !ok || d < 10*time.Second || d > 30*time.Minute {
			return fmt.Errorf("MaximumBatchingTimeSpan %q is not between 00:00:10 and 00:30:00", span)
		}
	}
	if items != 0 && (items < 1 || items > 25_000) {
		return fmt.Errorf("MaximumNumberOfItems %d is not between 1 and 25000", items)
	}
	if size != 0 && (size < 100 || size > 4096) {
		return fmt.Errorf("MaximumRawDataSizeMB %d is not between 100 and 4096", size)
	}
	return nil
}
