// Package blob is a store.Store in a container of Azure Blob Storage, of an account
// with hierarchical namespaces (ADLS Gen2), or in OneLake, by the Blob API. It alone
// imports azblob in the program.
//
// A write is one Put Blob, or a Put Block List after the blocks of a large file.
// Both carry the condition, so that the service decides which of several writers
// succeeds. A request whose answer was lost may have been carried out. It is
// sent again; if the condition is then false, the file is read back: it may be the one that
// this request wrote.
//
// The clock is that of the service, in seconds.
package blob
