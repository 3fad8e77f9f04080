// Package server listens for people and monitors: read-only, on loopback
// unless a token or a client certificate is asked of everyone, with headers
// that let a browser load nothing but what this program serves.
package server
