package tvmexport_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// Every hook of every listener is called, in the order of the listeners. A hook
// that no listener has is silent.
func TestJoinHooksCallsEachHookOfEachListener(t *testing.T) {
	hooks := reflect.TypeFor[tvmexport.Hooks]()
	for i := range hooks.NumField() {
		var told []int
		listener := func(n int) (l tvmexport.Hooks) {
			f := reflect.ValueOf(&l).Elem().Field(i)
			f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value {
				told = append(told, n)
				return nil
			}))
			return l
		}
		joined := tvmexport.JoinHooks(tvmexport.Hooks{}, listener(1), tvmexport.Hooks{}, listener(2))
		for k := range hooks.NumField() {
			if f := reflect.ValueOf(joined).Field(k); f.IsNil() != (k != i) {
				t.Errorf("%s: joined listeners of %s alone have it: %t", hooks.Field(k).Name, hooks.Field(i).Name, !f.IsNil())
			}
		}
		f := reflect.ValueOf(joined).Field(i)
		in := make([]reflect.Value, f.Type().NumIn())
		for k := range in {
			in[k] = reflect.Zero(f.Type().In(k))
		}
		f.Call(in)
		if !slices.Equal(told, []int{1, 2}) {
			t.Errorf("%s: told %v, want [1 2]", hooks.Field(i).Name, told)
		}
	}
}
