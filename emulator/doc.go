// Package emulator emulates the services that an exporter of Microsoft Defender data
// uses: Microsoft Entra ID, the three Advanced Hunting APIs, and Azure Data Explorer
// with its ingestion service, over one synthetic tenant. It is for tests, demos and
// trial runs. Unmodified official clients work against it.
//
// Tests use package emulatortest. A Go program calls the services without sockets,
// through a transport for the public hosts of the real services, which also works
// within testing/synctest:
//
//	e, err := emulator.New(emulator.Options{Devices: 50})
//	if err != nil { ... }
//	defer e.Close()
//	client := &http.Client{Transport: e.Transport()}
//	at := e.Endpoints() // at.Graph is "https://graph.microsoft.com", at.ClientSecret signs in
//	// ... run the program with client ...
//	truth, err := e.Truth(ctx, "DeviceTvmSoftwareInventory")
//	landed, err := e.Landed(ctx, at.Database, "DeviceTvmSoftwareInventory")
//	// truth == landed: rows and hash
//
// Other processes use TLS on loopback:
//
//	s, err := emulator.Start(emulator.Options{Dir: dir}, emulator.Listen{})
//	if err != nil { ... }
//	defer s.Close()
//	json.NewEncoder(os.Stdout).Encode(s.Ready) // where it is, how to sign in, what to trust
//	<-ctx.Done()
//
// The emulator refuses what it does not support, with the service's own error.
// docs/emulator.md lists what it supports and how it differs from the services.
package emulator
