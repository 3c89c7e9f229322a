package roster

import "fmt"

// Existing is a certificate that was issued before under a name.
type Existing struct {
	Generation   int
	Serial       string // as crl.Serial writes it
	Digest       string // of the row that led to it; empty where none did
	Package      string // path; empty where it is not known
	PasswordFile string // path; empty where it is not known
}

// Plan is what a roster leads to.
type Plan struct {
	Issue []Row    // in the order of the roster
	Done  []Result // rows that an earlier run has issued, in the order of the roster; their State is Earlier

	rows []Row // all
}

// NewPlan reads a roster as [Read] does and decides about each of its rows by what lookup knows of the name, whatever
// the generation: a row is done if one of them came of the same row, be it revoked since; it is to be issued if there
// are none; all else is a fault, told in one *[Faults] with those of the file. An error of lookup is returned at once.
func NewPlan(data []byte, defaults Row, lookup func(name string) ([]Existing, error)) (*Plan, error) {
	s, err := newSheet(defaults)
	if err != nil {
		return nil, err
	}
	s.read(data)
	p := &Plan{rows: s.rows}
	for _, row := range s.rows {
		existing, err := lookup(row.Name)
		if err != nil {
			return nil, fmt.Errorf("looking up the name %q of line %d: %w", row.Name, row.Line, err)
		}
		if len(existing) == 0 {
			p.Issue = append(p.Issue, row)
			continue
		}
		if done, ok := row.among(existing); ok {
			p.Done = append(p.Done, done)
			continue
		}
		s.faults.addAll(row.Line, row.Name, inUse(existing[len(existing)-1]))
	}
	if err := s.faults.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// among finds the certificate that the row led to.
func (r Row) among(existing []Existing) (Result, bool) {
	digest := r.Digest()
	for _, e := range existing {
		if e.Digest == digest {
			return Result{Name: r.Name, Generation: e.Generation, Serial: e.Serial, Package: e.Package,
				PasswordFile: e.PasswordFile, Contact: r.Contact, State: Earlier}, true
		}
	}
	return Result{}, false
}

func inUse(latest Existing) error {
	if latest.Digest == "" {
		return fmt.Errorf("the name is in use (generation %d), and that certificate did not come of a roster", latest.Generation)
	}
	return fmt.Errorf("the name is in use (generation %d), and the row, or what is given for all rows, was another when that "+
		"certificate was issued", latest.Generation)
}

// Results puts what a run gave, whole or not, together with what was done before: one result for each row, in the order
// of the roster. A row that neither has is there without a serial, and its State is Missing.
func (p *Plan) Results(issued []Result) []Result {
	known := make(map[string]Result, len(p.Done)+len(issued))
	for _, of := range [][]Result{p.Done, issued} {
		for _, r := range of {
			known[r.Name] = r
		}
	}
	results := make([]Result, 0, len(p.rows))
	for _, row := range p.rows {
		r, ok := known[row.Name]
		if !ok {
			r = Result{Name: row.Name, Contact: row.Contact, State: Missing}
		}
		results = append(results, r)
	}
	return results
}
