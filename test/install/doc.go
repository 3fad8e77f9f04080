// Package install tests that others can install the program with go install.
package install
