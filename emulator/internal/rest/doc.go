// Package rest is the HTTP front of the emulator's Kusto services: the metadata
// for sign-in, queries in the forms v1 and v2, management commands, and streaming
// ingestion. It turns requests into calls of the engine or of the data management
// service, and their results and errors into the documented JSON.
//
// See https://learn.microsoft.com/kusto/api/rest/request for requests,
// .../response and .../response-v2 for answers, .../streaming-ingest for
// streaming.
//
// Answers stream: a status of 200 says only that the answer has begun. An error
// before the first row is an answer of its own; a later one is part of the answer.
package rest
