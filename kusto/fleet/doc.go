// Package fleet makes a database in which people read across tenants: an entity group of the
// tenants' databases, and functions that run over all of them and say of each row whose it is. It
// knows tenants by name, cluster and database, and nothing of their configuration.
package fleet
