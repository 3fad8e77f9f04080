// Package emulatortest starts the emulator for a test of a Go program that reads
// Microsoft Defender data or writes to Azure Data Explorer:
//
//	func TestHunting(t *testing.T) {
//		e := emulatortest.New(t, emulatortest.Devices(50))
//		client := e.SignedIn(emulatortest.Exporter) // an *http.Client that adds tokens
//		rows, err := myprogram.Hunt(client, e.Endpoints().Graph, "DeviceInfo | count")
//		...
//	}
//
// It serves Microsoft Entra ID, advanced hunting (Graph, Defender XDR, Defender for
// Endpoint), an Azure Data Explorer cluster with its ingestion service, and the
// storage accounts of queued ingestion, over one synthetic tenant. Each emulator is
// independent, so tests can run in parallel. What it does not support, it refuses
// with the service's own error; docs/emulator.md lists that.
//
// # Reaching it
//
// By default there are no sockets: the clients of an Emulator call the services
// directly under the hosts of the real ones (graph.microsoft.com and so on). The
// program under test needs no other URLs, only the client. That works within
// testing/synctest too. Pass [Emulator.Client] to official SDKs: the transport of
// azcore.ClientOptions, the HTTP client of the Kusto SDK.
//
// Another process, or code that takes no client, needs [Loopback]: TLS on
// 127.0.0.1, with the addresses in [Emulator.Endpoints] and the environment of
// official clients in [Emulator.Env].
//
// # Signing in
//
// [Emulator.SignedIn] adds tokens to requests. [Emulator.Token] makes single ones:
// for other applications, with other permissions, or expired. A program that signs in
// itself uses the ids and secrets of Endpoints at the authority there.
//
// # Data
//
// [Emulator.Tenant] is the source: its days can be advanced, its rows changed, its
// schemas altered, and rows of events added. [Emulator.Truth] and [Emulator.Landed] are
// digests of what the source and the database hold, [Emulator.Compare] says how they
// differ. Queries are KQL.
package emulatortest
