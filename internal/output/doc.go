// Package output puts results on the screen or into a pipe: tables, JSON, times, progress and QR codes.
//
// A person and a program read differently, so every form asks which of the two it writes for. Start with IsTerminal and
// Width, which look at the file that takes the results; Table, JSON, Time and NewProgress take that answer as an argument,
// and none of them looks at the environment by itself. NewQR makes a code, of which each form has a method.
package output
