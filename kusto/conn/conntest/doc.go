// Package conntest answers the requests of the Kusto SDK in tests, without
// sockets: the service reduced to its wire form.
package conntest
