// Package command is the command line: the tree of commands, each in a file of its own, and the one place that turns
// errors into words and exit codes.
//
// Start with [Main]. A command is an options struct, a constructor that binds flags to it, and a run function that
// checks, opens the store, calls the domain, and prints. Results go to standard output, talk to standard error,
// questions to the terminal.
package command
