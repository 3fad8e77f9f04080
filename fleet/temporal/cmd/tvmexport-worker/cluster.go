package main

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/tvmexport/tvmexport/fleet/temporal"
	"github.com/tvmexport/tvmexport/fleet/temporal/connect"
	"github.com/tvmexport/tvmexport/fleet/temporal/limits"
	"github.com/tvmexport/tvmexport/fleet/temporal/schedules"
	"github.com/tvmexport/tvmexport/fleet/temporal/versions"
	"github.com/tvmexport/tvmexport/internal/config"
)

// cluster is what the commands do with a Temporal cluster.
type cluster struct {
	schedules schedules.Cluster
	limits    limits.Service
	versions  versions.Deployment
	ending    func(ctx context.Context, workflow, run string) (ending, error)
	close     func()
}

// dial connects to the cluster of a configuration.
func dial(ctx context.Context, p *process, top config.Config) (*cluster, error) {
	log, err := p.logger()
	if err != nil {
		return nil, err
	}
	o, err := connect.Options(top.Fleet.Temporal, log)
	if err != nil {
		return nil, err
	}
	c, err := connect.Dial(ctx, top.Fleet.Temporal, o, log)
	if err != nil {
		return nil, err
	}
	return &cluster{
		schedules: schedules.On(c.ScheduleClient()), limits: c.WorkflowService(), versions: versions.On(c.WorkerDeploymentClient()),
		ending: func(ctx context.Context, workflow, run string) (ending, error) {
			return endingOf(ctx, c, workflow, run)
		},
		close: c.Close,
	}, nil
}

// ending is how a run of a tenant ended.
type ending struct {
	State   string // running, committed, partly, failed, canceled, terminated, timed out; "" if it is not kept any more
	Outcome temporal.Outcome
	Error   string
}

// endingOf asks how a workflow run ended.
func endingOf(ctx context.Context, c client.Client, workflow, run string) (ending, error) {
	d, err := c.DescribeWorkflow(ctx, workflow, "") // the newest run of a workflow that continued as new
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return ending{}, nil
	case err != nil:
		return ending{}, fmt.Errorf("read the run %s of %s: %w", run, workflow, err)
	}
	e := ending{}
	switch d.Status {
	case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, enumspb.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
		e.State = "running"
		return e, nil
	case enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		e.State = "canceled"
		return e, nil
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		e.State = "terminated"
		return e, nil
	case enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		e.State = "timed out"
		return e, nil
	}
	if err := c.GetWorkflow(ctx, workflow, "").Get(ctx, &e.Outcome); err != nil {
		e.State, e.Error = "failed", err.Error()
		return e, nil
	}
	return outcomeOf(e.Outcome), nil
}

// outcomeOf is how a run ended that was carried out to its end.
func outcomeOf(o temporal.Outcome) ending {
	e := ending{State: "committed", Outcome: o}
	failed := 0
	for _, t := range o.Tables {
		if t.Cause != "" {
			failed++
			e.Error = t.Table + ": " + t.Error
		}
	}
	switch {
	case failed == 0:
	case failed == len(o.Tables):
		e.State = "failed"
	default:
		e.State = "partly"
	}
	return e
}
