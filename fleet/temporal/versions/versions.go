// Package versions says which version of the workers begins new runs. A run stays with
// the version that began it.
package versions

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/tvmexport/tvmexport/fleet/temporal"
)

// Of is the version of workers that a build of the program is.
func Of(build string) worker.WorkerDeploymentVersion {
	return worker.WorkerDeploymentVersion{DeploymentName: temporal.DeploymentName, BuildID: build}
}

// Deployment is the deployment of workers on a cluster.
type Deployment interface {
	// Current is the version that begins new runs; "" if there is none. connected says
	// whether workers of a build have ever connected.
	Current(ctx context.Context, build string) (current string, connected bool, err error)
	// Use makes a version the one that begins new runs.
	Use(ctx context.Context, build string) error
}

// On is the deployment behind a client.
func On(c client.WorkerDeploymentClient) Deployment {
	return deployment{c.GetHandle(temporal.DeploymentName)}
}

type deployment struct{ handle client.WorkerDeploymentHandle }

// Current implements Deployment.
func (d deployment) Current(ctx context.Context, build string) (string, bool, error) {
	r, err := d.handle.Describe(ctx, client.WorkerDeploymentDescribeOptions{})
	var missing *serviceerror.NotFound
	switch {
	case errors.As(err, &missing):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("read the versions of the workers: %w", err)
	}
	current, connected := "", false
	if v := r.Info.RoutingConfig.CurrentVersion; v != nil {
		current = v.BuildID
	}
	for _, v := range r.Info.VersionSummaries {
		connected = connected || v.Version.BuildID == build
	}
	return current, connected, nil
}

// Use implements Deployment.
func (d deployment) Use(ctx context.Context, build string) error {
	if _, err := d.handle.SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build}); err != nil {
		return fmt.Errorf("let workers of version %s begin the runs: %w", build, err)
	}
	return nil
}
