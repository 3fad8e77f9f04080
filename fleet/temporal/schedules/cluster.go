package schedules

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	commonpb "go.temporal.io/api/common/v1"

	"github.com/tvmexport/tvmexport/fleet/temporal"
	"github.com/tvmexport/tvmexport/internal/serve/schedule"
)

// Cluster keeps schedules.
type Cluster interface {
	// Tenants are those that have a schedule, perhaps without the newest ones.
	Tenants(ctx context.Context) ([]string, error)
	// Read reads the schedule of a tenant; ok says whether there is one.
	Read(ctx context.Context, tenant string) (s Schedule, state State, ok bool, err error)
	Create(ctx context.Context, s Schedule) error
	// Update makes an existing schedule as s is. It does not resume one that somebody
	// else has paused since it was read.
	Update(ctx context.Context, s Schedule) error
}

// State is what became of a schedule.
type State struct {
	Next    time.Time // zero: it is paused, or never runs
	Running string    // id of the workflow that runs now; ""
	Last    string    // id of the workflow that was started last; ""
	LastRun string    // run id of that workflow
	LastAt  time.Time // when it was started

	Skipped int // runs that would have overlapped
	Missed  int // runs that the cluster could not start in time
}

// On is the cluster behind a client.
func On(c client.ScheduleClient) Cluster { return cluster{c} }

type cluster struct{ client client.ScheduleClient }

// Apply carries out a change.
func Apply(ctx context.Context, c Cluster, change Change) error {
	switch change.Kind {
	case Keep:
		return nil
	case Create:
		return c.Create(ctx, change.To)
	}
	return c.Update(ctx, change.To)
}

// idOf is the id of a tenant's schedule.
func idOf(tenant string) string { return temporal.WorkflowID(tenant) }

// tenantOf is the tenant of a schedule's id; ok is false for the schedules of others.
func tenantOf(id string) (tenant string, ok bool) {
	tenant, ok = strings.CutPrefix(id, temporal.WorkflowID(""))
	return tenant, ok && tenant != ""
}

// Tenants implements Cluster.
func (c cluster) Tenants(ctx context.Context) ([]string, error) {
	list, err := c.client.List(ctx, client.ScheduleListOptions{PageSize: 500})
	if err != nil {
		return nil, fmt.Errorf("list the schedules: %w", err)
	}
	var out []string
	for list.HasNext() {
		entry, err := list.Next()
		if err != nil {
			return nil, fmt.Errorf("list the schedules: %w", err)
		}
		if tenant, ok := tenantOf(entry.ID); ok {
			out = append(out, tenant)
		}
	}
	return out, nil
}

// Read implements Cluster.
func (c cluster) Read(ctx context.Context, tenant string) (Schedule, State, bool, error) {
	d, err := c.client.GetHandle(ctx, idOf(tenant)).Describe(ctx)
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return Schedule{}, State{}, false, nil
	case err != nil:
		return Schedule{}, State{}, false, fmt.Errorf("read the schedule: %w", err)
	}
	return found(tenant, d.Schedule), stateOf(d.Info, d.Schedule), true, nil
}

// Create implements Cluster.
func (c cluster) Create(ctx context.Context, s Schedule) error {
	_, err := c.client.Create(ctx, client.ScheduleOptions{
		ID: idOf(s.Tenant), Spec: specOf(s), Action: actionOf(s), Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP,
		CatchupWindow: s.CatchUp, Note: s.Note, Paused: s.Paused,
	})
	if err != nil {
		return fmt.Errorf("create the schedule: %w", err)
	}
	return nil
}

// Update implements Cluster.
func (c cluster) Update(ctx context.Context, s Schedule) error {
	err := c.client.GetHandle(ctx, idOf(s.Tenant)).Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			now := found(s.Tenant, in.Description.Schedule)
			state := &client.ScheduleState{Paused: s.Paused, Note: s.Note}
			if now.foreign() {
				state.Paused, state.Note = true, now.Note
			}
			next := in.Description.Schedule
			next.State = state
			if s.Extra == "" { // else only its pause is changed
				spec := specOf(s)
				next.Spec, next.Action = &spec, actionOf(s)
				next.Policy = &client.SchedulePolicies{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: s.CatchUp}
			}
			return &client.ScheduleUpdate{Schedule: &next}, nil
		},
	})
	if err != nil {
		return fmt.Errorf("change the schedule: %w", err)
	}
	return nil
}

func actionOf(s Schedule) *client.ScheduleWorkflowAction {
	return &client.ScheduleWorkflowAction{ID: temporal.WorkflowID(s.Tenant), Workflow: s.Starts.Workflow, TaskQueue: s.Starts.Queue, Args: []any{s.Starts.Order}}
}

func specOf(s Schedule) client.ScheduleSpec {
	spec := client.ScheduleSpec{Jitter: s.Jitter, TimeZoneName: s.Times.Zone}
	if s.Times.Every > 0 {
		spec.Intervals = []client.ScheduleIntervalSpec{{Every: s.Times.Every}}
	}
	for _, c := range s.Times.Calendars {
		spec.Calendars = append(spec.Calendars, client.ScheduleCalendarSpec{
			Minute: rangesOf(c.Minute), Hour: rangesOf(c.Hour), DayOfMonth: rangesOf(c.DayOfMonth), Month: rangesOf(c.Month), DayOfWeek: rangesOf(c.DayOfWeek),
		})
	}
	return spec
}

func rangesOf(list []schedule.Range) []client.ScheduleRange {
	var out []client.ScheduleRange
	for _, r := range list {
		out = append(out, client.ScheduleRange{Start: r.First, End: r.Last, Step: 1})
	}
	return out
}

// found is a schedule as the cluster describes it.
func found(tenant string, d client.Schedule) Schedule {
	s := Schedule{Tenant: tenant}
	var extra []string
	if d.Spec != nil {
		s.Jitter = d.Spec.Jitter
		s.Times, extra = timesOf(*d.Spec)
	}
	if d.Policy != nil {
		s.CatchUp, s.Overlap = d.Policy.CatchupWindow, d.Policy.Overlap.String()
		if d.Policy.PauseOnFailure {
			extra = append(extra, "pause on failure")
		}
	}
	if d.State != nil {
		s.Paused, s.Note = d.State.Paused, d.State.Note
		if d.State.LimitedActions {
			extra = append(extra, "a limited number of runs")
		}
	}
	if a, ok := d.Action.(*client.ScheduleWorkflowAction); ok {
		s.Starts, extra = startsOf(a, extra)
	}
	s.Extra = strings.Join(extra, ", ")
	return s
}

// startsOf is what a schedule starts. An input that is no order of this program is noted.
func startsOf(a *client.ScheduleWorkflowAction, extra []string) (Starts, []string) {
	name, _ := a.Workflow.(string)
	s := Starts{Workflow: name, Queue: a.TaskQueue}
	if len(a.Args) != 1 {
		return s, append(extra, fmt.Sprintf("%d inputs of the workflow", len(a.Args)))
	}
	switch arg := a.Args[0].(type) {
	case *commonpb.Payload:
		if err := converter.GetDefaultDataConverter().FromPayload(arg, &s.Order); err != nil {
			extra = append(extra, "the input of the workflow")
		}
	case temporal.Order:
		s.Order = arg
	default:
		extra = append(extra, "the input of the workflow")
	}
	if tenant, ok := tenantOf(a.ID); !ok || tenant != s.Order.Tenant {
		extra = append(extra, "the id of the workflow")
	}
	return s, extra
}

// timesOf are the times of a schedule, and what is not among them.
func timesOf(d client.ScheduleSpec) (schedule.Spec, []string) {
	var extra []string
	note := func(is bool, what string) {
		if is {
			extra = append(extra, what)
		}
	}
	s := schedule.Spec{}
	if len(d.Intervals) > 0 {
		s.Every = d.Intervals[0].Every
	}
	note(len(d.Intervals) > 1 || len(d.Intervals) == 1 && (d.Intervals[0].Offset != 0 || len(d.Calendars) > 0), "several intervals")
	note(len(d.CronExpressions) > 0, "cron expressions")
	note(len(d.Skip) > 0, "times that are left out")
	note(!d.StartAt.IsZero() || !d.EndAt.IsZero(), "a start or an end")
	if len(d.Calendars) > 0 {
		s.Zone = d.TimeZoneName
		if s.Zone == "" {
			s.Zone = "UTC"
		}
	}
	for _, c := range d.Calendars {
		second := values(c.Second, 59)
		note(len(second) > 0 && !reflect.DeepEqual(second, []schedule.Range{{First: 0, Last: 0}}), "seconds")
		note(len(c.Year) > 0, "years")
		s.Calendars = append(s.Calendars, schedule.Calendar{
			Minute: values(c.Minute, 59), Hour: values(c.Hour, 23), DayOfMonth: values(c.DayOfMonth, 31), Month: values(c.Month, 12), DayOfWeek: values(c.DayOfWeek, 6),
		})
	}
	return s, extra
}

// values are the values of ranges with steps, in order.
func values(list []client.ScheduleRange, most int) []schedule.Range {
	set := map[int]bool{}
	for _, r := range list {
		for v := r.Start; v <= max(r.Start, r.End) && v <= most; v += max(r.Step, 1) {
			set[v] = true
		}
	}
	var out []schedule.Range
	for v := range most + 1 {
		switch {
		case !set[v]:
		case len(out) > 0 && out[len(out)-1].Last == v-1:
			out[len(out)-1].Last = v
		default:
			out = append(out, schedule.Range{First: v, Last: v})
		}
	}
	return out
}

func stateOf(i client.ScheduleInfo, d client.Schedule) State {
	s := State{Skipped: i.NumActionsSkippedOverlap, Missed: i.NumActionsMissedCatchupWindow}
	if len(i.NextActionTimes) > 0 && (d.State == nil || !d.State.Paused) {
		s.Next = i.NextActionTimes[0]
	}
	if n := len(i.RunningWorkflows); n > 0 {
		s.Running = i.RunningWorkflows[n-1].WorkflowID
	}
	if n := len(i.RecentActions); n > 0 {
		last := i.RecentActions[n-1]
		s.LastAt = last.ActualTime
		if last.StartWorkflowResult != nil {
			s.Last, s.LastRun = last.StartWorkflowResult.WorkflowID, last.StartWorkflowResult.FirstExecutionRunID
		}
	}
	return s
}
