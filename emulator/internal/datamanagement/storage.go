package datamanagement

import (
	"context"
	"io"
)

// Storage is the accounts with blobs, queues and tables that ingestion goes
// through. Addresses are URLs with a shared access signature, which is what gives
// access. An error wraps fs.ErrNotExist where an object is missing, and
// fs.ErrPermission where the signature is not good enough; its text never holds a
// signature.
type Storage interface {
	// Resources are what .get ingestion resources lists.
	Resources() []Resource
	// ExportContainers are what .show export containers lists.
	ExportContainers() []Resource
	// OpenBlob reads a blob as it was uploaded.
	OpenBlob(ctx context.Context, address string) (io.ReadCloser, error)
	// DeleteBlob removes a blob that has been ingested.
	DeleteBlob(address string)
	// ReleaseBlob says that a blob has been ingested and is not needed here any
	// more. It should stay for some time.
	ReleaseBlob(address string)
	// Receive takes the next message out of the queues for ingestion and waits
	// for one if there is none. Its error means that no more will come.
	Receive(ctx context.Context) (string, error)
	// Notify puts a message into the queues of the resource type
	// FailedIngestionsQueue or SuccessfulIngestionsQueue.
	Notify(resourceType, text string) error
	// UpdateStatus changes properties of an entity in the table at the address.
	// Values are string, bool, uuid.UUID or time.Time.
	UpdateStatus(table, partitionKey, rowKey string, properties map[string]any) error
}

// Resource is one row of .get ingestion resources.
type Resource struct {
	Type string // ResourceTypeName
	Root string // StorageRoot: https URL of a container, queue or table, with its signature
}

// The types of resources.
const (
	TempStorage                   = "TempStorage"
	SecuredReadyForAggregation    = "SecuredReadyForAggregationQueue"
	FailedIngestionsQueue         = "FailedIngestionsQueue"
	SuccessfulIngestionsQueue     = "SuccessfulIngestionsQueue"
	IngestionsStatusTableResource = "IngestionsStatusTable"
)
