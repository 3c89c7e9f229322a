package check

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ftsca/ftsca/internal/secret"
)

// device is one of a family, with a package that its user imports.
type device struct {
	family  Family
	now     time.Time
	given   secret.Secret
	keyring *keyring
	verdict Verdict

	stored    []stored // the files that the device takes out of the package
	left      []stored // those that it leaves in it
	used      map[*file]bool
	secrets   []hostSecrets
	passwords []string // all that the package has, for telling which one would have been right
}

// stored is a file with its name in findings.
type stored struct {
	*file
	where string
}

const (
	maxFindings = 200
	maxSaid     = 600
	maxWhere    = 200
	maxPrefs    = 8
)

// say adds a finding, if what is said is anything to the family.
func (d *device) say(l levels, rule, where, format string, args ...any) {
	level := l.of(d.family)
	if level == "" || len(d.verdict.Findings) > maxFindings {
		return
	}
	f := Finding{
		Family: d.family, Level: level, Rule: rule, Text: visible(fmt.Sprintf(format, args...), maxSaid),
		Source: sourceOf(rule), Where: visible(where, maxWhere),
	}
	if len(d.verdict.Findings) == maxFindings {
		f = Finding{Family: d.family, Level: Refusal, Rule: "too-much", Text: fmt.Sprintf("more than %d findings: "+
			"the rest is left out", maxFindings)}
	}
	if !slices.Contains(d.verdict.Findings, f) {
		d.verdict.Findings = append(d.verdict.Findings, f)
	}
}

// visible returns at most limit characters, of which a terminal shows every one.
func visible(s string, limit int) string {
	var b strings.Builder
	for _, r := range s {
		if limit--; limit < 0 {
			return b.String() + "…"
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

// well says that something is in order, unless look has found something to say against it.
func (d *device) well(rule string, look func() (where, text string)) {
	before := len(d.verdict.Findings)
	where, text := look()
	for _, f := range d.verdict.Findings[before:] {
		if f.Level != OK {
			return
		}
	}
	if text != "" {
		d.say(all(OK), rule, where, "%s", text)
	}
}

// look walks through a package.
func (d *device) look(c *container) {
	d.used = map[*file]bool{}
	d.takeAll(c, true)
	if len(d.stored) == 0 && len(d.left) == 0 {
		if len(d.verdict.Findings) == 0 {
			d.say(all(Refusal), "zip-empty", "", "the zip holds no file")
		}
		return
	}
	d.names()
	var read []*preferences
	for i, f := range d.ending(".pref") {
		if i == maxPrefs {
			d.say(all(Warning), "pref-many", "", "more than %d .pref files: the rest is not looked at", maxPrefs)
			break
		}
		if p := d.readPreferences(f); p != nil {
			read = append(read, p)
		}
	}
	if len(d.ending(".pref")) == 0 {
		d.say(all(Refusal), "pref-none", "", "no .pref file comes to the device, so nothing says where to connect")
	}
	for _, p := range read {
		d.judgeEntries(p)
		d.collectPasswords(p)
	}
	for _, p := range read {
		d.connections(p)
	}
	if len(read) > 0 && len(d.verdict.Connections) == 0 {
		d.say(all(Refusal), "no-connection", "", "the preferences have no connection that the device can use, so it "+
			"imports nothing: a connection needs a connectString0 in cot_streams")
	}
	d.judgeConnections()
	d.strays()
}

func (d *device) takeAll(c *container, outermost bool) {
	for _, f := range c.faults {
		d.say(f.levels, f.rule, f.where, "%s", f.text)
	}
	taken := d.take(c)
	for _, f := range c.files {
		s := stored{f, c.where(f.name)}
		if taken[f] {
			d.stored = append(d.stored, s)
		} else {
			d.left = append(d.left, s)
		}
	}
	if outermost && len(c.inner) > 0 {
		d.say(levels{"", "", Refusal, Refusal}, "zip-nested", "", "a package within the package, as it is made for "+
			"WinTAK: %s opens none", d.family)
		for _, inner := range c.inner {
			d.takeAll(inner, false)
		}
	}
}

// take tells which files of a zip come to the device. ATAK goes by the manifest; the others take what there is.
func (d *device) take(c *container) map[*file]bool {
	taken := map[*file]bool{}
	var list *file
	m, folder := manifest{}, ""
	d.well("manifest", func() (string, string) {
		if list, folder = d.findManifest(c); list == nil {
			return "", ""
		}
		where, ok := c.where(list.name), false
		if m, ok = d.readManifest(c, list); !ok {
			list = nil
			return "", ""
		}
		return where, fmt.Sprintf("the manifest is read: package %.100q, files listed: %d", m.name, len(m.contents))
	})
	d.folders(c)
	if list == nil || d.family != ATAK {
		for _, f := range c.files {
			taken[f] = true
		}
		return taken
	}
	d.takeListed(c, m, folder, taken)
	return taken
}

// findManifest returns the manifest that the device goes by, and the folder that its entries stand in; nil where it goes by
// none.
func (d *device) findManifest(c *container) (list *file, folder string) {
	var others []*file
	for _, f := range c.files {
		switch {
		case f.name == manifestPath:
			list = f
		case isManifest(f.name):
			others = append(others, f)
		}
	}
	switch {
	case list != nil && len(others) > 0, len(others) > 1:
		d.say(all(Warning), "manifest-twice", c.where(others[len(others)-1].name),
			"the package has several manifests, and which of them counts differs from version to version: leave one")
	}
	switch {
	case list != nil:
		return list, ""
	case len(c.files) == 0:
		return nil, ""
	case len(others) == 0:
		d.say(levels{Warning, Warning, "", ""}, "manifest-none", c.where(""), "it has no %s: ATAK takes it for a "+
			"plain zip and imports its files one by one, "+
			"so that the package cannot be found or deleted as one", manifestPath)
		return nil, ""
	}
	other := others[0]
	folder, nested := strings.CutSuffix(other.name, "/"+manifestPath)
	switch {
	case nested && !strings.Contains(folder, "/"):
		d.say(levels{Warning, Warning, "", ""}, "manifest-base", c.where(other.name), "the manifest stands in a "+
			"folder of its own, where ATAK 5.5 finds it and "+
			"4.6 does not: zip the contents of %.100q, not the folder", folder)
		return other, folder + "/"
	case strings.EqualFold(strings.ReplaceAll(other.name, `\`, "/"), manifestPath):
		d.say(levels{Warning, Warning, "", ""}, "manifest-case", c.where(other.name), "ATAK looks for %s in exactly "+
			"this spelling, and takes this for a plain zip",
			manifestPath)
	default:
		d.say(levels{Warning, Warning, "", ""}, "manifest-place", c.where(other.name), "ATAK looks for the manifest "+
			"at %s, and takes this for a plain zip", manifestPath)
	}
	if d.family == ATAK {
		return nil, ""
	}
	return other, ""
}

// readManifest judges a manifest and tells whether the device goes by it.
func (d *device) readManifest(c *container, list *file) (manifest, bool) {
	where := c.where(list.name)
	if !list.read {
		return manifest{}, false
	}
	if !recognised(list.data) {
		d.say(levels{Warning, Warning, Warning, Warning}, "manifest-recognised", where, "it has no "+
			"<MissionPackageManifest, so that no device takes it for a manifest")
		return manifest{}, false
	}
	m, err := readManifest(list.data)
	if err != nil {
		d.say(levels{Refusal, Refusal, Warning, Warning}, "manifest-xml", where, "%v", err)
		return manifest{}, false
	}
	if m.version != "2" {
		d.say(levels{Warning, Warning, "", ""}, "manifest-version", where, `it is of version %.20q: ATAK reads `+
			`version "2", and takes this for a plain zip`, m.version)
		return manifest{}, false
	}
	if m.uid == "" || m.name == "" {
		d.say(levels{Refusal, Warning, "", ""}, "manifest-parameters", where, "it lacks the parameter uid or name, "+
			"without which it is not valid")
	}
	backslash := false
	for _, entry := range m.contents {
		backslash = backslash || strings.Contains(entry.entry, `\`)
	}
	if backslash {
		d.say(levels{Refusal, Warning, Warning, Warning}, "manifest-backslash", where, `its entries have `+
			`backslashes, as those made on Windows: write "certs/file", with "/"`)
	}
	return m, true
}

// takeListed takes what the manifest lists.
func (d *device) takeListed(c *container, m manifest, folder string, taken map[*file]bool) {
	there := map[string]*file{}
	for _, f := range c.files {
		there[f.name] = f
	}
	missing := 0
	for _, entry := range m.contents {
		f, ok := there[folder+entry.entry]
		switch {
		case !ok:
			// A word for each would drown the rest.
			if missing++; missing <= 3 {
				d.say(all(Warning), "manifest-missing", c.where(manifestPath), "it lists %.150q, which is not in the "+
					"package", entry.entry)
			}
		case !entry.ignore:
			taken[f] = true
		}
	}
	for _, f := range c.files {
		if !taken[f] && (ends(f.name, ".p12") || ends(f.name, ".pref") || ends(f.name, ".zip")) {
			d.say(all(Warning), "manifest-unlisted", c.where(f.name), "the manifest does not list it, or has it "+
				"ignored: ATAK leaves it in the package")
		}
	}
}

// folders judges where the files stand.
func (d *device) folders(c *container) {
	roots, deep, backslash := map[string]bool{}, "", ""
	for _, f := range c.files {
		if strings.Contains(f.name, `\`) {
			backslash = f.name
		}
		if !ends(f.name, ".p12") && !ends(f.name, ".pref") {
			continue
		}
		root, rest, nested := strings.Cut(f.name, "/")
		if !nested {
			root = ""
		}
		roots[root] = true
		if deep == "" && nested && (d.family == ITAK || strings.Contains(rest, "/")) {
			deep = f.name
		}
	}
	if backslash != "" {
		d.say(levels{Refusal, Warning, Refusal, Refusal}, "zip-backslash", c.where(backslash), `a name in the zip `+
			`has a backslash, which is no separator of folders `+
			`outside Windows: pack it with "/"`)
	}
	switch {
	case deep != "":
		d.say(levels{"", "", Refusal, Refusal}, "zip-folders", c.where(deep), "the file stands in a folder, and %s "+
			"finds files at the top of the zip alone", d.family)
	case len(roots) > 1:
		d.say(levels{"", "", Refusal, Refusal}, "zip-folders", c.where(""), "its files stand in several folders, and "+
			"%s looks into one", d.family)
	}
}

// ending returns the files on the device with that ending, in any case.
func (d *device) ending(ending string) []stored {
	var found []stored
	for _, f := range d.stored {
		if ends(f.name, ending) {
			found = append(found, f)
		}
	}
	return found
}

func (d *device) readPreferences(f stored) *preferences {
	if !f.read {
		return nil
	}
	var p *preferences
	d.well("preferences", func() (where, text string) {
		if len(f.data) > 0 && f.data[0] == 0x30 {
			d.say(all(Refusal), "pref-p12", f.where, "it holds no preferences, but is binary, as a .p12 file is: the "+
				"files were mixed up")
			return "", ""
		}
		if missing := headMarks(f.data); missing != nil {
			d.say(levels{Refusal, Warning, Warning, Warning}, "pref-recognised", f.where, "its first 8192 characters "+
				"have no %q, so that ATAK does not take it for preferences",
				strings.Join(missing, " and no "))
		}
		var err error
		if p, err = readPreferences(f.data); err != nil {
			d.say(all(Refusal), "pref-xml", f.where, "%v", err)
			return "", ""
		}
		p.where = f.where
		return f.where, fmt.Sprintf("the preferences are read: %d entries", len(p.order))
	})
	return p
}
