package kql

// LandingBatching is the batching policy of landing tables: a batch is ingested
// after at most 30 seconds
// (https://learn.microsoft.com/kusto/management/batching-policy).
const LandingBatching = `{"MaximumBatchingTimeSpan":"00:00:30","MaximumNumberOfItems":500,"MaximumRawDataSizeMB":1024}`
