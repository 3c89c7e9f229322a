package check

import (
	"crypto"
	"crypto/x509"
	"strings"
)

// Level is how much a finding matters.
type Level string

const (
	// OK is what the device reads, or what makes no difference to it.
	OK Level = "ok"
	// Warning is what works on some versions only, what troubles the user, and what is not known to work.
	Warning Level = "warning"
	// Refusal is what keeps the device from connecting, and what nobody must be given, such as the key of a server.
	Refusal Level = "refusal"
)

func (l Level) rank() int {
	switch l {
	case Refusal:
		return 2
	case Warning:
		return 1
	}
	return 0
}

// Finding is one thing seen in a package.
type Finding struct {
	Family Family `json:"family"`
	Level  Level  `json:"level"`
	// Rule is a short word that stays the same from release to release: "manifest-case".
	Rule string `json:"rule"`
	// Text says what is the matter and what to do, printable and at most 600 characters. No password stands in it.
	Text string `json:"text"`
	// Source is where the rule was learnt: a source file of the client, or a thread; "" where it needs none.
	Source string `json:"source,omitempty"`
	// Where is the file in the package, printable and at most 200 characters. Where a package holds another, its name
	// comes first: "outer/inner.zip: certs/alice.p12". It is "" where a finding is about the package as a whole.
	Where string `json:"where,omitempty"`
}

// Connection is what a device has understood of one server, as far as it came.
type Connection struct {
	Host string
	Port int
	// Protocol is "ssl", "tcp" or "quic".
	Protocol    string
	Description string
	// Enabled tells whether the device connects by itself.
	Enabled bool
	// Key is the client's, and Certificate that of the key; nil where the device has none.
	Key         crypto.Signer
	Certificate *x509.Certificate
	// Authorities are what the device believes when it judges the server, in the order of the trust store.
	Authorities []*x509.Certificate
}

// Verdict is what one family makes of a package.
type Verdict struct {
	Family   Family
	Findings []Finding
	// Connections are what the device would connect to. They hold a private key, and go into no JSON.
	Connections []Connection `json:"-"`
}

// Level is the gravest of the findings.
func (v Verdict) Level() Level {
	worst := OK
	for _, f := range v.Findings {
		if f.Level.rank() > worst.rank() {
			worst = f.Level
		}
	}
	return worst
}

func (v Verdict) count(l Level) int {
	n := 0
	for _, f := range v.Findings {
		if f.Level == l {
			n++
		}
	}
	return n
}

// Report is what [Package] has found, for each family asked for.
type Report struct{ Verdicts []Verdict }

// Level is the gravest of all findings.
func (r Report) Level() Level {
	worst := OK
	for _, v := range r.Verdicts {
		if l := v.Level(); l.rank() > worst.rank() {
			worst = l
		}
	}
	return worst
}

// Row is a line of a table: a finding, and all the families that have it.
type Row struct {
	// Families are their names, with commas: "ATAK, WinTAK".
	Families                  string
	Level                     Level
	Rule, Where, Text, Source string
}

// Rows are the findings for a table, each once: refusals first, then warnings, then what is well, and otherwise in the
// order in which devices come upon them.
func (r Report) Rows() []Row {
	type key struct {
		level             Level
		rule, where, text string
	}
	var rows []Row
	at := map[key]int{}
	for _, v := range r.Verdicts {
		for _, f := range v.Findings {
			k := key{f.Level, f.Rule, f.Where, f.Text}
			if i, ok := at[k]; ok {
				rows[i].Families += ", " + f.Family.String()
				continue
			}
			at[k] = len(rows)
			rows = append(rows, Row{f.Family.String(), f.Level, f.Rule, f.Where, f.Text, f.Source})
		}
	}
	var sorted []Row
	for _, level := range []Level{Refusal, Warning, OK} {
		for _, row := range rows {
			if row.Level == level {
				sorted = append(sorted, row)
			}
		}
	}
	return sorted
}

// Summary is a report in the form for JSON. It holds no key and no password.
type Summary struct {
	Level    Level           `json:"level"`
	Families []FamilySummary `json:"families"`
}

// FamilySummary is what one family makes of a package.
type FamilySummary struct {
	Family      Family              `json:"family"`
	Level       Level               `json:"level"`
	Refusals    int                 `json:"refusals"`
	Warnings    int                 `json:"warnings"`
	Connections []ConnectionSummary `json:"connections"`
	Findings    []Finding           `json:"findings"`
}

// ConnectionSummary is a server that the device would connect to.
type ConnectionSummary struct {
	Host        string `json:"host"`
	Port        int    `json:"port"`
	Protocol    string `json:"protocol"`
	Description string `json:"description"`
	Enabled     bool   `json:"enabled"`
	// Client is the common name of the client's certificate, "" where there is none.
	Client string `json:"client"`
	// Authorities are the names of those that the device believes.
	Authorities []string `json:"authorities"`
}

// Summary returns the report in the form for JSON. No list in it is null.
func (r Report) Summary() Summary {
	s := Summary{Level: r.Level(), Families: []FamilySummary{}}
	for _, v := range r.Verdicts {
		f := FamilySummary{
			Family: v.Family, Level: v.Level(), Refusals: v.count(Refusal), Warnings: v.count(Warning),
			Connections: []ConnectionSummary{}, Findings: append([]Finding{}, v.Findings...),
		}
		for _, c := range v.Connections {
			f.Connections = append(f.Connections, c.summary())
		}
		s.Families = append(s.Families, f)
	}
	return s
}

func (c Connection) summary() ConnectionSummary {
	s := ConnectionSummary{
		Host: c.Host, Port: c.Port, Protocol: c.Protocol, Description: strings.ToValidUTF8(c.Description, "\ufffd"),
		Enabled:     c.Enabled,
		Authorities: []string{},
	}
	if c.Certificate != nil {
		s.Client = c.Certificate.Subject.CommonName
	}
	for _, a := range c.Authorities {
		s.Authorities = append(s.Authorities, a.Subject.CommonName)
	}
	return s
}
