// Package control is the status socket of a running ftsca serve, both ends: a Unix socket in the endpoint room, through
// which the commands of the same account ask the running process what it knows and tell it what to do. Start with
// [Listen] and [Server] on the one side, and with [Call] on the other.
//
// A connection carries one request and one response, each a line of JSON: socket.go says where the socket is and how it
// comes there, message.go what the lines are, status.go what the verbs of today carry. A further verb needs a
// [Handler] at the server and a type for its arguments and result here, and nothing else.
//
// Only the account that serves, and root, can reach the socket. What comes through it is bounded all the same: a
// program gone wrong must not take the endpoint with it.
package control
