package command

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/ftsca/ftsca/csr"
	"github.com/ftsca/ftsca/internal/keyfile"
)

// subjectFlags are the parts of a distinguished name besides the common name.
type subjectFlags struct {
	organization, unit, locality, province, country string
}

func (s *subjectFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&s.organization, "organization", "", "organization in the subject")
	flags.StringVar(&s.unit, "unit", "", "organizational unit in the subject")
	flags.StringVar(&s.locality, "locality", "", "locality in the subject")
	flags.StringVar(&s.province, "province", "", "state or province in the subject")
	flags.StringVar(&s.country, "country", "", "country in the subject, a code of two letters")
}

func (s subjectFlags) subject(name string, groups []string) csr.Subject {
	return csr.Subject{CommonName: name, Organization: s.organization, Unit: s.unit, Locality: s.locality,
		Province: s.province, Country: s.country, Groups: groups}
}

// bindKey binds --key, which takes any of the algorithms.
func bindKey(flags *pflag.FlagSet, value *string, preset keyfile.Algorithm) {
	var names []string
	for _, a := range keyfile.Algorithms() {
		names = append(names, string(a))
	}
	flags.StringVar(value, "key", string(preset), "key `algorithm`: "+strings.Join(names, ", "))
}

// bindSAN binds --san.
func bindSAN(flags *pflag.FlagSet, names *[]string) {
	flags.StringArrayVar(names, "san", nil, "alternative `name`, a DNS name or an IP address; may be repeated")
}
