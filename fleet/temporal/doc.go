// Package temporal has the names that the workers and the clients of a Temporal
// cluster share.
package temporal
