package kql_test

import (
	"strings"
	"testing"
)

// The plugin as its page shows it: https://learn.microsoft.com/kusto/query/ipv4-lookup-plugin.
func TestIPv4Lookup(t *testing.T) {
	const tables = `
		let Places = datatable(network:string, continent:string, code:string)[
			'111.68.128.0/17', 'Asia', 'JP', '5.8.0.0/19', 'Europe', 'RU', '2.20.183.0/24', 'Europe', 'GB', 'no network', 'Europe', 'XX'];
		let IPs = datatable(ip:string, continent:string, n:long)['2.20.183.12', 'Europe', 1, '5.8.1.2', 'Asia', 2, '192.165.12.17', 'Europe', 3, '', 'Europe', 4];
		IPs | evaluate ipv4_lookup`
	checkAll(t, nil, []queryTest{
		{"matching rows", tables + "(Places, ip, network)", `
			ip:string continent:string n:long network:string continent1:string code:string
			2.20.183.12 | Europe | 1 | 2.20.183.0/24 | Europe | GB
			5.8.1.2 | Asia | 2 | 5.8.0.0/19 | Europe | RU`},
		{"also rows without a match", tables + "((Places | project network, code), ip, network, return_unmatched = true) | project n, network, code", `
			n:long network:string code:string
			1 | 2.20.183.0/24 | GB
			2 | 5.8.0.0/19 | RU
			3 |  |
			4 |  |`},
		{"a key more", tables + "(Places, ip, network, continent, true) | project ip, continent, code", `
			ip:string continent:string code:string
			2.20.183.12 | Europe | GB
			5.8.1.2 | Asia |
			192.165.12.17 | Europe |
			| Europe |`},
		{"neither the address nor the network is read", tables + "(Places, ip, network) | project code", `
			code:string
			GB
			RU`},
		{"every match, and prefixes", `
			let all = true;
			let Nets = datatable(network:string, name:string)['10.0.0.0/8', 'wide', '10.1.0.0/16', 'narrow', '10.2.3.4', 'one'];
			datatable(ip:string)['10.1.2.3', '10.1.7.0/24', '10.2.3.4', '11.1.1.1'] | evaluate ipv4_lookup(Nets, ip, network, all)`, `
			ip:string network:string name:string
			10.1.2.3 | 10.0.0.0/8 | wide
			10.1.2.3 | 10.1.0.0/16 | narrow
			10.1.7.0/24 | 10.0.0.0/8 | wide
			10.1.7.0/24 | 10.1.0.0/16 | narrow
			10.2.3.4 | 10.0.0.0/8 | wide
			10.2.3.4 | 10.2.3.4 | one
			11.1.1.1 |  |`},
	})
	for query, want := range map[string]string{
		tables + "(Places, ip)":                             "expects at least 3",
		tables + "(Places, n, network)":                     "argument #2 expected to be a string",
		tables + "(Places, 'x', network)":                   "argument #2 must be a column",
		tables + "(Places, ip, nope)":                       "'nope'",
		tables + "(Places, ip, network, code)":              "'code'",
		tables + "(Places, ip, network, 7)":                 "constant of type bool",
		tables + "(Places, ip, network, keep = true, true)": "no argument 'keep'",
		tables + "(Places, ip, network) : (ip:string)":      "output schema",
		"datatable(ip:string)['10.0.0.0/8'] | evaluate ipv4_lookup((print network = '10.1.0.0/16'), ip, network)": "shorter prefix",
	} {
		if _, err := answer(nil, query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
}
