package scalar

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// commandLines split the command lines of processes
// (https://learn.microsoft.com/kusto/query/parse-command-line-function).
var commandLines = []Function{
	custom("parse_command_line", 2, 2, func(c call) (Bound, error) {
		if err := (params{isString, isString}).check(c); err != nil {
			return Bound{}, err
		}
		parser, err := c.constant(1)
		if err != nil {
			return Bound{}, err
		}
		if parser.Text() != "windows" {
			return Bound{}, refusef(`parse_command_line(): argument #2 must be "windows", the only parser that is documented`)
		}
		return Bound{Kind: value.Dynamic, Cost: 20, Eval: total(func(a []value.Value) value.Value {
			return textArray(commandArguments(a[0].Text()))
		})}, nil
	}),
}

// commandArguments splits a command line as CommandLineToArgvW does: the program ends
// at a blank, or at the next quote if it begins with one; the arguments follow the rules
// of https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw.
// A line that begins with a blank has an empty program. An empty line has no arguments.
func commandArguments(line string) []string {
	if line == "" {
		return nil
	}
	var program, rest string
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		program, rest, _ = strings.Cut(quoted, `"`)
	} else {
		at := strings.IndexFunc(line, func(r rune) bool { return r <= ' ' })
		if at < 0 {
			return []string{line}
		}
		program, rest = line[:at], line[at:]
	}
	arguments := []string{program}
	for rest = strings.TrimLeft(rest, blanks); rest != ""; rest = strings.TrimLeft(rest, blanks) {
		var argument string
		argument, rest = commandArgument(rest)
		arguments = append(arguments, argument)
	}
	return arguments
}

const blanks = " \t"

// commandArgument takes the first argument of a text. Backslashes are special before a
// quote only: each pair is one backslash, and one that is left makes the quote literal. A
// quote within quotes that another follows is literal too, and ends them.
func commandArgument(text string) (argument, rest string) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			n := 1
			for i+n < len(text) && text[i+n] == '\\' {
				n++
			}
			i += n - 1
			if i+1 == len(text) || text[i+1] != '"' {
				b.WriteString(strings.Repeat(`\`, n))
				continue
			}
			b.WriteString(strings.Repeat(`\`, n/2))
			if n%2 == 1 {
				b.WriteByte('"')
				i++
			}
		case c == '"' && quoted && i+1 < len(text) && text[i+1] == '"':
			b.WriteByte('"')
			quoted = false
			i++
		case c == '"':
			quoted = !quoted
		case strings.IndexByte(blanks, c) >= 0 && !quoted:
			return b.String(), text[i:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
