// Package fleet shares one process and its clusters between the runs of many tenants.
package fleet
