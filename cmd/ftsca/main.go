// Command ftsca is a certificate authority and client-package toolkit for FreeTAKServer and TAK, and the CoT endpoint
// that serves from the same store. All it does stands in internal/command.
package main

import (
	"os"

	"github.com/ftsca/ftsca/internal/command"
)

func main() { os.Exit(command.Main(os.Args[1:], command.System())) }
