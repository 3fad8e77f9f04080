// Package storage is the part of Azure Storage that queued ingestion into Kusto
// works with: block blobs, queues and tables that exist beforehand and are
// reached by shared access signatures. It is an http.Handler with a memory.
//
// A resource is addressed as the official clients do, in one of three ways:
//
//	https://HOST:PORT/ACCOUNT/RESOURCE          by path, as with an IP address
//	https://ACCOUNT.KIND.NAME:PORT/RESOURCE     by host; KIND is blob, queue or table
//	https://HOST:PORT/RESOURCE                  where one account has a resource of that name
//
// Requests and errors follow https://learn.microsoft.com/rest/api/storageservices.
// What is not done here is refused with the service's error shape; creating and
// listing resources are among it.
package storage
