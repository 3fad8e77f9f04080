package scalar_test

import "testing"

func TestParseCommandLine(t *testing.T) {
	run(t, []called{
		{"parse_command_line", vals(str(`echo "hello world!"`), str("windows")), `dynamic:["echo","hello world!"]`},
		{"parse_command_line", vals(str(`"C:\Program Files\a.exe"  /x "y z"	w `), str("windows")), `dynamic:["C:\\Program Files\\a.exe","/x","y z","w"]`},
		{"parse_command_line", vals(str(`C:\a"b\"c.exe d`), str("windows")), `dynamic:["C:\\a\"b\\\"c.exe","d"]`},
		{"parse_command_line", vals(str(`a b\c \\d\`), str("windows")), `dynamic:["a","b\\c","\\\\d\\"]`},
		{"parse_command_line", vals(str(`a "b\\" c\"d "e\\\"f"`), str("windows")), `dynamic:["a","b\\","c\"d","e\\\"f"]`},
		{"parse_command_line", vals(str(`a "b""c d" "" """"`), str("windows")), `dynamic:["a","b\"c","d \"","\""]`},
		{"parse_command_line", vals(str(`a "b c`), str("windows")), `dynamic:["a","b c"]`},
		{"parse_command_line", vals(str(` a b`), str("windows")), `dynamic:["","a","b"]`},
		{"parse_command_line", vals(str(`a é"ü ö"`), str("windows")), `dynamic:["a","éü ö"]`},
		{"parse_command_line", vals(str(`alone`), str("windows")), `dynamic:["alone"]`},
		{"parse_command_line", vals(str(``), str("windows")), `dynamic:[]`},
	})
}
