package main_test

import "testing"

// theHouse is the import table of the design: who may import whom of ours. A new package gets its line here first.
// The order is that of the table; what a package does not name here it may not import.
var theHouse = house{
	module: "github.com/ftsca/ftsca",
	mayImport: map[string][]string{
		"internal/secret":       {},
		"internal/collector":    {},
		"internal/durable":      {},
		"crl":                   {},
		"pkcs12":                {},
		"templates":             {},
		"internal/cot":          {"internal/cot/takproto"},
		"internal/cot/takproto": {},
		"internal/mtls":         {},
		"internal/output":       {},
		"internal/sandbox":      {},
		"internal/control":      {},
		"internal/notify":       {},
		"internal/prompt":       {"internal/secret"},
		"internal/keyfile":      {"internal/secret", "internal/durable"},
		"csr":                   {"internal/keyfile"},
		"ca":                    {"csr", "crl", "internal/keyfile"},
		"ca/store":              {"ca", "crl", "internal/keyfile", "internal/durable"},
		"internal/datapackage":  {"pkcs12", "templates", "internal/secret"},
		"internal/roster":       {"ca", "ca/store", "internal/datapackage", "templates", "csr", "pkcs12", "internal/keyfile", "internal/secret"},
		"internal/transfer":     {"ca", "ca/store", "internal/datapackage", "templates", "csr", "crl", "internal/keyfile", "internal/durable"},
		"internal/export":       {"ca", "ca/store", "internal/datapackage", "templates", "crl", "pkcs12", "internal/keyfile", "internal/secret", "internal/durable"},
		"internal/groups":       {"csr"},
		"internal/reload":       {"internal/mtls", "internal/groups", "crl"},
		"internal/endpoint":     {"internal/cot", "internal/mtls"},
		"internal/metrics":      {"internal/endpoint"},
		"internal/check":        {"pkcs12", "internal/secret"},
		"internal/connect":      {"internal/cot"},
		"internal/command":      {anything},
		"cmd/ftsca":             {"internal/command"},
		// For tests and for make demo; only test files import them, the demo aside.
		"internal/testpki":    {},
		"internal/testdevice": {},
		"internal/teststream": {},
		"internal/testchild":  {},
		"internal/demo":       {"internal/testdevice"},
	},
	forTests: []string{"internal/testpki", "internal/testdevice", "internal/teststream", "internal/testchild"},

	// What stands on a machine that has no network and must never ask for one.
	offline: []string{
		"ca", "ca/store", "csr", "crl", "pkcs12", "templates",
		"internal/datapackage", "internal/keyfile", "internal/durable", "internal/secret", "internal/roster", "internal/transfer",
		"internal/export", "internal/check",
	},
	online: []string{"net/http", "net/rpc", "net/smtp", "crypto/tls", "os/exec"},

	// Others build on these: their exported names must not show what others cannot name.
	public: []string{"ca", "csr", "crl", "pkcs12", "templates"},

	screenModules: []string{
		"github.com/spf13/cobra", "github.com/spf13/pflag",
		"github.com/AlecAivazis/survey/v2", "github.com/olekukonko/tablewriter", "github.com/cheggaaa/pb/v3",
	},
	screenPackages: []string{"internal/command", "internal/prompt", "internal/output", "cmd"},

	// golang.org/x is the Go team's annex to the standard library and counts as that; cobra makes the whole tree of
	// commands, in main too where completions or man pages are written. crl and roster read two forms of JSON that have
	// nothing in common but the tokens; encoding/json tells neither where a member stands nor that it is there twice.
	shared: []string{"golang.org/x/", "github.com/spf13/cobra", "github.com/go-json-experiment/json"},
}

func TestImportsRunDownwardsOnly(t *testing.T) {
	for _, system := range []string{"linux/amd64", "darwin/arm64", "windows/amd64"} {
		t.Run(system, func(t *testing.T) {
			units := load(t, system)
			if len(units) == 0 {
				t.Fatal("no package found")
			}
			for _, fault := range theHouse.judge(units) {
				t.Error(fault)
			}
		})
	}
}
