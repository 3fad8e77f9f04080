// Package wire reads JSON text as services write it, in one pass over its bytes
// and in the memory of the largest value: Stream and Scan find values, Members
// walks over a row, and Fits, Readable and Nesting bring values into the form
// in which rows are published. docs/adr/0016 compares it with jsontext.
package wire
