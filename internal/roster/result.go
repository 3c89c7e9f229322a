package roster

import "strconv"

// State is what became of a row.
type State string

// The states.
const (
	Issued  State = "issued"         // by this run
	Earlier State = "issued earlier" // by another one
	Missing State = "not issued"     // the run ended before it
)

// Result is what a row led to.
type Result struct {
	Name         string
	Generation   int    // 0 where nothing was issued
	Serial       string // as crl.Serial writes it
	Package      string // path
	PasswordFile string // path
	Contact      string
	State        State
}

// Sheet returns results as headings and rows of cells, for a file. It holds no password.
func Sheet(results []Result) (header []string, rows [][]string) {
	for _, r := range results {
		generation := ""
		if r.Generation != 0 {
			generation = strconv.Itoa(r.Generation)
		}
		rows = append(rows, []string{r.Name, generation, r.Serial, r.Package, r.PasswordFile, r.Contact, string(r.State)})
	}
	return []string{"name", "generation", "serial", "package", "password_file", "contact", "state"}, rows
}
