//go:build race

package defects_test

// stride is the distance of the cases that a sample takes. It is odd and no multiple of
// three, so that the sample has cases of each moment and of each number of faults.
const stride = 5
