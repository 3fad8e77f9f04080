// Package store reads and writes the files of a folder: on a local disk
// (package local) or in Azure Blob Storage (package blob).
//
// A file appears complete or not at all, and it is durable before a write
// returns. A write can be conditional: it succeeds only if the file does not exist, or
// only if it is still the one that was read. Of several writers that use such a
// condition at the same time, exactly one succeeds. The transaction log of a
// Delta table needs this; [Probe] checks that a store provides it.
//
// Names are relative paths with slashes, valid for [io/fs.ValidPath]. Errors are
// *tvmexport.Error and name the file and the store.
package store
