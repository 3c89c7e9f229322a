// Package check reads a data package as a device of each family does when its user imports it, and says what it finds:
// what the device takes, what it takes but will trouble its user with, and what it silently refuses. The package may be
// any tool's.
//
// Start with [Package]. [Report] has what each family makes of the package; [Report.Rows] is that as a table, and
// [Report.Summary] in a form for JSON.
//
// The rules are those of ATAK's source (4.6 and 5.5) and TAK Aware's, and for iTAK and WinTAK, whose source is closed,
// what the threads of other projects report. [Finding.Source] says which. The package shares no code with what makes
// packages, so that a mistake there is none here. It opens no socket.
//
// A package goes one way through the files: container.go unpacks it, manifest.go and preferences.go read its texts,
// device.go walks through it as one family, connection.go and location.go follow what the preferences say, bundle.go,
// truststore.go, identity.go and certificate.go judge the certificates.
package check
