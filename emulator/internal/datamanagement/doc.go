// Package datamanagement is the ingestion service of the emulator's Kusto: what
// answers at https://ingest-<cluster>. It hands out storage to upload to and
// tokens that say who did, takes the messages that clients put into its queues,
// gathers their blobs into batches, has the engine ingest those, and reports what
// became of each blob.
//
//	queue message -> delivery -> batch -> sealed -> ingested -> reported
//
// A batch holds blobs of one table with the same properties. It is sealed by time,
// number of blobs or size as the table's policy says, at once by a blob that asks
// for it or that must be alone (https://learn.microsoft.com/kusto/management/batching-policy),
// and is committed as a whole; a blob that cannot be read is reported and left out.
// Messages and reports are those of
// https://learn.microsoft.com/kusto/api/netfx/kusto-ingest-client-rest, codes of
// failures those of https://learn.microsoft.com/azure/data-explorer/error-codes.
package datamanagement
