package scalar_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

const deviceID = "3f2a9c0d1e4b5a6978877665544332211aabbccd"

// benchmark runs a bound kernel with args[0] a column and the rest constant.
func benchmark(b *testing.B, bind func(args []scalar.Arg) (scalar.Bound, error), values ...value.Value) {
	b.Helper()
	args := arguments(values, true)
	args[0].Const = nil
	bound, err := bind(args)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bound.Eval(values); err != nil {
			b.Fatal(err)
		}
	}
}

func operator(op string) func(args []scalar.Arg) (scalar.Bound, error) {
	return func(args []scalar.Arg) (scalar.Bound, error) { return scalar.Operator(op, args[0], args[1]) }
}

func function(b *testing.B, name string) func(args []scalar.Arg) (scalar.Bound, error) {
	f, ok := scalar.Lookup(name)
	if !ok {
		b.Fatalf("no function %s", name)
	}
	return f.Bind
}

func BenchmarkStartsWithCS(b *testing.B) {
	benchmark(b, operator("startswith_cs"), str(deviceID), str("3f"))
}

func BenchmarkEqualStrings(b *testing.B) { benchmark(b, operator("=="), str(deviceID), str(deviceID)) }

func BenchmarkGreaterLong(b *testing.B) { benchmark(b, operator(">"), long(7), long(5)) }

func BenchmarkHas(b *testing.B) {
	benchmark(b, operator("has"), str("C:\\Program Files\\Contoso\\Agent\\bin\\agent.exe"), str("AGENT"))
}

func BenchmarkContains(b *testing.B) {
	benchmark(b, operator("contains"), str("C:\\Program Files\\Contoso\\Agent\\bin\\agent.exe"), str("agent.e"))
}

func BenchmarkSubstring(b *testing.B) {
	benchmark(b, function(b, "substring"), str(deviceID), long(0), long(3))
}

func BenchmarkHashSHA256(b *testing.B) { benchmark(b, function(b, "hash_sha256"), str(deviceID)) }

func BenchmarkIn(b *testing.B) {
	benchmark(b, func(args []scalar.Arg) (scalar.Bound, error) { return scalar.OperatorList("in", args[0], args[1:]) },
		str(deviceID[:2]), str("aa"), str("3f"), str("bb"))
}

func BenchmarkAccess(b *testing.B) {
	benchmark(b, func(args []scalar.Arg) (scalar.Bound, error) { return scalar.Access(args[0], args[1]) },
		dyn(`{"DeviceId":"`+deviceID+`","DeviceName":"host-1","CveId":"CVE-2025-12345"}`), str("CveId"))
}
