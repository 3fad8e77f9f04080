package kql_test

import "testing"

// The examples of https://learn.microsoft.com/kusto/query/parse-kv-operator, and
// what is not there.
func TestParseKV(t *testing.T) {
	checkAll(t, nil, []queryTest{
		{"delimiters", `print s = "ThreadId:458745723, Machine:Node001, Text: The service is up, Level: Info" | parse-kv s as (Text:string, ThreadId:long, Machine:string) with (pair_delimiter=',', kv_delimiter=':') | project-away s`, `
			Text:string ThreadId:long Machine:string
			The service is up | 458745723 | Node001`},
		{"quotes", `print s = 'src=10.1.1.123 bytes=125 failure="connection aborted" "event time"=2021-01-01T10:00:54' | parse-kv s as (['event time']:datetime, src:string, bytes:long, failure:string) with (pair_delimiter=' ', kv_delimiter='=', quote='"') | project-away s`, `
			event time:datetime src:string bytes:long failure:string
			2021-01-01T10:00:54.0000000Z | 10.1.1.123 | 125 | connection aborted`},
		{"two kinds of quotes", `print s = 'failure=(connection aborted) (event time)=(2021-01-01 10:00:54)' | parse-kv s as (['event time']:datetime, failure:string) with (pair_delimiter=' ', kv_delimiter='=', quote='()') | project-away s`, `
			event time:datetime failure:string
			2021-01-01T10:00:54.0000000Z | connection aborted`},
		{"escapes", `print s = 'failure="the remote host sent \\"bye!\\"" time=5' | parse-kv s as (['time']:long, failure:string) with (pair_delimiter=' ', kv_delimiter='=', quote='"', escape='\\') | project-away s`, `
			time:long failure:string
			5 | the remote host sent "bye!"`},
		{"values end with the pair", `print s = 'name=John Doe phone=555 5555 city=New York' | parse-kv s as (name:string, phone:string, city:string) with (pair_delimiter=' ', kv_delimiter='=') | project-away s`, `
			name:string phone:string city:string
			John | 555 | New`},
		{"the first counts; what is not there is null", `print s = 'a=1;a=2;b=x' | parse-kv s as (a:long, b:long, c:string, d:long) with (pair_delimiter=';', kv_delimiter='=') | project-away s`, `
			a:long b:long c:string d:long
			1 | null |  | null`},
		{"a regular expression", `print s = @'["referer url: https://h/redirect", "advertiser id: 24fefbca-cf27-4d62-a623-249c2ad30c73"]' | parse-kv s as (['referer url']:string, ['advertiser id']:guid) with (regex=@'"([\w ]+)\s*:\s*([^"]*)"') | project-away s`, `
			referer url:string advertiser id:guid
			https://h/redirect | 24fefbca-cf27-4d62-a623-249c2ad30c73`},
		{"an empty text", `print s = '' | parse-kv s as (s:long) with (pair_delimiter=';', kv_delimiter='=')`, "s:long\nnull"},
	})
	refused(t, "print s = 'a' | parse-kv s as (a:long) with (pair_delimiter=' ', kv_delimiter='=', greedy=true)", "greedy=true")
	refused(t, "print s = 'a' | parse-kv s as (a:long)", "without delimiters")
}
