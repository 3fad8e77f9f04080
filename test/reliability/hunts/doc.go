// Package hunts holds hunting queries that people run in Defender, and tests
// that the exported tables answer them alike, unchanged. The queries of testdata
// ask what published ones ask, with the same tables and operators; "after" names
// the one that a query follows, "about" the page that describes its subject.
package hunts
