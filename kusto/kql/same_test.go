package kql

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestSameFunction(t *testing.T) {
	const stored = `(t: datetime) {
    let Gone = toscalar(Visible | count);
    Typed
    | where Count in (1, 2.5) and Name != "a // b"
    | where assert(Gone == 0, "T: rows are gone")
    | project Name, Age = 1d
}`
	for _, c := range []struct {
		name     string
		old, new string // in the text above
		same     bool
	}{
		{"nothing", "", "", true},
		{"a comment", "Typed\n", "Typed // of the newest run: it's \"new\"\n", true},
		{"a comment in the first line", "{\n", "{ // as in Defender\n", true},
		{"a comment on a line of its own", "    | project", "    // its columns, {all} of them\n    | project", true},
		{"a comment in an expression", "Gone == 0,", "Gone // they are not there\n    == 0,", true},
		{"line ends", "\n", "\r\n", true},
		{"white space", "    | where Count in (1, 2.5)", "|where\tCount in(1,2.5)", true},
		{"space at the parameter", "(t: datetime)", "( t:datetime )", true},
		{"a quoted parameter", "(t: datetime)", "(['t']: datetime)", true},
		{"a parameter quoted twice", "(t: datetime)", `(["t"]: datetime)`, true},
		{"another message", `"T: rows are gone"`, `"T: rows of the snapshot of that time are gone, see ')' and \"(\""`, true},
		{"a message with other quotes", `"T: rows are gone"`, `'T: rows are gone'`, true},
		{"a message of several literals", `"T: rows are gone"`, `"T: " 'rows ' @"are gone"`, true},
		{"a comment at the message", `"T: rows are gone")`, "\"T: rows are gone\" // for people\n)", true},

		{"another literal", `"a // b"`, `"a // c"`, false},
		{"another form of a literal", `"a // b"`, `'a // b'`, false},
		{"white space in a literal", `"a // b"`, `"a  // b"`, false},
		{"the case of a literal", `"a // b"`, `"A // b"`, false},
		{"another name", "Typed", "Raw", false},
		{"another number", "2.5", "25", false},
		{"a number of two tokens", "2.5", "2 .5", false},
		{"another operator", "!=", "==", false},
		{"another parameter", "(t: datetime)", "(at: datetime)", false},
		{"another quoted parameter", "(t: datetime)", "(['at']: datetime)", false},
		{"another type of a parameter", "t: datetime", "t: string", false},
		{"a line that became a comment", "    | where Count", "    // | where Count", false},
		{"another condition of a check", "Gone == 0", "Gone == 1", false},
		{"a literal in the condition of a check", "Gone == 0", `Gone == 0 or Name == "x"`, false},
		{"a message that is a name", `"T: rows are gone"`, "Message", false},
		{"a message that is an expression", `"T: rows are gone"`, `strcat("T: rows ", "are gone")`, false},
		{"no message", `, "T: rows are gone"`, "", false},
		{"another function than assert", "assert(", "iff(", false},
		{"words run together", "Name, Age", "NameAge", false},
		{"a literal that does not end", `"a // b"`, `"a // b`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			wanted := strings.ReplaceAll(stored, c.old, c.new)
			if c.old != "" && wanted == stored {
				t.Fatalf("%q is not in the text", c.old)
			}
			if c.old == "" {
				wanted = stored
			}
			if got := SameFunction(stored, wanted); got != c.same {
				t.Errorf("%t, want %t", got, c.same)
			}
			if SameFunction(stored, wanted) != SameFunction(wanted, stored) {
				t.Error("the order of the texts matters")
			}
		})
	}
}

// TestSameFunctionOutsideAssert: only the second of two arguments of assert is a
// message.
func TestSameFunctionOutsideAssert(t *testing.T) {
	for _, text := range []string{
		`() { T | where f(A, %s) }`,
		`() { T | where assert(A == %s, "m") }`,
		`() { T | where assert(f(A, %s), "m") }`,
		`() { T | where assert(A, f(%s)) }`,
		`() { T | where assert(A, B, %s) }`,
		`() { T | where assert(%s) }`,
		`() { T | where assert(A, [%s]) }`,
		`() { T | where assert(A, %s + "m") }`,
		`() { T | where my_assert(A, %s) }`,
		`() { T | where "assert"(A, %s) }`,
		`() { T | where assert(A, "m") and B == %s }`,
		`() { T | where assert (A) and (B, %s) }`,
		`(['t']: string, ["u"]: string = %s) { T }`,
		`() { T | where B[%s] == 1 }`,
		`() { dynamic({"k": %s}) }`,
	} {
		if SameFunction(fmt.Sprintf(text, `"x"`), fmt.Sprintf(text, `"y"`)) {
			t.Errorf("%s: another literal makes no difference", text)
		}
	}
}

func TestScan(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string // nil: a literal does not end
	}{
		{``, []string{}},
		{" // nothing", []string{}},
		{"a//b\nc//d\r\ne//f\rg", []string{"a", "c", "e", "g"}},
		{"a//b\u2028c//d\u2029e", []string{"a", "c", "e"}},
		{`'a"b' "a'b" 'a//b'`, []string{`'a"b'`, `"a'b"`, `'a//b'`}},
		{`"a\"b" 'a\'b' "a\\" "b"`, []string{`"a\"b"`, `'a\'b'`, `"a\\"`, `"b"`}},
		{`@"a\" @'b""' @"c""d" @'e''f'`, []string{`@"a\"`, `@'b""'`, `@"c""d"`, `@'e''f'`}},
		{`h"a" H'b' h@"c\" H@'d' half h`, []string{`h"a"`, `H'b'`, `h@"c\"`, `H@'d'`, "half", "h"}},
		{"```a\n// \"b\"``` h```c``` ~~~d\n'~~~", []string{"```a\n// \"b\"```", "h```c```", "~~~d\n'~~~"}},
		{`"" '' @""`, []string{`""`, `''`, `@""`}},
		{`""""`, []string{`""`, `""`}},
		{`['to'].x["y"]`, []string{"[", "'to'", "]", ".", "x", "[", `"y"`, "]"}},
		{`1 1.5 1e-3 1.5e+10 1e5 0x1F 2.5h 1..2 a1.b`, []string{"1", "1.5", "1e-3", "1.5e+10", "1e5", "0x1F", "2.5h", "1", "..", "2", "a1", ".", "b"}},
		{`a!=b !in~ (c) =~ !~ <> <= >= => <| ==`, []string{"a", "!=", "b", "!in", "~", "(", "c", ")", "=~", "!~", "<>", "<=", ">=", "=>", "<|", "=="}},
		{"$left.é _x\x00\xff", []string{"$left", ".", "é", "_x", "\x00", "\xff"}},
		{`a / b`, []string{"a", "/", "b"}},
		{"a #b 'c // d\n'e' #", []string{"a", "#b 'c // d", "'e'", "#"}},
		{`"a`, nil},
		{"\"a\nb\"", nil},
		{"\"a\u2028b\"", nil},
		{"'a\\\nb'", nil},
		{"'a\\\u2028b'", nil},
		{`'a\`, nil},
		{`"a\|b"`, nil},
		{`@"a""`, nil},
		{"@\"a\nb\"", nil},
		{"```a``", nil},
		{"h~~~", nil},
	} {
		list, ok := scan(c.text)
		got := []string{}
		for _, t := range list {
			got = append(got, t.text)
		}
		if ok != (c.want != nil) || ok && !slices.Equal(got, c.want) {
			t.Errorf("scan(%q) = %q, %t; want %q", c.text, got, ok, c.want)
		}
	}
}

// bodies are texts with what the language has to confuse a lexer.
var bodies = []string{
	"() {T}", `(from: datetime, ['to']: datetime) { T | where A == "x" and assert(B, 'm') }`, "", "'", `"\`, "h@", "@", "//", "a//b\r\n'", "```", "~~~~~~", "h```a~~~", `@"a""b"`,
	`assert(a, "b"`, `assert(,"a")`, `)]}`, `(['`, `(['a']:`, "1e+", "0x", "1.", "!", "\xff'\xff", "\u2028//\u2029", `assert(f("a", ["b"]), "c" 'd')`,
}

// FuzzSameFunction: every text is the same as itself and as itself with other
// comments and white space, and the order of two texts does not matter.
func FuzzSameFunction(f *testing.F) {
	for i, b := range bodies {
		f.Add(b, bodies[(i+1)%len(bodies)])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		same := SameFunction(a, b)
		if same != SameFunction(b, a) {
			t.Fatal("the order of the texts matters")
		}
		if !SameFunction(a, a) {
			t.Fatal("a text differs from itself")
		}
		list, ok := scan(a)
		if !ok {
			if same != (a == b) {
				t.Fatal("a text that is none of the language is the same as another")
			}
			return
		}
		for _, between := range []string{"\n", "\n// \"it's\n", "\r\t//\u2028\r\n"} {
			var spaced strings.Builder
			for _, t := range list {
				spaced.WriteString(between + t.text)
			}
			spaced.WriteString(between)
			if !SameFunction(a, spaced.String()) {
				t.Fatalf("%q differs from %q", a, spaced.String())
			}
			if SameFunction(b, spaced.String()) != same {
				t.Fatalf("%q and %q: comments matter", a, b)
			}
		}
		for i := range min(len(list), 100) { // each token counts, unless it is part of a message
			rest := slices.Delete(slices.Clone(list), i, i+1)
			if list[i].kind != literalToken && slices.Equal(withoutMessages(rest), withoutMessages(list)) {
				t.Fatalf("%q: the token %q does not count", a, list[i].text)
			}
		}
	})
}

// FuzzLiterals puts two contents into each form of literal, in places where they
// count and in those where they do not.
func FuzzLiterals(f *testing.F) {
	for _, pair := range [][2]string{{"a", "b"}, {"a // b", "a // c"}, {`"`, `'`}, {`\`, `\\`}, {"a\nb", "a\n\nb"}, {`")//`, `")`}, {"```", "~~~"}, {`""`, `"`}, {"'+x+'", "'+y+'"}, {"", " "}, {"\u2028", "\u2029"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, form := range literalForms {
			x, ok := form(a)
			y, too := form(b)
			if !ok || !too {
				continue
			}
			for _, place := range []string{
				"() { T | where A == %s }", "(p: string = %s) { T | where A != 'z' // a comment\n}", "() { assert(A == %s, 'm') }", "() { %s }",
				"() { //\nT[%s] // %[1]q\n}", "() { f('a', %s) }", "() { assert(A, strcat(%s)) }",
			} {
				if got := SameFunction(fmt.Sprintf(place, x), fmt.Sprintf(place, y)); got != (x == y) {
					t.Fatalf("%s with %s and %s: %t", place, x, y, got)
				}
			}
			for _, place := range []string{"() { T | where assert(A > 0, %s) }", "() { assert(f(A, ')') == '(', 'm' %s) // it's so\n| take 1 }"} {
				if !SameFunction(fmt.Sprintf(place, x), fmt.Sprintf(place, y)) {
					t.Fatalf("%s with %s and %s: the message counts", place, x, y)
				}
			}
		}
	})
}

// literalForms write a text as a literal, if that form can hold it.
var literalForms = []func(string) (string, bool){
	func(s string) (string, bool) { return Literal(s), true },
	func(s string) (string, bool) { return "h" + Literal(s), true },
	func(s string) (string, bool) {
		return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + `'`, !strings.ContainsAny(s, lineEnds)
	},
	func(s string) (string, bool) {
		return `@"` + strings.ReplaceAll(s, `"`, `""`) + `"`, !strings.ContainsAny(s, lineEnds)
	},
	func(s string) (string, bool) {
		return `H@'` + strings.ReplaceAll(s, `'`, `''`) + `'`, !strings.ContainsAny(s, lineEnds)
	},
	func(s string) (string, bool) { return "```" + s + "```", !strings.Contains(s, "`") },
	func(s string) (string, bool) { return "~~~" + s + "~~~", !strings.Contains(s, "~") },
}
