// Package engine carries out runs: it brings tables from a [tvmexport.Source]
// to a [tvmexport.Destination]. It knows no technology. An [Exporter] runs the
// tables of one invocation side by side; each run takes the same steps:
//
//	schema -> plan -> resume -> fetch -> compare -> recheck -> confirm -> late rows -> publish -> commit
//
// The steps decide by functions of plain values. [Steps] is what they ask of the
// source and the destination, so that an estimate takes the same decisions
// without fetching a row ([Exporter.Plan]).
package engine
