package command

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ftsca/ftsca/internal/datapackage"
	"github.com/ftsca/ftsca/pkcs12"
)

// packageFlags say what a client's packages are like.
type packageFlags struct {
	families    string
	hosts       []string
	description string
	disabled    bool
	askPassword bool
	p12         string
	unit        string
	callsign    string
	team        string
	role        string
}

func (p *packageFlags) bind(flags *pflag.FlagSet) {
	flags.StringArrayVar(&p.hosts, "host", nil, "the server that the device connects to, `host` or host:port (port 8089); may be repeated for ATAK")
	flags.StringVar(&p.families, "for", "", "the `clients` that get a package: atak, wintak, itak, takaware, several with commas, or all (default atak)")
	flags.StringVar(&p.description, "description", "", "how the connection is called on the device (default the authority's name)")
	flags.BoolVar(&p.disabled, "disabled", false, "let the device connect only when its user says so")
	flags.BoolVar(&p.askPassword, "ask-password", false, "leave the password out of the package, for clients that then ask their user for it")
	flags.StringVar(&p.p12, "p12", string(pkcs12.TAK), "`form` of the p12 files: tak, which every client reads, or modern")
	flags.StringVar(&p.unit, "template-dir", "", "`folder` with the unit's own preferences (unit.pref) and further files (files/)")
	flags.StringVar(&p.callsign, "callsign", "", "set the device's `callsign`")
	flags.StringVar(&p.team, "team", "", "set the device's team `colour`, such as Cyan")
	flags.StringVar(&p.role, "role", "", "set the device's `role`, such as \"Team Lead\"")
}

// packing reads the flags. Families that the flags do not name are left empty, and hosts too.
func (p *packageFlags) packing() (packing, error) {
	out := packing{description: p.description, disabled: p.disabled, askPassword: p.askPassword}
	var err error
	if p.families != "" {
		if out.families, err = datapackage.ParseFamilies(p.families); err != nil {
			return out, &usageError{err}
		}
	}
	for _, text := range p.hosts {
		host, err := hostPort(text)
		if err != nil {
			return out, &usageError{err}
		}
		out.hosts = append(out.hosts, host)
	}
	if out.profile, err = pkcs12.ParseProfile(p.p12); err != nil {
		return out, &usageError{err}
	}
	if p.unit != "" {
		// No link in the folder leads out of it.
		root, err := os.OpenRoot(p.unit)
		if err != nil {
			return out, fmt.Errorf("opening the unit's folder: %w", err)
		}
		defer root.Close()
		if out.extras, err = datapackage.ReadUnit(root.FS()); err != nil {
			return out, fmt.Errorf("the unit's folder %s: %w", p.unit, err)
		}
	}
	if p.callsign != "" {
		out.extras.Callsign = p.callsign
	}
	if p.team != "" {
		if out.extras.Team, err = datapackage.ParseTeam(p.team); err != nil {
			return out, &usageError{err}
		}
	}
	if p.role != "" {
		if out.extras.Role, err = datapackage.ParseRole(p.role); err != nil {
			return out, &usageError{err}
		}
	}
	return out, nil
}

// familyNames are families as records have them.
func familyNames(families []datapackage.Family) []string {
	names := make([]string, len(families))
	for i, f := range families {
		names[i] = string(f)
	}
	return names
}

// familiesOf reads the families of a record; ATAK where it names none.
func familiesOf(names []string) ([]datapackage.Family, error) {
	if len(names) == 0 {
		return []datapackage.Family{datapackage.ATAK}, nil
	}
	return datapackage.ParseFamilies(strings.Join(names, ","))
}
