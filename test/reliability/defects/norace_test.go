//go:build !race

package defects_test

// stride is the distance of the cases that a sample takes: each one.
const stride = 1
