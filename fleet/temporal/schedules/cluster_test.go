package schedules

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"
)

// described is a schedule as the cluster gives it back: ranges in its own form, inputs as payloads.
func described(t *testing.T, s Schedule) client.Schedule {
	t.Helper()
	action, spec := actionOf(s), specOf(s)
	payload, err := converter.GetDefaultDataConverter().ToPayload(action.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	action.Args = []any{payload}
	for i := range spec.Calendars {
		spec.Calendars[i].Second = []client.ScheduleRange{{Start: 0, End: 0, Step: 1}}
	}
	return client.Schedule{
		Spec: &spec, Action: action, State: &client.ScheduleState{Paused: s.Paused, Note: s.Note},
		Policy: &client.SchedulePolicies{Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: s.CatchUp},
	}
}

// What was written is read back the same, so that a second apply changes nothing.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for _, text := range []string{"0 */6 * * *", "5/20 8-17 1,15 * mon-fri", "@every 90m", "CRON_TZ=Asia/Tokyo 0 9 * * *", "0 0 13 jan-mar/2 *"} {
		s := wanted(t, "a", text)
		if got := found("a", described(t, s)); !reflect.DeepEqual(got, s) {
			t.Errorf("%s:\n got %+v\nwant %+v", text, got, s)
		}
	}
}

// Each change that somebody made on the cluster is found.
func TestChangesOnTheClusterAreFound(t *testing.T) {
	s := wanted(t, "a", "0 */6 * * *")
	for name, change := range map[string]func(*client.Schedule){
		"second":      func(d *client.Schedule) { d.Spec.Calendars[0].Second[0].Start = 30 },
		"year":        func(d *client.Schedule) { d.Spec.Calendars[0].Year = []client.ScheduleRange{{Start: 2027}} },
		"minute":      func(d *client.Schedule) { d.Spec.Calendars[0].Minute = []client.ScheduleRange{{Start: 5}} },
		"no hour":     func(d *client.Schedule) { d.Spec.Calendars[0].Hour = nil },
		"interval":    func(d *client.Schedule) { d.Spec.Intervals = []client.ScheduleIntervalSpec{{Every: time.Hour}} },
		"end":         func(d *client.Schedule) { d.Spec.EndAt = time.Now() },
		"zone":        func(d *client.Schedule) { d.Spec.TimeZoneName = "Europe/Berlin" },
		"skip":        func(d *client.Schedule) { d.Spec.Skip = d.Spec.Calendars },
		"jitter":      func(d *client.Schedule) { d.Spec.Jitter = time.Second },
		"overlap":     func(d *client.Schedule) { d.Policy.Overlap = enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL },
		"limited":     func(d *client.Schedule) { d.State.LimitedActions = true },
		"failure":     func(d *client.Schedule) { d.Policy.PauseOnFailure = true },
		"workflow":    func(d *client.Schedule) { d.Action.(*client.ScheduleWorkflowAction).Workflow = "Other" },
		"workflow id": func(d *client.Schedule) { d.Action.(*client.ScheduleWorkflowAction).ID = "other" },
		"queue":       func(d *client.Schedule) { d.Action.(*client.ScheduleWorkflowAction).TaskQueue = "other" },
		"no input":    func(d *client.Schedule) { d.Action.(*client.ScheduleWorkflowAction).Args = nil },
		"tenant": func(d *client.Schedule) {
			d.Action = described(t, wanted(t, "b", "@daily")).Action
		},
	} {
		d := described(t, s)
		change(&d)
		if list := Compare([]Schedule{s}, []Schedule{found("a", d)}, nil); list[0].Kind != Alter || len(list[0].What) == 0 {
			t.Errorf("%s: %+v", name, list[0])
		}
	}
}

// An update does not resume what an operator paused after it was read.
func TestUpdateKeepsThePauseOfAnOperator(t *testing.T) {
	s := wanted(t, "a", "0 3 * * *")
	for _, tt := range []struct {
		note   string
		paused bool
	}{{"maintenance", true}, {noteGone, false}} {
		d := described(t, wanted(t, "a", "@daily"))
		d.State.Paused, d.State.Note = true, tt.note
		handle := &mocks.ScheduleHandle{}
		handle.On("Update", mock.Anything, mock.Anything).Return(func(_ context.Context, o client.ScheduleUpdateOptions) error {
			u, err := o.DoUpdate(client.ScheduleUpdateInput{Description: client.ScheduleDescription{Schedule: d}})
			if err != nil {
				return err
			}
			if got := found("a", *u.Schedule); got.Paused != tt.paused || got.When() != s.When() {
				t.Errorf("%s: the schedule becomes %+v", tt.note, got)
			}
			return nil
		})
		c := &mocks.ScheduleClient{}
		c.On("GetHandle", mock.Anything, "export/a").Return(handle)
		if err := On(c).Update(t.Context(), s); err != nil {
			t.Error(err)
		}
		handle.AssertNumberOfCalls(t, "Update", 1)
	}
}

func TestReadTellsAMissingScheduleFromAFailure(t *testing.T) {
	for _, err := range []error{serviceerror.NewNotFound("no schedule"), errors.New("no connection")} {
		handle := &mocks.ScheduleHandle{}
		handle.On("Describe", mock.Anything).Return(nil, err)
		c := &mocks.ScheduleClient{}
		c.On("GetHandle", mock.Anything, "export/a").Return(handle)
		_, _, ok, got := On(c).Read(t.Context(), "a")
		var missing *serviceerror.NotFound
		if ok || errors.As(err, &missing) != (got == nil) {
			t.Errorf("%v: found %t, %v", err, ok, got)
		}
	}
}
