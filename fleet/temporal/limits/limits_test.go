package limits_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"github.com/tvmexport/tvmexport/fleet/temporal/limits"
	"github.com/tvmexport/tvmexport/internal/config"
)

func TestRatesOfQuotas(t *testing.T) {
	for _, tt := range []struct {
		share float64
		calls int
		want  string
	}{{0.5, 45, "0.375"}, {1, 45, "0.700"}, {0.95, 45, "0.700"}, {0.9, 45, "0.675"}, {0.25, 90, "0.375"}} {
		if got := fmt.Sprintf("%.3f", limits.RateOf(config.Defender{Share: tt.share, CallsPerMinute: tt.calls})); got != tt.want {
			t.Errorf("share %v of %d calls: %s, want %s", tt.share, tt.calls, got, tt.want)
		}
	}
}

// queue keeps the configuration of one task queue, as a server does.
type queue struct {
	config *taskqueuepb.TaskQueueConfig
	err    error
	old    bool // it does not know weights
}

func (q *queue) DescribeTaskQueue(_ context.Context, r *workflowservice.DescribeTaskQueueRequest, _ ...grpc.CallOption) (*workflowservice.DescribeTaskQueueResponse, error) {
	if !r.ReportConfig || r.TaskQueue.Name != "tvmexport-calls" {
		return nil, errors.New("another queue, or not its configuration")
	}
	return &workflowservice.DescribeTaskQueueResponse{Config: q.config}, q.err
}

func (q *queue) UpdateTaskQueueConfig(_ context.Context, r *workflowservice.UpdateTaskQueueConfigRequest, _ ...grpc.CallOption) (*workflowservice.UpdateTaskQueueConfigResponse, error) {
	if q.config == nil {
		q.config = &taskqueuepb.TaskQueueConfig{FairnessWeightOverrides: map[string]float32{}}
	}
	q.config.FairnessKeysRateLimitDefault = &taskqueuepb.RateLimitConfig{
		RateLimit: r.UpdateFairnessKeyRateLimitDefault.RateLimit, Metadata: &taskqueuepb.ConfigMetadata{Reason: r.UpdateFairnessKeyRateLimitDefault.Reason},
	}
	if q.old {
		return nil, q.err
	}
	for tenant, weight := range r.SetFairnessWeightOverrides {
		q.config.FairnessWeightOverrides[tenant] = weight
	}
	for _, tenant := range r.UnsetFairnessWeightOverrides {
		delete(q.config.FairnessWeightOverrides, tenant)
	}
	return nil, q.err
}

func TestTheClusterGetsTheLimitsOfTheConfiguration(t *testing.T) {
	top := config.Default()
	member := func(name string, share float64) config.Member {
		c := top
		c.Defender.Share = share
		return config.Member{Name: name, Config: c}
	}
	q := &queue{}
	for _, step := range []struct {
		members []config.Member
		want    []string
	}{
		{[]config.Member{member("a", 0.5), member("b", 0.25), {Name: "c", Err: errors.New("unusable")}}, []string{
			"calls per second of a tenant: no limit → 0.375", "calls per second of b: no limit → 0.188",
		}},
		{[]config.Member{member("a", 1), member("b", 0.25)}, []string{"calls per second of a: 0.375 → 0.7"}},
		{[]config.Member{member("a", 1)}, []string{"calls per second of b: 0.188 → 0.375"}},
	} {
		wanted, err := limits.Of(top, step.members)
		if err != nil {
			t.Fatal(err)
		}
		found, err := limits.Read(t.Context(), q, "n")
		if err != nil {
			t.Fatal(err)
		}
		if got := limits.Differing(wanted, found); !slices.Equal(got, step.want) {
			t.Errorf("%q, want %q", got, step.want)
		}
		if note, err := limits.Set(t.Context(), q, "n", wanted, found); err != nil || note != "" {
			t.Fatal(note, err)
		}
		if found, err = limits.Read(t.Context(), q, "n"); err != nil || len(limits.Differing(wanted, found)) > 0 {
			t.Errorf("after it was set: %v, %v", limits.Differing(wanted, found), err)
		}
	}
}

// A server without weights gets the smallest rate for all, and no other one until the
// configuration changes.
func TestAServerWithoutWeightsGetsTheSmallestRate(t *testing.T) {
	top := config.Default()
	a, b := config.Member{Name: "a", Config: top}, config.Member{Name: "b", Config: top}
	a.Config.Defender.Share, b.Config.Defender.Share = 1, 0.25
	q := &queue{old: true}
	for _, step := range []struct {
		members []config.Member
		rate    string
		noted   bool
		changes int
	}{{[]config.Member{a, b}, "0.1875", true, 3}, {[]config.Member{a, b}, "0.1875", true, 0}, {[]config.Member{a}, "0.3750", true, 2}, {nil, "0.3750", false, 0}} {
		wanted, err := limits.Of(top, step.members)
		if err != nil {
			t.Fatal(err)
		}
		found, err := limits.Read(t.Context(), q, "n")
		if err != nil {
			t.Fatal(err)
		}
		if got := limits.Differing(wanted, found); len(got) != step.changes {
			t.Errorf("%d tenants: %q, want %d changes", len(step.members), got, step.changes)
		}
		note, err := limits.Set(t.Context(), q, "n", wanted, found)
		if err != nil || (note != "") != step.noted {
			t.Errorf("%d tenants: %q, %v", len(step.members), note, err)
		}
		if got := fmt.Sprintf("%.4f", q.config.FairnessKeysRateLimitDefault.RateLimit.RequestsPerSecond); got != step.rate {
			t.Errorf("%d tenants: %s calls per second, want %s", len(step.members), got, step.rate)
		}
	}
}

func TestTooManyRates(t *testing.T) {
	var members []config.Member
	for i := range 1001 {
		c := config.Default()
		c.Defender.Share = 0.25
		members = append(members, config.Member{Name: fmt.Sprint(i), Config: c})
	}
	if _, err := limits.Of(config.Default(), members); err == nil || !strings.Contains(err.Error(), "1001 tenants have another share") {
		t.Errorf("1,001 rates: %v", err)
	}
	if _, err := limits.Of(config.Default(), members[1:]); err != nil {
		t.Error(err)
	}
}

func TestFailuresOfTheServiceAreToldFromANewQueue(t *testing.T) {
	if l, err := limits.Read(t.Context(), &queue{err: serviceerror.NewNotFound("no queue")}, "n"); err != nil || l.Rate != 0 {
		t.Errorf("a new queue: %+v, %v", l, err)
	}
	if _, err := limits.Read(t.Context(), &queue{err: errors.New("no connection")}, "n"); err == nil || !strings.Contains(err.Error(), "read the rate of calls") {
		t.Errorf("no connection: %v", err)
	}
}
