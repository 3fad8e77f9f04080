// Package emulator is a local double of the services that an exporter of
// Microsoft Defender data talks to: Microsoft Entra ID, advanced hunting in its
// three forms, and Azure Data Explorer with its ingestion service, over one
// synthetic tenant. It is for tests, demos and rehearsals, and good enough that
// official clients work against it unmodified.
//
// Tests start it with package emulatortest. The services are http.Handlers with a
// memory. A Go program uses them without sockets, through a transport that knows the
// public hosts of the real services and works under testing/synctest too:
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
// Everything else uses sockets, on loopback and with TLS:
//
//	s, err := emulator.Start(emulator.Options{Dir: dir}, emulator.Listen{})
//	if err != nil { ... }
//	defer s.Close()
//	json.NewEncoder(os.Stdout).Encode(s.Ready) // where it is, how to sign in, what to trust
//	<-ctx.Done()
//
// What is not supported is refused in the service's own error shape. docs/emulator.md
// lists what there is and where it differs from the services.
package emulator
