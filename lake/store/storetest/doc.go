// Package storetest checks that a store keeps the contract of store.Store, and
// injects faults into a store.
package storetest
