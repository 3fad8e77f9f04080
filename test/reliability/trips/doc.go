// Package trips counts the requests that runs of the default tables send to Kusto.
package trips
