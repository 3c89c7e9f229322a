package datapackage

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ftsca/ftsca/templates"
)

// readConnections takes the connections that have the same certificates as the first. It opens none of the others: the
// files of one package that are copies are so to the last byte.
func (o *Opened) readConnections(z *unzipped, file string, named []templates.Connection) error {
	for i, c := range named {
		host, port, err := ParseHost(net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
		if err != nil {
			return fmt.Errorf("%s: connection %d: %w", file, i, err)
		}
		if i > 0 && !z.sameFiles(c, named[0]) {
			o.Left = append(o.Left, fmt.Sprintf("the connection to %s:%d, which has other certificates or none", host, port))
			continue
		}
		o.Connections = append(o.Connections, Connection{Host: host, Port: port, Description: c.Description, Disabled: !c.Enabled})
	}
	return nil
}

func (z *unzipped) sameFiles(a, b templates.Connection) bool {
	if a.ClientPassword != b.ClientPassword || a.CAPassword != b.CAPassword {
		return false
	}
	return z.same(a.ClientFile, b.ClientFile) && z.same(a.CAFile, b.CAFile)
}

func (z *unzipped) same(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	one, _, errOne := z.bundle(a, "")
	two, _, errTwo := z.bundle(b, "")
	return errOne == nil && errTwo == nil && bytes.Equal(one, two)
}

// readExtras takes what could be packed again, and names the rest.
func (o *Opened) readExtras(z *unzipped, p templates.Preferences) {
	for _, key := range p.Left {
		o.Left = append(o.Left, fmt.Sprintf("the preference %.100q", key))
	}
	for _, entry := range p.Entries {
		if err := o.Extras.take([]templates.Entry{entry}); err != nil {
			o.Left = append(o.Left, fmt.Sprintf("the preference %.100q", entry.Key))
		}
	}
	for _, f := range z.entries {
		base := path.Base(f.Name)
		switch lower := strings.ToLower(base); {
		case lower == "manifest.xml", strings.HasSuffix(lower, ".pref"), strings.HasSuffix(lower, ".p12"):
		case !o.takeFile(z, f, base):
			o.Left = append(o.Left, fmt.Sprintf("the file %.120q", f.Name))
		}
	}
}

// takeFile tells whether a file may go into a package again.
func (o *Opened) takeFile(z *unzipped, f *zip.File, base string) bool {
	if !o.Family.TakesFiles() || vetFileName(base) != nil {
		return false
	}
	data, err := z.read(f)
	if err != nil {
		return false
	}
	files := append(slices.Clone(o.Extras.Files), File{Name: base, Data: data})
	if vetFiles(files) != nil {
		return false
	}
	o.Extras.Files = files
	return true
}
