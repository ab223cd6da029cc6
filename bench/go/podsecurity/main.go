// The webhook of Pod Security admission as its own command makes it.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/pod-security-admission/cmd/webhook/server"
)

func main() { os.Exit(cli.Run(server.NewServerCommand())) }
