// Command tvmexport copies Defender XDR Advanced Hunting tables into Azure
// Data Explorer or a Fabric Eventhouse. See tvmexport help.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/tvmexport/tvmexport/internal/signin"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a reader that goes away does not end a run
	log.SetOutput(unquoted{os.Stderr})
	signin.DropEmptyVariables()
	os.Exit(process{
		args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv, environment: os.Environ(),
	}.run(context.Background()))
}
