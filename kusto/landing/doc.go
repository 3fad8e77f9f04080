// Package landing uploads batches to the storage of the ingestion service and
// queues them. No other package imports the ingestion SDK.
package landing
