// Package limits keeps the rate of hunting calls on a Temporal cluster: the server
// paces the calls of each tenant, over all workers.
package limits

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"github.com/tvmexport/tvmexport/fleet/temporal"
	"github.com/tvmexport/tvmexport/internal/config"
)

// Limits are the calls per second of each tenant.
type Limits struct {
	Rate    float32            // of a tenant
	Weights map[string]float32 // of tenants that have another rate: how many times Rate

	// Smallest says of limits that were read that Rate is the smallest rate of all
	// tenants, because the server does not keep weights.
	Smallest bool
}

// The reasons that the cluster keeps with a rate.
const (
	reason         = "the share of Defender's quota in tvmexport's configuration"
	reasonSmallest = "the smallest share of Defender's quota in tvmexport's configuration; this server keeps no shares of single tenants"
)

// headroom is the largest part of the documented quota that is used. A pace of exactly 45
// calls a minute leaves no room for a call that arrives a moment early.
const headroom = 14.0 / 15

// most is how many tenants may have a rate of their own on a cluster.
const most = 1000

// RateOf is how many calls per second Defender's quota allows a tenant.
func RateOf(d config.Defender) float32 {
	return float32(min(d.Share, headroom) * float64(d.CallsPerMinute) / 60)
}

// Of are the limits of a configuration. Tenants whose settings cannot be used have none
// of their own.
func Of(top config.Config, members []config.Member) (Limits, error) {
	l := Limits{Rate: RateOf(top.Defender), Weights: map[string]float32{}}
	for _, m := range members {
		if m.Err != nil {
			continue
		}
		if rate := RateOf(m.Config.Defender); rate != l.Rate {
			l.Weights[m.Name] = rate / l.Rate
		}
	}
	if len(l.Weights) > most {
		return Limits{}, fmt.Errorf("%d tenants have another share or quota than the top of the configuration; a Temporal cluster takes %d: set defender.share at the top to that of most tenants", len(l.Weights), most)
	}
	return l, nil
}

// Service is the part of Temporal's service that keeps limits.
type Service interface {
	DescribeTaskQueue(ctx context.Context, r *workflowservice.DescribeTaskQueueRequest, o ...grpc.CallOption) (*workflowservice.DescribeTaskQueueResponse, error)
	UpdateTaskQueueConfig(ctx context.Context, r *workflowservice.UpdateTaskQueueConfigRequest, o ...grpc.CallOption) (*workflowservice.UpdateTaskQueueConfigResponse, error)
}

// Read reads the limits of a cluster; a Rate of 0 is none.
func Read(ctx context.Context, s Service, namespace string) (Limits, error) {
	r, err := s.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: namespace, TaskQueue: &taskqueuepb.TaskQueue{Name: temporal.CallsQueue}, TaskQueueType: enumspb.TASK_QUEUE_TYPE_ACTIVITY,
		ReportConfig: true,
	})
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing): // nobody has used the queue yet
		return Limits{}, nil
	case err != nil:
		return Limits{}, fmt.Errorf("read the rate of calls: %w", err)
	}
	c := r.GetConfig()
	rate := c.GetFairnessKeysRateLimitDefault()
	return Limits{
		Rate: rate.GetRateLimit().GetRequestsPerSecond(), Weights: maps.Clone(c.GetFairnessWeightOverrides()),
		Smallest: rate.GetMetadata().GetReason() == reasonSmallest,
	}, nil
}

// Set makes the limits of a cluster those that are wanted. found are those that it has. A
// server that does not keep weights gets the smallest rate for all tenants, and note
// says so.
func Set(ctx context.Context, s Service, namespace string, wanted, found Limits) (note string, err error) {
	if err := update(ctx, s, request(namespace, wanted, found, reason)); err != nil || len(wanted.Weights) == 0 {
		return "", err
	}
	now, err := Read(ctx, s, namespace)
	if err != nil || len(now.Weights) > 0 {
		return "", err
	}
	wanted = Limits{Rate: wanted.smallest()}
	if err := update(ctx, s, request(namespace, wanted, now, reasonSmallest)); err != nil {
		return "", err
	}
	return "the server does not keep rates of single tenants, so all have the smallest, " + text(wanted.Rate) + " calls per second; a newer server keeps them", nil
}

// smallest is the smallest rate of all tenants.
func (l Limits) smallest() float32 {
	rate := l.Rate
	for _, w := range l.Weights {
		rate = min(rate, l.Rate*w)
	}
	return rate
}

func request(namespace string, wanted, found Limits, why string) *workflowservice.UpdateTaskQueueConfigRequest {
	var unset []string
	for tenant := range found.Weights {
		if _, ok := wanted.Weights[tenant]; !ok {
			unset = append(unset, tenant)
		}
	}
	slices.Sort(unset)
	return &workflowservice.UpdateTaskQueueConfigRequest{
		Namespace: namespace, Identity: "tvmexport", TaskQueue: temporal.CallsQueue, TaskQueueType: enumspb.TASK_QUEUE_TYPE_ACTIVITY,
		UpdateFairnessKeyRateLimitDefault: &workflowservice.UpdateTaskQueueConfigRequest_RateLimitUpdate{
			RateLimit: &taskqueuepb.RateLimit{RequestsPerSecond: wanted.Rate}, Reason: why,
		},
		SetFairnessWeightOverrides: wanted.Weights, UnsetFairnessWeightOverrides: unset,
	}
}

func update(ctx context.Context, s Service, r *workflowservice.UpdateTaskQueueConfigRequest) error {
	if _, err := s.UpdateTaskQueueConfig(ctx, r); err != nil {
		return fmt.Errorf("set the rate of calls: %w", err)
	}
	return nil
}

// Differing lists what makes the limits that were found the wanted ones.
func Differing(wanted, found Limits) []string {
	if found.Smallest && len(wanted.Weights) > 0 && same(found.Rate, wanted.smallest()) {
		return nil
	}
	var out []string
	if !same(wanted.Rate, found.Rate) {
		out = append(out, fmt.Sprintf("calls per second of a tenant: %s → %s", text(found.Rate), text(wanted.Rate)))
	}
	names := maps.Clone(found.Weights)
	if names == nil {
		names = map[string]float32{}
	}
	maps.Copy(names, wanted.Weights)
	for _, tenant := range slices.Sorted(maps.Keys(names)) {
		old, was := found.Weights[tenant]
		now, is := wanted.Weights[tenant]
		if was != is || !same(old, now) {
			out = append(out, fmt.Sprintf("calls per second of %s: %s → %s", tenant, text(rate(found, tenant)), text(rate(wanted, tenant))))
		}
	}
	return out
}

func rate(l Limits, tenant string) float32 {
	if w, ok := l.Weights[tenant]; ok {
		return l.Rate * w
	}
	return l.Rate
}

// same compares rates that a server may have rounded.
func same(a, b float32) bool {
	return math.Abs(float64(a-b)) <= 1e-4*math.Max(1e-3, math.Abs(float64(a)))
}

func text(rate float32) string {
	if rate == 0 {
		return "no limit"
	}
	return fmt.Sprintf("%.3g", rate)
}
