package check

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// manifestPath is looked up by ATAK in exactly this spelling.
const manifestPath = "MANIFEST/manifest.xml"

// isManifest tells whether a file is meant to be a manifest, wherever its maker put it.
func isManifest(name string) bool {
	return strings.EqualFold(base(strings.ReplaceAll(name, `\`, "/")), "manifest.xml")
}

// manifest is what a manifest says.
type manifest struct {
	version, uid, name string
	contents           []content
}

type content struct {
	entry  string
	ignore bool
}

const maxContents = 4 * maxEntries

// recognised tells whether ATAK takes a file for a manifest at all; where not, it takes the package for a plain zip.
func recognised(data []byte) bool { return bytes.Contains(data, []byte("<MissionPackageManifest")) }

// readManifest reads a manifest. The error tells no more than that it is not well-formed, or something else.
func readManifest(data []byte) (manifest, error) {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	var m manifest
	for root := true; ; {
		token, err := decoder.Token()
		if err == io.EOF && !root {
			return m, nil
		}
		if err != nil {
			return m, notXML(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if root && start.Name.Local != "MissionPackageManifest" {
			return m, errors.New("its outermost element is not MissionPackageManifest")
		}
		root = false
		switch start.Name.Local {
		case "MissionPackageManifest":
			m.version = attribute(start, "version")
		case "Parameter":
			m.parameter(attribute(start, "name"), attribute(start, "value"))
		case "Content":
			if entry := attribute(start, "zipEntry"); entry != "" && len(m.contents) < maxContents {
				m.contents = append(m.contents, content{entry, attribute(start, "ignore") == "true"})
			}
		}
	}
}

// parameter takes the first of each name. A map item's parameters inside a Content come later.
func (m *manifest) parameter(name, value string) {
	switch {
	case name == "uid" && m.uid == "":
		m.uid = value
	case name == "name" && m.name == "":
		m.name = value
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
