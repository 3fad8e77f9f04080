package main

import "errors"

// once is the value of a flag that is given at most once: a second one would silently
// replace the first.
type once struct {
	value *string
	set   bool
}

// String implements pflag.Value.
func (o *once) String() string {
	if o.value == nil {
		return ""
	}
	return *o.value
}

// Set implements pflag.Value.
func (o *once) Set(s string) error {
	if o.set {
		return errors.New("it is given twice; a command reads one configuration")
	}
	*o.value, o.set = s, true
	return nil
}

// Type implements pflag.Value.
func (o *once) Type() string { return "string" }
